"""How far the mean of importance weights can be trusted: its error, and the weights' tail.

The jackknife gives the error of the logarithm of the mean. Pareto k-hat is the tail index: the
largest weights are fitted by a generalized Pareto distribution of shape k; moments up to order 1/k
exist (Vehtari, Simpson, Gelman, Yao & Gabry 2024, "Pareto smoothed importance sampling"). The fit
is Zhang & Stephens' (2009, Technometrics 51), an average over a grid of one parameter, computed for
all records at once.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST = 5  # exceedances for a fit
_PRIOR_SHAPE, _PRIOR_COUNT = 0.5, 10  # the weak prior on k: ten observations' worth of 1/2
_GRID = 30  # plus the root of the number of exceedances
_FACTORS = 8  # multiplied before one logarithm is taken
_AT_A_TIME = 1 << 18  # values of the grid, to stay in the caches
_SMALLEST = 1e-30  # exceedances are raised to this, relative to the largest


def pareto_k(log_weights: Array) -> Array:
    """Estimate Pareto k-hat of importance weights, (n, N) logarithms -> (n,).

    The tail is the largest M = min(0.2 N, 3 sqrt(N)) weights (rounded up) above the next one. The
    shape is regularized towards 1/2, (M k + 5) / (M + 10).

    Returns
    -------
    (n,) shapes; -inf where no weight of the tail exceeds the rest, NaN for tails of fewer than 5
    (N < 21) or weights that are all zero.

    Examples
    --------
    >>> uniform = np.random.default_rng(0).random((1, 10_000))
    >>> light, heavy = pareto_k(np.log(uniform)), pareto_k(-np.log(uniform))
    >>> bool(light < 0), 0.9 < float(heavy[0]) < 1.1
    (True, True)
    """
    n, draws = log_weights.shape
    count = int(np.ceil(min(0.2 * draws, 3 * np.sqrt(draws))))
    if count < FEWEST:
        return np.full(n, np.nan)
    tail = np.sort(np.partition(log_weights, draws - count - 1, axis=1)[:, -count - 1 :], axis=1)
    largest = np.where(np.isfinite(tail[:, -1:]), tail[:, -1:], 0)
    weights = np.exp(tail - largest)
    shape = generalized_pareto_shape(weights[:, 1:] - weights[:, :1])
    shape = (count * shape + _PRIOR_COUNT * _PRIOR_SHAPE) / (count + _PRIOR_COUNT)
    shape[~np.isfinite(tail[:, -1])] = np.nan
    return shape


def log_mean_error(weights: Array) -> Array:
    """Estimate the standard error of the logarithm of mean weights, (n, N) -> (n,), by jackknife.

    The expected square of a jackknife error is at least the variance of N - 1 draws, whatever the
    law of the weights (Efron & Stein 1981), up to a factor of 1 - 1/N. So the root mean square over
    many means is not too small; a single error is, where the largest weights have not been drawn.
    An error by the delta method is at most 1, however heavy the tail.

    Returns
    -------
    (n,) errors, nats; NaN where fewer than two weights are positive.

    Examples
    --------
    >>> weights = np.exp(np.random.default_rng(0).normal(0, 3, (5000, 64)))
    >>> root_mean_square = np.sqrt(np.mean(log_mean_error(weights) ** 2))
    >>> bool(1 <= root_mean_square / np.log(weights.mean(axis=1)).std() < 1.1)
    True
    """
    n, draws = weights.shape
    largest = np.arange(n), weights.argmax(axis=1)
    others = weights.copy()
    others[largest] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weights.sum(axis=1)
        change = np.log1p(-others / total[:, None])  # of the log of the sum, without a draw
        change[largest] = np.log(others.sum(axis=1) / total)
        change -= change.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt((draws - 1) / draws * np.square(change).sum(axis=1)))


def generalized_pareto_shape(exceedances: Array) -> Array:
    """Estimate the shape k of the generalized Pareto distribution with location zero.

    Parameters
    ----------
    exceedances
        (n, M) values of at least zero, ascending along the last axis.

    Returns
    -------
    (n,) shapes, positive for heavy tails (scipy's ``genpareto`` has the same sign); -inf where all
    exceedances are zero.
    """
    n, count = exceedances.shape
    result = np.full(n, -np.inf)
    positive = np.flatnonzero(exceedances[:, -1] > 0)
    at_once = max(1, _AT_A_TIME // (count * _grid_size(count)))
    for start in range(0, len(positive), at_once):
        rows = positive[start : start + at_once]
        result[rows] = _fitted(exceedances[rows] / exceedances[rows, -1:])
    return result


def _fitted(x: Array) -> Array:
    """Fit shapes of exceedances whose largest is 1: average theta over its posterior on a grid."""
    count, size = x.shape[1], _grid_size(x.shape[1])
    x = np.maximum(x, _SMALLEST)
    quartile = x[:, [int(count / 4 + 0.5) - 1]]
    steps = 1 - np.sqrt(size / (np.arange(1, size + 1) - 0.5))
    theta = 1 + steps / (3 * quartile)
    shapes = _mean_log(theta, x)
    profile = count * (np.log(-theta / shapes) - shapes - 1)
    weights = np.exp(profile - profile.max(axis=1, keepdims=True))
    average = (theta * weights).sum(axis=1) / weights.sum(axis=1)
    return _mean_log(average[:, None], x)[:, 0]


def _mean_log(theta: Array, x: Array) -> Array:
    """Average log(1 - theta x) over x, the shape k for theta: (n, g), (n, M) -> (n, g)."""
    total = np.zeros_like(theta)
    for start in range(0, x.shape[1], _FACTORS):
        factors = 1 - theta[:, :, None] * x[:, None, start : start + _FACTORS]
        total += np.log(np.prod(factors, axis=2))
    return total / x.shape[1]


def _grid_size(count: int) -> int:
    return _GRID + int(np.sqrt(count))
