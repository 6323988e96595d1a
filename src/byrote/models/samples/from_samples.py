"""A density from samples, for generators that have none."""

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from byrote import checks
from byrote.data.columns import is_frame
from byrote.data.records import Records
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.models.samples.space import Gower, Space, space_of
from byrote.models.sampling import draw_samples
from byrote.models.statistic import Statistic

Array = NDArray[np.float64]
_OUTWEIGHS = 30  # times the median spread of a column


class Sampled(BaseEstimator):  # type: ignore[misc]
    """Base of statistics of a record and the samples of a generator that was fitted.

    A data frame travels through a run as an array of numbers, and comes to the generator as it was.
    """

    private_parameters = ("space",)
    takes_categories = takes_units = True

    def __init__(self, generator: Any, samples: int = 5, space: Space | None = None) -> None:
        self.generator = generator
        self.samples = samples
        self.space = space

    def prepared(self, X: Any) -> tuple[Self, Any]:
        """Return a copy with the space of all records, and the records as an array.

        Raises
        ------
        InvalidInput
            If a parameter is invalid, or X is neither an array nor a table.
        """
        self._check_parameters()
        is_table = isinstance(X, Records) and X.columns is not None
        values = X.frame() if is_table else X.values() if isinstance(X, Records) else X
        space = space_of(X=values) if self.space is None else self.space
        if is_table and isinstance(space, Gower):
            space = replace(space, columns=X.columns)
        copy = clone(self).set_params(space=space)
        if isinstance(space, Gower) and is_frame(X):
            return copy, Records(space.columns.encode(X), ids=np.asarray(X.index))
        if not isinstance(space, Gower):
            _warn_of_units(np.asarray(values))
        return copy, X

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit the generator to records: rows of numbers, or a data frame.

        Raises
        ------
        InvalidInput
            If a parameter or X is not valid.
        """
        del y
        self._check_parameters()
        self.space_ = space_of(X=X) if self.space is None else self.space
        self.generator_ = clone(self.generator, safe=False)
        self.generator_.fit(self._as_given(X))
        self.n_samples_ = self.samples * len(X)
        self._drawn: Any = None
        return self

    def sample(self, n_samples: int = 1) -> Any:
        """Draw samples from the generator: an array or, where X is a data frame, a data frame.

        Raises
        ------
        InvalidInput
            If the generator returns something else.
        """
        contract.copy_seeds(self.generator, self.generator_)
        if not isinstance(self.space_, Gower):
            return draw_samples(self.generator_, n_samples, (self.space_.dimensions,))
        return self._framed(self.generator_.sample(n_samples), n_samples)

    def _framed(self, samples: Any, n: int) -> Any:
        """Return samples as a data frame; an array is taken in the order of the columns."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        names = self.space_.columns.names  # type: ignore[attr-defined]  # of Gower's
        rows = samples[0] if isinstance(samples, tuple) else samples  # a mixture's of scikit-learn
        if isinstance(rows, np.ndarray) and rows.shape == (n, len(names)):
            return pd.DataFrame(rows, columns=names)
        if not is_frame(rows) or len(rows) != n:
            name = type(self.generator).__name__
            raise InvalidInput(
                f"generator: {name}.sample({n}) must give a data frame of {n} rows, or an array of"
                f" the {len(names)} columns; got {checks.brief(samples)}"
            )
        return rows

    def _drawn_once(self) -> Any:
        """Draw the samples when they are first needed, by the seed of that moment."""
        if self._drawn is None:
            self._drawn = self.sample(self.n_samples_)
        return self._drawn

    def _as_given(self, X: Any) -> Any:
        """Return records as the generator takes them."""
        if not isinstance(self.space_, Gower) or is_frame(X):
            return X
        columns = self.space_.columns
        if np.shape(X)[1:] != (columns.width,):
            raise InvalidInput(
                f"X must be a data frame with columns {columns.names}; got {checks.brief(X)}"
            )
        return columns.decode(X)

    def _check_parameters(self) -> None:
        for method in ("fit", "sample"):
            if isinstance(self.generator, type) or not callable(
                getattr(self.generator, method, None)
            ):
                got = checks.brief(self.generator)
                raise InvalidInput(f"generator must have fit(X) and sample(n); got {got}")
        self.samples = checks.integer("samples", self.samples, at_least=1)
        if self.space is not None and not isinstance(self.space, Space):
            raise InvalidInput(f"space must be a Space or None; got {checks.brief(self.space)}")


def _warn_of_units(x: NDArray[Any]) -> None:
    """Warn of a table one column of which outweighs the others in Euclidean distances."""
    spread = x.std(axis=0) if x.ndim == 2 else np.ones(1)
    if spread.any() and spread.max() > _OUTWEIGHS * np.median(spread[spread > 0]):
        warnings.warn(
            "X: one column is spread more than 30 times as widely as most, and Euclidean distances"
            " see little else; pass a data frame, whose columns count alike, or standardize",
            stacklevel=4,
        )


class FromSamples(Sampled):
    """The density of a generator without one, estimated from its samples.

    ``score_samples`` returns, for a record at distance r from the k-th nearest of m samples in d
    columns,

        log(k / m) - d log r,

    the k-nearest-neighbour estimate of the log-density up to a constant (Loftsgaarden & Quesenberry
    1965): nats of that estimate, not of a likelihood. Whatever the estimate is worth, comparing it
    with a record in training and without has an exact randomization test, for it depends on nothing
    but the record and what the fit gave out. More samples show more and cost no training.

    Distances are Euclidean for arrays, whose columns must be in one unit, and Gower's for data
    frames: the mean over columns of ``|a - b| / range`` for numbers, 0 or 1 for categories. A
    distance below half of the smallest that two different records can have counts as that half: so
    much is known of an exact copy, whose estimate would be infinite.

    Parameters
    ----------
    generator
        Any object with ``fit(X)`` and ``sample(n)``, such as a synthesizer of tables. It gets and
        gives arrays or data frames, as X is.
    samples
        Number of samples per training record: m is this number times the size of the training set.
    neighbors
        Which nearest sample, k.
    space
        Distances between records (default: that of all records, set before the first fit).

    Examples
    --------
    >>> import byrote
    >>> from sklearn.mixture import GaussianMixture
    >>> x = np.random.default_rng(0).normal(size=(200, 2)); x[7] = 9.0
    >>> model = FromSamples(GaussianMixture(5, reg_covar=0.01), samples=2)
    >>> result = byrote.score_memorization(model, x, plan=byrote.KFold(5, repeats=4))
    >>> result.ids[result.q_value <= 0.05].tolist()
    [7]
    """

    statistic = Statistic("nearest-sample estimate", "nats of the nearest-sample estimate")

    def __init__(
        self, generator: Any, samples: int = 5, neighbors: int = 1, space: Space | None = None
    ) -> None:
        super().__init__(generator, samples, space)
        self.neighbors = neighbors

    def score_samples(self, X: Any) -> Array:
        """Estimate the log-density of each record up to a constant, (n,) nats.

        Raises
        ------
        InvalidInput
            If X has other columns than in training, or the generator's samples have.
        """
        space, k = self.space_, self.neighbors
        records = space.rows("X", self._as_given(X))
        samples = space.rows("samples", self._drawn_once())
        distance = space.nearest(records, samples, k)[0][:, -1]
        bounded = np.maximum(distance, space.resolution / 2)
        return np.asarray(np.log(k / len(samples)) - space.dimensions * np.log(bounded))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self.neighbors = checks.integer("neighbors", self.neighbors, at_least=1)
