"""Jackknife and permutation of blocks, for the mean of a ratio of nearest distances.

The records share one validation set and one sample set, so their ratios are dependent, and the
spread over records says little about the error of the mean. Both sets are cut into the same number
of random blocks of the same sizes, which are left out one at a time, or swapped.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from byrote.stats.estimate import student_interval
from byrote.stats.standard_errors import jackknife_error, welch

Array = NDArray[np.float64]


def block_jackknife_interval(
    numerator: Array, denominator: Array, *, level: float = 0.95
) -> tuple[float, float]:
    """Compute Student's interval of the mean over records of ``min(numerator) / min(denominator)``.

    The variances of leaving out a block of each set are added, with Welch and Satterthwaite's
    degrees of freedom. The interval is over other samples of both sets, the records fixed. NaN with
    fewer than two blocks.

    Parameters
    ----------
    numerator, denominator
        (G, n) distance from each record to the nearest member of each block of the one set and of
        the other. Positive.

    Examples
    --------
    >>> distances = np.array([[2.0], [3.0], [2.2]]), np.array([[1.0], [1.2], [2]])
    >>> low, high = block_jackknife_interval(*distances)
    >>> low < 2 < high
    True
    """
    top, bottom = numerator.min(axis=0), denominator.min(axis=0)
    mean = float((top / bottom).mean())
    replicates = (
        np.array([(without / bottom).mean() for without in _without_each(numerator)]),
        np.array([(top / without).mean() for without in _without_each(denominator)]),
    )
    errors = [jackknife_error(r) for r in replicates]
    error, degrees = welch(errors, [len(numerator) - 1] * 2)
    low, high = student_interval(mean, error, degrees, level).tolist()
    return low, high


def swapped_means(numerator: Array, denominator: Array) -> Array:
    """Compute the mean ratio for each of the 2^G ways to swap paired blocks, observed first.

    Distances are those of ``block_jackknife_interval``; blocks of the same row have the same size.
    If both sets come from one distribution, the observed mean is a random choice among all (2^G,).

    Examples
    --------
    >>> swapped_means(np.array([[2.0]]), np.array([[1.0]])).tolist()
    [2.0, 0.5]
    """
    infinite = np.full(numerator.shape[1], np.inf)
    return np.array(list(_swapped(infinite, infinite, numerator, denominator)))


def _swapped(top: Array, bottom: Array, numerator: Array, denominator: Array) -> Iterator[float]:
    """Swap blocks depth first, so that arrangements with the same beginning share its minima."""
    if len(numerator) == 0:
        yield float((top / bottom).mean())
        return
    pair = numerator[0], denominator[0]
    for first, second in (pair, pair[::-1]):
        minima = np.minimum(top, first), np.minimum(bottom, second)
        yield from _swapped(*minima, numerator[1:], denominator[1:])


def _without_each(blocks: Array) -> Iterator[Array]:
    """Yield the minimum over all blocks, leaving out each in turn."""
    if len(blocks) < 2:
        return
    for left_out in range(len(blocks)):
        yield np.delete(blocks, left_out, axis=0).min(axis=0)
