"""Goodness of fit of a continuous distribution: Kolmogorov-Smirnov and errors of the lower tail."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Array = NDArray[np.float64]
FEWEST = 10  # values below a quantile that is tested


def ks_distance(ordered: Array, distribution: Callable[[Array], Array]) -> float:
    """Compute the Kolmogorov-Smirnov distance of sorted values (n,) from a distribution function.

    Exact, although the function is evaluated only at the ends of blocks of values and inside blocks
    that may hold a larger deviation.

    Examples
    --------
    >>> ks_distance(np.array([0.5]), lambda x: x)
    0.5
    """
    n = len(ordered)
    block = max(1, int(np.sqrt(n) / 8))  # well below typical deviations, of order 1/√n
    start = np.arange(0, n, block)
    end = np.minimum(start + block, n)
    first, last = distribution(ordered[start]), distribution(ordered[end - 1])
    known = max(_deviation(start, first, n), _deviation(end - 1, last, n))
    bound = np.maximum(end / n - first, last - start / n)
    inside = (start[bound > known][:, None] + np.arange(block)).ravel()
    inside = inside[inside < n]
    return max(known, _deviation(inside, distribution(ordered[inside]), n))


def _deviation(rows: NDArray[np.intp], values: Array, n: int) -> float:
    """Compute the largest deviation at some of n sorted values from the function there."""
    return float(np.maximum((rows + 1) / n - values, values - rows / n).max(initial=0.0))


def ks_p_value(distance: float, n: int) -> float:
    """Compute the two-sided p-value; too large if the distribution was fitted to the values."""
    from scipy.stats import kstwo  # noqa: PLC0415 (slow to load)

    return float(kstwo.sf(distance, n))


def tail_errors(
    ordered: Array, log_lower_tail: Callable[[Array], Array], levels: tuple[float, ...]
) -> dict[float, float]:
    """Compute errors of a fitted lower tail at quantiles of sorted values, in bits by level.

    The error is log2 of the share of values up to the quantile minus log2 of the fitted tail there,
    by which exposures from the fit are too high. Levels with fewer than ``FEWEST`` values below
    them are omitted.
    """
    n = len(ordered)
    tested = [level for level in levels if round(level * n) >= FEWEST]
    if not tested:
        return {}
    quantiles = ordered[[round(level * n) - 1 for level in tested]]
    share = np.searchsorted(ordered, quantiles, side="right") / n
    errors = np.log2(share) - log_lower_tail(quantiles) / np.log(2)
    return dict(zip(tested, map(float, errors), strict=True))


def tail_noise(level: float, n: int, *, confidence: float = 0.99) -> tuple[float, float]:
    """Compute the range of a tail error that sampling alone explains, in bits.

    The true tail at the k-th smallest of n values is Beta(k, n + 1 − k).

    Examples
    --------
    >>> print([round(limit, 2) for limit in tail_noise(0.01, 1000)])
    [-0.99, 1.42]
    >>> print([round(limit, 2) for limit in tail_noise(0.01, 1_000_000)])
    [-0.04, 0.04]
    """
    k = round(level * n)
    ends = betaincinv(k, n + 1 - k, np.array([1 + confidence, 1 - confidence]) / 2)
    low, high = np.log2(k / n) - np.log2(ends)
    return float(low), float(high)
