"""A density that is differentially private by itself: a histogram with Laplace noise."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote import checks, seeds
from byrote.errors import InvalidInput
from byrote.models.privacy.dp import REPLACEMENT, DPGuarantee

Array = NDArray[np.float64]
MOST_CELLS = 2**20


class LaplaceHistogram(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """Histogram density estimate with Laplace noise: purely epsilon-differentially private.

    The range of each feature is cut into ``bins`` equal parts. Each count gets noise of scale
    ``2 / epsilon``, rounded to whole numbers; counts below one half become one half; the result is
    normalized to a density that is constant on each cell.

    **Epsilon-DP under replacement.** Replacing a record changes at most two counts, by 1 each: at
    most 2 in L1. The density of Laplace(b), proportional to ``e^{-|z| / b}``, changes by a factor
    of at most ``e^{|s| / b}`` when shifted by s; the noise is independent between cells, so the
    joint density changes by at most ``e^{2 / b}``, which is ``e^epsilon`` for ``b = 2 / epsilon``.
    Rounding, the least count, normalization, scoring and sampling use the noisy counts alone, and
    the cells are fixed by the parameters: post-processing.

    **Epsilon/2-DP under adding or removing a record**, which changes one count by 1. Hence
    ``log E[p(x) | x in] - log E[p(x) | x out]`` is at most epsilon for K-fold and at most
    epsilon / 2 leave-one-out.

    Counts and rounded noise are whole numbers, so the digits of the sum do not reveal the count as
    those of floating-point noise would (Mironov 2012). The guarantee is for one fit whose
    ``random_state`` is secret.

    Parameters
    ----------
    bins
        Parts of each feature's range; ``bins ** d`` cells, at most 2**20.
    range
        (low, high) of every feature, or a list of one pair for each, chosen without looking at the
        data, in its units: a table is not standardized. Records outside are not counted and have
        density zero.
    epsilon
        Epsilon of the guarantee, above 0, in nats.
    random_state
        Seed of the noise and the samples.

    Attributes
    ----------
    log_density_
        (bins, ..., bins) log-densities, nats; one axis per feature.
    facts_
        "privacy": the ``DPGuarantee``.

    Examples
    --------
    >>> x = np.random.default_rng(0).beta(2, 5, size=(1000, 1))
    >>> model = LaplaceHistogram(bins=10, epsilon=1.0, random_state=0).fit(x)
    >>> model.score_samples([[0.25], [0.95], [1.5]]).round(2)
    array([ 0.85, -3.91,  -inf])
    >>> model.facts_["privacy"].epsilon_add_remove
    0.5
    """

    takes_units = True

    def __init__(
        self,
        bins: int = 10,
        range: Sequence[Any] = (0.0, 1.0),  # noqa: A002 (as numpy.histogram's)
        epsilon: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.bins = bins
        self.range = range
        self.epsilon = epsilon
        self.random_state = random_state

    def check_input(self, X: ArrayLike) -> None:
        """Refuse data other than a table of finite numbers, or with too many cells.

        Raises
        ------
        InvalidInput
            If a parameter or X is not valid, or all records are outside the range.
        """
        x = _table(X)
        self._check_parameters(x.shape[1])
        if not self._cells(x, (self.bins,) * x.shape[1])[1].any():
            raise InvalidInput(
                f"range must hold records; all are outside {checks.brief(self.range)} (a list of"
                " (low, high), one for each column, chosen without looking at the data)"
            )

    def fit(self, X: ArrayLike, y: object = None) -> "LaplaceHistogram":
        """Count the records of X, (n, d), in cells and add noise.

        Raises
        ------
        InvalidInput
            If a parameter or X is not valid.
        """
        del y
        x = _table(X)
        self._check_parameters(x.shape[1])
        shape = (self.bins,) * x.shape[1]
        cells, inside = self._cells(x, shape)
        counts = np.bincount(cells[inside], minlength=self.bins ** x.shape[1])
        noise = self._generator(0).laplace(scale=2 / self.epsilon, size=counts.shape)
        noisy = np.maximum(counts + np.rint(noise), 0.5)
        low, high = self._ends()
        widths = np.broadcast_to((high - low) / self.bins, x.shape[1])
        self.log_density_ = np.log(noisy / noisy.sum() / widths.prod()).reshape(shape)
        self.n_features_in_ = x.shape[1]
        guarantee = DPGuarantee(
            epsilon=self.epsilon,
            delta=0.0,
            relation=REPLACEMENT,
            epsilon_add_remove=self.epsilon / 2,
            accountant="Laplace noise",
        )
        self.facts_ = {"privacy": guarantee}
        return self

    def score_samples(self, X: ArrayLike) -> Array:
        """Compute the log-density of each record, (n, d) -> (n,) nats; -inf outside the range.

        Raises
        ------
        InvalidInput
            If X is not a table of finite numbers with as many features as in training.
        """
        check_is_fitted(self)
        x = _table(X)
        if x.shape[1] != self.log_density_.ndim:
            raise InvalidInput(
                f"X must have the {self.log_density_.ndim} features of training; got {x.shape[1]}"
            )
        cells, inside = self._cells(x, self.log_density_.shape)
        return np.where(inside, self.log_density_.ravel()[cells], -np.inf)

    def sample(self, n_samples: int = 1) -> Array:
        """Draw (n_samples, d) records from the density, as post-processing."""
        check_is_fitted(self)
        n_samples = checks.integer("n_samples", n_samples, at_least=1)
        generator, shape = self._generator(1), self.log_density_.shape
        mass = np.exp(self.log_density_.ravel())
        cells = generator.choice(mass.size, size=n_samples, p=mass / mass.sum())
        corner = np.stack(np.unravel_index(cells, shape), axis=1)
        low, high = self._ends()
        return low + (high - low) * (corner + generator.random(corner.shape)) / self.bins

    def get_weights(self) -> dict[str, Array]:
        """Return everything learned, as arrays by name, for ``set_weights``."""
        check_is_fitted(self)
        return {"log_density": self.log_density_.copy()}

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "LaplaceHistogram":
        """Make this a fitted histogram with weights from ``get_weights`` of one with as many bins.

        Raises
        ------
        InvalidInput
            If they are not such weights.
        """
        density = np.asarray(arrays.get("log_density", ()), dtype=np.float64)
        if set(arrays) != {"log_density"} or set(density.shape) != {self.bins}:
            raise InvalidInput(
                f"weights must be log_density with {self.bins} bins per feature;"
                f" got {', '.join(sorted(arrays))} of shape {density.shape}"
            )
        self.log_density_ = density
        self.n_features_in_ = density.ndim
        return self

    def _cells(
        self, x: Array, shape: tuple[int, ...]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return the cell of each record, and whether it is in the range, ends included."""
        low, high = self._ends()
        inside = np.asarray(((x >= low) & (x <= high)).all(axis=1))
        parts = np.floor((np.clip(x, low, high) - low) / (high - low) * self.bins).astype(np.intp)
        parts = np.minimum(parts, self.bins - 1)
        return np.asarray(np.ravel_multi_index(tuple(parts.T), shape)), inside

    def _ends(self) -> tuple[Array, Array]:
        """Return the lower and upper ends, of every feature or of each."""
        ends = np.asarray(self.range, dtype=np.float64)
        return ends[..., 0], ends[..., 1]

    def _generator(self, purpose: int) -> np.random.Generator:
        return seeds.generator(self.random_state, seeds.Purpose.TRAINING, purpose)

    def _check_parameters(self, features: int) -> None:
        self.bins = checks.integer("bins", self.bins, at_least=1)
        self.epsilon = checks.positive("epsilon", self.epsilon)
        self.random_state = checks.integer("random_state", self.random_state, at_least=0)
        if not _is_pair(self.range) and not _are_pairs(self.range, features):
            got = checks.brief(self.range)
            raise InvalidInput(
                "range must be (low, high) with low < high, or a list of one for each of"
                f" {features} features; got {got}"
            )
        if features * np.log(self.bins) > np.log(MOST_CELLS) + 1e-9:
            raise InvalidInput(
                f"bins must give at most {MOST_CELLS:,} cells;"
                f" got {self.bins} bins in each of {features} features"
            )


def _is_pair(value: object) -> bool:
    if not isinstance(value, tuple | list) or len(value) != 2:
        return False
    try:
        low, high = (checks.finite_number("range", end) for end in value)
    except InvalidInput:
        return False
    return low < high and np.isfinite(high - low)


def _are_pairs(value: object, count: int) -> bool:
    return isinstance(value, tuple | list) and len(value) == count and all(map(_is_pair, value))


def _table(X: ArrayLike) -> Array:
    x = checks.array("X", X)
    if x.ndim != 2 or x.dtype.kind not in "fiub" or not x.size:
        raise InvalidInput(f"X must be numbers, shape (n, d); got {x.dtype} {x.shape}")
    x = checks.floats(x)
    checks.finite("X", x)
    return x
