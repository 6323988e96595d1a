"""Exact limits for a finite population from a random sample without replacement."""

from collections.abc import Callable

import numpy as np


def count_limits(
    low: int, high: int, *, sample: int, population: int, significance: float
) -> tuple[int, int]:
    """Compute limits on the number of marked items in a population from that in a sample.

    At least ``low`` and at most ``high`` items of the sample are marked. Each limit is wrong with
    probability at most ``significance``.

    Examples
    --------
    >>> count_limits(0, 0, sample=100, population=1000, significance=0.05)
    (0, 28)
    >>> count_limits(3, 3, sample=10, population=10, significance=0.05)
    (3, 3)
    """
    if sample == population:
        return low, high
    from scipy.stats import hypergeom  # noqa: PLC0415 (slow to load)

    def enough(marked: int) -> bool:
        return bool(hypergeom.sf(low - 1, population, marked, sample) > significance)

    def too_many(marked: int) -> bool:
        return bool(hypergeom.cdf(high, population, marked, sample) <= significance)

    least = _first(low, population - sample + low, enough)
    most = _first(high, population - sample + high + 1, too_many) - 1
    return least, most


def order_limits(
    allowed: int, *, sample: int, population: int, significance: float
) -> tuple[int, int]:
    """Compute the order statistics of a sample that bound a quantile of the population.

    Returns counts (few, many): if fewer than ``few`` items of the sample exceed a value, at most
    ``allowed`` of the population do, and if ``many`` do, more than ``allowed`` do. Each conclusion
    is wrong with probability at most ``significance``. ``few`` is 0 if the sample is too small.

    Examples
    --------
    >>> order_limits(1, sample=1000, population=1000, significance=0.025)
    (2, 2)
    >>> order_limits(60, sample=3000, population=60_000, significance=0.025)
    (0, 8)
    >>> order_limits(60, sample=6000, population=60_000, significance=0.025)
    (2, 12)
    """
    if sample == population:
        return allowed + 1, allowed + 1
    from scipy.stats import hypergeom  # noqa: PLC0415 (slow to load)

    counts = np.arange(min(sample, allowed + 1) + 1)
    rare = hypergeom.cdf(counts, population, allowed + 1, sample) <= significance
    frequent = hypergeom.sf(counts - 1, population, allowed, sample) <= significance
    many = int(np.argmax(frequent)) if frequent.any() else len(counts)
    return int(np.count_nonzero(rare)), many


def _first(start: int, stop: int, holds: Callable[[int], bool]) -> int:
    """Return the first number from start on at which a monotone condition holds, or stop."""
    low, high = start, stop
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
