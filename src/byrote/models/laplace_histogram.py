"""A density that is differentially private by itself: a histogram with Laplace noise."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from byrote import checks, seeds
from byrote.errors import InvalidInput

Array = NDArray[np.float64]
MOST_CELLS = 2**20


class LaplaceHistogram(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """Histogram density estimate with Laplace noise: purely epsilon-differentially private.

    The range of every feature is cut into ``bins`` equal parts; noise of scale ``2 / epsilon`` is
    added to the count of every cell and rounded to whole numbers; counts below one half become one
    half; what results is normalised to a density that is constant on each cell.

    **Epsilon-DP under replacement.** Replacing a record changes at most two counts, by 1 each: the
    vector of counts moves by at most 2 in L1. Noise Laplace(b) has a density proportional to
    ``e^{-|z| / b}``, which changes by a factor of at most ``e^{|s| / b}`` when shifted by s; the
    noise of the cells is independent, so the joint density changes by at most ``e^{2 / b}``, which
    is ``e^epsilon`` for ``b = 2 / epsilon``. All that follows (rounding, the least count,
    normalising by the noisy total, scoring, sampling) uses the noisy counts alone, and the cells
    are fixed by the parameters: post-processing, without cost.

    **Epsilon/2-DP under adding or removing a record**, which moves one count by 1. Hence
    ``log E[p(x) | x in] - log E[p(x) | x out]`` is at most epsilon for K-fold and at most
    epsilon / 2 leave-one-out.

    Counts are whole and so is the rounded noise, so the digits of the sum do not give away the
    count as those of floating-point noise would (Mironov 2012). The guarantee is for one fit whose
    ``random_state`` nobody knows.

    Parameters
    ----------
    bins
        Parts of each feature's range; ``bins ** d`` cells, at most 2**20.
    range
        (low, high) of every feature, chosen without looking at the data. Records outside are not
        counted and have density zero.
    epsilon
        The promise, above 0, nats.
    random_state
        Decides the noise and the samples.

    Attributes
    ----------
    log_density_
        (bins, ..., bins) log-densities, nats; one axis per feature.

    Examples
    --------
    >>> x = np.random.default_rng(0).beta(2, 5, size=(1000, 1))
    >>> model = LaplaceHistogram(bins=10, epsilon=1.0, random_state=0).fit(x)
    >>> model.score_samples([[0.25], [0.95], [1.5]]).round(2)
    array([ 0.85, -3.91,  -inf])
    """

    def __init__(
        self,
        bins: int = 10,
        range: tuple[float, float] = (0.0, 1.0),  # noqa: A002 (as numpy.histogram's)
        epsilon: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.bins = bins
        self.range = range
        self.epsilon = epsilon
        self.random_state = random_state

    def check_input(self, X: ArrayLike) -> None:
        """Refuse what is no table of finite numbers, or would have too many cells.

        Raises
        ------
        InvalidInput
            In one sentence.
        """
        _table(X)
        self._check_parameters(np.shape(X)[1])

    def fit(self, X: ArrayLike, y: object = None) -> "LaplaceHistogram":
        """Count the records of X, (n, d), in cells and add noise.

        Raises
        ------
        InvalidInput
            If a parameter or X cannot be used.
        """
        del y
        x = _table(X)
        self._check_parameters(x.shape[1])
        shape = (self.bins,) * x.shape[1]
        cells, inside = self._cells(x, shape)
        counts = np.bincount(cells[inside], minlength=self.bins ** x.shape[1])
        noise = self._generator(0).laplace(scale=2 / self.epsilon, size=counts.shape)
        noisy = np.maximum(counts + np.rint(noise), 0.5)
        low, high = self.range
        volume = ((high - low) / self.bins) ** x.shape[1]
        self.log_density_ = np.log(noisy / noisy.sum() / volume).reshape(shape)
        self.n_features_in_ = x.shape[1]
        return self

    def score_samples(self, X: ArrayLike) -> Array:
        """Log-density of each record, (n, d) -> (n,), nats; -inf outside the range.

        Raises
        ------
        InvalidInput
            If X is no table of finite numbers with as many features as in training.
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
        """Records drawn from the density, (n_samples, d): further post-processing."""
        check_is_fitted(self)
        n_samples = checks.integer("n_samples", n_samples, at_least=1)
        generator, shape = self._generator(1), self.log_density_.shape
        mass = np.exp(self.log_density_.ravel())
        cells = generator.choice(mass.size, size=n_samples, p=mass / mass.sum())
        corner = np.stack(np.unravel_index(cells, shape), axis=1)
        low, high = self.range
        return low + (high - low) * (corner + generator.random(corner.shape)) / self.bins

    def get_weights(self) -> dict[str, Array]:
        """What training made, by name; with ``set_weights`` it goes back."""
        check_is_fitted(self)
        return {"log_density": self.log_density_.copy()}

    def set_weights(self, arrays: Mapping[str, ArrayLike]) -> "LaplaceHistogram":
        """Make this a fitted histogram with weights from ``get_weights`` of one like it.

        Raises
        ------
        InvalidInput
            If they are not those of a histogram with as many bins.
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
        """The cell of each record, and whether it lies in the range, both ends included."""
        low, high = self.range
        inside = np.asarray(((x >= low) & (x <= high)).all(axis=1))
        parts = np.floor((np.clip(x, low, high) - low) / (high - low) * self.bins).astype(np.intp)
        parts = np.minimum(parts, self.bins - 1)
        return np.asarray(np.ravel_multi_index(tuple(parts.T), shape)), inside

    def _generator(self, purpose: int) -> np.random.Generator:
        return seeds.generator(self.random_state, seeds.Purpose.TRAINING, purpose)

    def _check_parameters(self, features: int) -> None:
        self.bins = checks.integer("bins", self.bins, at_least=1)
        self.epsilon = checks.positive("epsilon", self.epsilon)
        self.random_state = checks.integer("random_state", self.random_state, at_least=0)
        if not _is_pair(self.range):
            got = checks.brief(self.range)
            raise InvalidInput(f"range must be (low, high) with low < high; got {got}")
        if features * np.log(self.bins) > np.log(MOST_CELLS) + 1e-9:
            raise InvalidInput(
                f"bins must give at most {MOST_CELLS:,} cells;"
                f" got {self.bins} bins in each of {features} features"
            )


def _is_pair(value: object) -> bool:
    """Two finite numbers, the first below the second, whose distance is finite too."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        return False
    try:
        low, high = (checks.finite_number("range", end) for end in value)
    except InvalidInput:
        return False
    return low < high and np.isfinite(high - low)


def _table(X: ArrayLike) -> Array:
    x = checks.array("X", X)
    if x.ndim != 2 or x.dtype.kind not in "fiub" or not x.size:
        raise InvalidInput(f"X must be numbers, shape (n, d); got {x.dtype} {x.shape}")
    x = checks.floats(x)
    checks.finite("X", x)
    return x
