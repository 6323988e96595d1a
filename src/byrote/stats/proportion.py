"""Intervals of a proportion."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri


def wilson(successes: int, trials: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927).

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson(9, 10)]
    [0.5958, 0.9821]
    """
    z = float(ndtri((1 + level) / 2))
    share, shrink = successes / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def clopper_pearson(
    successes: ArrayLike, trials: int, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact interval of a proportion, an array of either end (Clopper & Pearson 1934).

    Examples
    --------
    >>> low, high = clopper_pearson([0, 9], 10)
    >>> print(low.round(4), high.round(4))
    [0.    0.555] [0.3085 0.9975]
    """
    k = np.asarray(successes, dtype=np.float64)
    tail = (1 - level) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), trials - k + 1, tail), 0.0)
    high = np.where(k < trials, betaincinv(k + 1, np.maximum(trials - k, 1), 1 - tail), 1.0)
    return low, high
