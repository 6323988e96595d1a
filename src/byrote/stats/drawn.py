"""What a random part of a finite population says of the whole: exact, hypergeometric."""

from collections.abc import Callable

import numpy as np


def limits(
    low: int, high: int, *, drawn: int, population: int, significance: float
) -> tuple[int, int]:
    """Of how many marked in the population, if at least low and at most high of those drawn are.

    Each limit is wrong with probability at most ``significance``; those drawn are drawn without
    replacement, and if they are all, nothing is uncertain.

    Examples
    --------
    >>> limits(0, 0, drawn=100, population=1000, significance=0.05)
    (0, 28)
    >>> limits(3, 3, drawn=10, population=10, significance=0.05)
    (3, 3)
    """
    from scipy.stats import hypergeom  # noqa: PLC0415 (slow to load)

    if drawn == population:
        return low, high

    def too_few(marked: int) -> bool:
        return bool(hypergeom.sf(low - 1, population, marked, drawn) <= significance)

    def too_many(marked: int) -> bool:
        return bool(hypergeom.cdf(high, population, marked, drawn) <= significance)

    least = _first(low, population - drawn + low, lambda marked: not too_few(marked))
    most = _first(high, population - drawn + high + 1, too_many) - 1
    return least, most


def order_limits(
    allowed: int, *, drawn: int, population: int, significance: float
) -> tuple[int, int]:
    """Which order statistics of those drawn bound a quantile of the population.

    The quantile is the value that no more than ``allowed`` of the population exceed. Returned are
    counts (few, many). If fewer than ``few`` of those drawn exceed a value, so do no more than
    ``allowed`` of the population, and if ``many`` do, more do; each is wrong with probability at
    most ``significance``. Few is 0 where those drawn are too few to say so.

    Examples
    --------
    >>> order_limits(1, drawn=1000, population=1000, significance=0.025)
    (2, 2)
    >>> order_limits(60, drawn=3000, population=60_000, significance=0.025)
    (0, 8)
    >>> order_limits(60, drawn=6000, population=60_000, significance=0.025)
    (2, 12)
    """
    from scipy.stats import hypergeom  # noqa: PLC0415 (slow to load)

    if drawn == population:
        return allowed + 1, allowed + 1
    counts = np.arange(min(drawn, allowed + 1) + 1)
    seldom = hypergeom.cdf(counts, population, allowed + 1, drawn) <= significance
    few = int(np.count_nonzero(seldom))
    often = hypergeom.sf(counts - 1, population, allowed, drawn) <= significance
    many = int(np.argmax(often)) if often.any() else len(counts)
    return few, many


def _first(start: int, stop: int, holds: Callable[[int], bool]) -> int:
    """The first number from start at which a condition holds that then goes on to hold, or stop."""
    low, high = start, stop
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
