"""Any density estimator on levels made continuous: log-densities per level, as those of flows."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.utils.validation import check_is_fitted

from byrote import checks
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.models.flows.spaces import MOST_LEVELS, Levels, fixed, recognized
from byrote.models.spaces import as_records


class Dequantized(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """A density estimator that sees images of L levels as flat logits, made continuous by noise.

    A record has one draw of noise, from its content and ``noise_seed``, the same in training and
    scoring and in every fit. All estimators so wrapped describe the same numbers, so that their
    held-out log-densities, per level, can be compared: with each other and with those of ``Flow``.

    Parameters
    ----------
    estimator
        A density estimator of rows of numbers; it is copied for each fit.
    levels
        Number of levels: of whole numbers from 0, or of multiples of 1/(L - 1) in [0, 1]. None:
        recognized in the records, in those of all fits by a run.
    noise_seed
        Seed of the noise; a run sets it once for all its fits.

    Attributes
    ----------
    estimator_
        The fitted copy.
    diagnostics_ : dict
        Those of the estimator, of the last ``score_samples``.
    facts_ : dict
        "levels", and the facts of the estimator.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> x = np.random.default_rng(0).integers(0, 17, size=(50, 2, 2)) / 16
    >>> model = Dequantized(GaussianMixture(random_state=0)).fit(x)
    >>> model.facts_, model.score_samples(x).shape
    ({'levels': 17}, (50,))
    """

    takes_pixels = True  # bytes of images are levels, and stay bytes in memory

    def __init__(self, estimator: Any, levels: int | None = None, noise_seed: int = 0) -> None:
        self.estimator = estimator
        self.levels = levels
        self.noise_seed = noise_seed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def prepared(self, X: Any) -> tuple[Self, Any]:
        """Return a copy with ``levels`` as recognized in all records, and X.

        Raises
        ------
        InvalidInput
            If the records are not of levels.
        """
        levels = self._resolved(X.x if isinstance(X, Records) else as_records(X))
        return clone(self).set_params(levels=levels), X

    def check_input(self, X: ArrayLike) -> None:
        """Refuse records that are not of levels.

        Raises
        ------
        InvalidInput
            If values are not those of ``levels``, or levels are neither given nor recognized.
        """
        self._space(as_records(X))

    def fit(self, X: ArrayLike, y: object = None) -> "Dequantized":
        """Fit a copy of the estimator to the logits of X, (n, d) or images.

        Raises
        ------
        InvalidInput
            If values are not those of ``levels``, or levels are neither given nor recognized.
        """
        del y
        x = as_records(X)
        self.space_ = self._space(x)
        self.estimator_ = clone(self.estimator).fit(self._logits(x)[0])
        facts = getattr(self.estimator_, "facts_", {})
        self.facts_ = {**facts, "levels": self.space_.levels}
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute log p(x), (n,) nats, per level."""
        check_is_fitted(self)
        x = as_records(X)
        self.space_.check(x)
        logits, log_determinant = self._logits(x)
        log_prob = self.estimator_.score_samples(logits)
        self.diagnostics_ = getattr(self.estimator_, "diagnostics_", {})
        return np.asarray(log_prob + log_determinant)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Compute the mean of ``score_samples``, in nats per record."""
        del y
        return float(self.score_samples(X).mean())

    def _logits(self, x: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        blocks = list(fixed(self.space_, x, self.noise_seed))
        logits = np.concatenate([inputs.numpy() for inputs, _ in blocks])
        return logits, np.concatenate([change.double().numpy() for _, change in blocks])

    def _space(self, x: NDArray[Any]) -> Levels:
        space = Levels(self._resolved(x))
        space.learn(x)
        space.check(x)
        return space

    def _resolved(self, x: NDArray[Any]) -> int:
        if self.levels is not None:
            return checks.integer("levels", self.levels, at_least=2, at_most=MOST_LEVELS)
        found = recognized(x)
        if not isinstance(found, int):
            raise InvalidInput(
                "levels must be given, for none are recognized: X has values other than multiples"
                " of one step in [0, 1]; got None"
            )
        return found
