"""A null model: it trains on other records than those it is given, and so memorizes none."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin, clone

from byrote.errors import InvalidInput
from byrote.models import contract


class NullModel(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """A model that trains on as many other records in place of those in ``fit``.

    It is what an audit should find nothing in. Which of the others it takes depends on its seed and
    on the records, so that two fits with the same seed differ as fits on these records do.

    Parameters
    ----------
    estimator
        A density model of such records; it is copied for each fit.
    others
        Records, (m, ...), of which none is audited; at least as many as in any fit.
    random_state
        Seed of the choice.

    Examples
    --------
    >>> from sklearn.neighbors import KernelDensity
    >>> x, others = np.zeros((4, 2)), np.ones((9, 2))
    >>> model = NullModel(KernelDensity(), others, random_state=0).fit(x)
    >>> bool(model.score(others) > model.score(x))
    True
    """

    private_parameters = ("others",)

    def __init__(self, estimator: Any, others: ArrayLike, random_state: int | None = None) -> None:
        self.estimator = estimator
        self.others = others
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = contract.takes_images(self.estimator)
        return tags

    def fit(self, X: ArrayLike, y: object = None) -> "NullModel":
        """Train on as many of the others.

        Raises
        ------
        InvalidInput
            If there are fewer.
        """
        del y
        x, others = np.ascontiguousarray(X), np.asarray(self.others)
        if len(x) > len(others):
            raise InvalidInput(
                f"others must hold at least as many records as X, {len(x)}; got {len(others)}"
            )
        generator = np.random.default_rng([self.random_state or 0, zlib.crc32(x.data)])
        rows = generator.choice(len(others), len(x), replace=False)
        return self._adopt(clone(self.estimator).fit(others[rows]))

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute log-densities, (n,) nats."""
        return np.asarray(self.estimator_.score_samples(X))

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Compute the mean of ``score_samples``, in nats per record."""
        del y
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1) -> NDArray[Any]:
        """Draw records."""
        self.estimator_.random_state = self.random_state
        return np.asarray(self.estimator_.sample(n_samples))

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Return what was learned, as arrays by name."""
        weights: dict[str, NDArray[Any]] = self.estimator_.get_weights()
        return weights

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "NullModel":
        """Make this a fitted model with weights from ``get_weights``."""
        return self._adopt(clone(self.estimator).set_weights(arrays))

    def _adopt(self, fitted: Any) -> "NullModel":
        self.estimator_ = fitted
        self.facts_ = getattr(fitted, "facts_", {})
        return self
