"""Exact sign-flip test for pairs: are held-out values lower than those of the twin fits?

Two fits of a pair share their seeds, and a record is in the one and out of the other by the toss of
a coin. Under the null hypothesis training on a record leaves its log-likelihood as it was, so the
sign of each difference (in minus out) is that coin. The statistic is the sum of the mid-ranks of
the absolute differences that are positive (Wilcoxon 1945), one-sided; a difference of zero keeps
its rank and adds nothing (Pratt 1959). Given the absolute differences, its null distribution is
counted: every pattern of signs is equally likely.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from byrote.stats.null_ranks import lower_tail

Array = NDArray[np.float64]
Ranks = NDArray[np.int64]

# Numbers of pairs up to which the null is counted. Beyond the first, ties are broken against the
# finding (a difference that does not speak for it ranks above those of equal size), which keeps the
# test valid; beyond the second, a normal approximation serves, whose tails are the heavier ones.
LARGEST_TIED = 60
LARGEST_UNTIED = 600


def held_out_low(inside: Array, outside: Array) -> tuple[Array, bool]:
    """One-sided p-values of m records in P pairs of fits.

    Parameters
    ----------
    inside, outside
        (m, P) values of each record in the fit of each pair that trained on it, and in the one that
        did not; no NaN; -inf allowed (two of them differ by zero).

    Returns
    -------
    (m,) probability, over fair coins for the signs, of a sum as high as the observed one; at least
    2^-P. And whether all of them are exact.

    Examples
    --------
    All three differences are positive: p = 1/8. With the smallest one negative, p = 2/8.

    >>> p, exact = held_out_low(np.array([[3.0, 5.0, 9.0], [-1.0, 5.0, 9.0]]), np.zeros((2, 3)))
    >>> p.tolist(), exact
    ([0.125, 0.25], True)
    """
    differ = inside != outside  # the difference of two infinities is zero here
    difference = np.subtract(inside, outside, out=np.zeros(inside.shape), where=differ)
    size = np.abs(difference)
    pairs = size.shape[1]
    ranks = np.rint(2 * rankdata(size, axis=1)).astype(np.int64)
    positive = difference > 0
    tied = (np.sort(ranks, axis=1) != 2 * np.arange(1, pairs + 1)).any(axis=1) | ~differ.all(axis=1)
    if pairs > LARGEST_TIED:
        ranks[tied], tied = _against(size[tied], positive[tied]), np.zeros_like(tied)
    lost = np.where(positive, 0, ranks)
    p, exact = np.empty(len(ranks)), pairs <= LARGEST_UNTIED
    p[~tied] = _untied_p(lost[~tied].sum(axis=1) // 2, pairs)
    if tied.any():
        p[tied] = _tied_p(ranks[tied], lost[tied], differ[tied])
    return p, exact


def _untied_p(lost: Ranks, pairs: int) -> Array:
    # The null is symmetric: a high sum of positive ranks is a low sum of the others.
    if pairs <= LARGEST_UNTIED:
        return lower_tail(_null(tuple(range(1, pairs + 1))))[lost]
    mean = pairs * (pairs + 1) / 4
    variance = mean * (2 * pairs + 1) / 6
    return np.clip(ndtr((lost - mean + 0.5) / np.sqrt(variance)), np.finfo(float).tiny, 1.0)


def _tied_p(ranks: Ranks, lost: Ranks, differ: NDArray[np.bool_]) -> Array:
    """p-values record by record, over the signs of the differences that are not zero."""
    counted = np.where(differ, ranks, 0)
    sums = np.where(differ, lost, 0).sum(axis=1)
    patterns, which = np.unique(np.sort(counted, axis=1), axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    alike = np.split(order, np.cumsum(np.bincount(which))[:-1])
    p = np.empty(len(sums))
    for rows, pattern in zip(alike, patterns, strict=True):
        p[rows] = lower_tail(_null(tuple(pattern[pattern > 0].tolist())))[sums[rows]]
    return p


@lru_cache(maxsize=64)
def _null(ranks: tuple[int, ...]) -> Array:
    """Distribution of the sum of a random half of the ranks: entry s is P(sum = s)."""
    distribution = np.zeros(sum(ranks) + 1)
    distribution[0] = 1.0
    reach = 1
    for rank in ranks:
        distribution[:reach] /= 2
        reach += rank
        distribution[rank:reach] += distribution[: reach - rank].copy()
    return distribution


def _against(size: Array, positive: NDArray[np.bool_]) -> Ranks:
    """Untied doubled ranks in which a positive difference comes before others of its size."""
    order = np.lexsort((~positive, size), axis=1)
    ranks = np.empty(size.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, 2 * np.arange(1, size.shape[1] + 1)[None, :], axis=1)
    return ranks
