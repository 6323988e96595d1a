"""Ranks and their statistics, without the second that scipy.stats takes to load."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def midranks(values: ArrayLike) -> Array:
    """Rank numbers over the last axis, from 1; equal ones have their mean rank. No NaN.

    Examples
    --------
    >>> midranks([3.0, 1.0, 3.0, -np.inf])
    array([3.5, 2. , 3.5, 1. ])
    """
    numbers = np.asarray(values)
    order = np.argsort(numbers, axis=-1)
    ordered, places = np.take_along_axis(numbers, order, -1), np.arange(numbers.shape[-1])
    new = np.ones((*numbers.shape[:-1], len(places) + 1), bool)  # from the one before, to the next
    new[..., 1:-1] = ordered[..., 1:] != ordered[..., :-1]
    first = np.maximum.accumulate(np.where(new[..., :-1], places, 0), axis=-1)
    last = np.where(new[..., 1:], places, len(places))[..., ::-1]
    last = np.minimum.accumulate(last, axis=-1)[..., ::-1]
    ranks = np.empty(numbers.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, -1)
    return ranks


def rank_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Compute Spearman's correlation of two variables that vary, (n,) each.

    Examples
    --------
    >>> round(rank_correlation([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 9.0]), 6)
    0.8
    """
    return float(np.corrcoef(midranks(x), midranks(y))[0, 1])


def lower_than(scores: Array, ordered: Array) -> Array:
    """Count, for each of (k,) ascending scores, the lower of (m,) ascending ones; ties half.

    Examples
    --------
    >>> lower_than(np.array([0.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]))
    array([0., 2., 3.])
    """
    lower = np.searchsorted(ordered, scores)
    tied = np.flatnonzero(ordered[np.minimum(lower, len(ordered) - 1)] == scores)
    count = lower.astype(np.float64)
    count[tied] = (count[tied] + np.searchsorted(ordered, scores[tied], side="right")) / 2
    return count


def mann_whitney_z(first: Array, second: Array) -> float:
    """Compute the Mann-Whitney statistic in standard deviations, ``(U - mn/2) / sd(U)``.

    U counts the pairs in which the first value is larger, and half of the ties. For m and n values,
    ``sd(U)^2 = mn/12 (m + n + 1 - sum(t^3 - t) / ((m + n)(m + n - 1)))`` over groups of t equal
    values. Zero where all values are equal, NaN where a sample is empty. Infinite values are
    ranked.

    Examples
    --------
    >>> round(mann_whitney_z(np.array([1.0, 2.0, 3.0]), np.array([2.5, 4.0, 5.0])), 4)
    -1.5275
    """
    m, n = len(first), len(second)
    if m == 0 or n == 0:
        return float("nan")
    larger = lower_than(np.sort(first), np.sort(second)).sum()
    tied = np.unique(np.concatenate([first, second]), return_counts=True)[1].astype(np.float64)
    total = m + n
    variance = m * n / 12 * (total + 1 - (tied**3 - tied).sum() / (total * (total - 1)))
    if len(tied) == 1:
        return 0.0
    return float((larger - m * n / 2) / np.sqrt(variance))


def highest(values: Array, most: int | None = None) -> NDArray[np.intp]:
    """Return the places of the largest values, descending; equal ones in their order, NaN left out.

    Examples
    --------
    >>> highest(np.array([1.0, 3.0, np.nan, 3.0, 2.0]), 3).tolist()
    [1, 3, 4]
    """
    places = np.flatnonzero(~np.isnan(values))
    if most and most < len(places):  # few are sorted
        least = np.partition(values[places], -most)[-most]
        places = places[values[places] >= least]
    return places[np.argsort(-values[places], kind="stable")][:most]
