"""Exact rank tests of memorization: are held-out values lower than expected by chance?

Under the null hypothesis training on a record leaves its log-likelihood as it was. Within a stratum
(a repeat of cross-validation, or all fits of a probe plan) its values are then exchangeable, and
those held out are a random subset: the stratified Wilcoxon test (van Elteren 1960, unweighted). In
pairs of fits with the same seeds, the sign of each difference is a fair coin: the signed-rank test
(Wilcoxon 1945), in which a difference of zero keeps its rank and adds nothing (Pratt 1959).

Null distributions are counted, not simulated. A distribution is an array: entry s is the
probability that the sum of ranks exceeds its least attainable value by s. Mid-ranks are doubled to
keep them integers. Ties are handled by the permutation distribution of the mid-ranks themselves.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from byrote.stats.ranks import midranks
from byrote.stats.rows import groups

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ranks = NDArray[np.int64]
Stratum = tuple[Array, Array]  # values when trained on (m, a) and when held out (m, b)
Shapes = Sequence[tuple[int, int]]  # (a, b) of each stratum

# Sizes of one stratum, and numbers of pairs, up to which the null is counted. Beyond the first of
# each, ties are broken against the alternative, which keeps the test valid; beyond the second, a
# normal approximation of the untied null is used, whose tails are the heavier ones. A stratum with
# one value on a side (K-fold) is counted at any size.
LARGEST_TIED, LARGEST_UNTIED = 40, 500
MOST_TIED_PAIRS, MOST_UNTIED_PAIRS = 60, 600
_TINY = float(np.finfo(float).tiny)


def rank_sum_test(strata: Sequence[Stratum]) -> tuple[Array, bool]:
    """Compute one-sided p-values of records whose strata have the same shapes.

    Parameters
    ----------
    strata
        For each stratum the values with the record in training, (m, a), and held out, (m, b); no
        NaN; -inf allowed. Strata with an empty side are ignored.

    Returns
    -------
    p_values
        (m,) probability, under exchangeability within strata, of a sum of held-out mid-ranks as low
        as the observed one. NaN where no stratum has both sides.
    exact
        Whether all of them are exact.

    Examples
    --------
    The held-out value is the lowest of four in both of two repeats: p = 1/16.

    >>> inside, outside = np.array([[3.0, 4.0, 5.0]]), np.array([[1.0]])
    >>> p, exact = rank_sum_test([(inside, outside), (inside, outside)])
    >>> p.tolist(), exact
    ([0.0625], True)
    """
    informative = [(i, o) for i, o in strata if i.shape[1] and o.shape[1]]
    if not informative:
        return np.full(len(strata[0][0]), np.nan), True
    shapes = [(i.shape[1], o.shape[1]) for i, o in informative]
    together = [np.concatenate([o, i], axis=1) for i, o in informative]
    tied = np.logical_or.reduce([_has_ties(values) for values in together])
    p, exact = np.empty(len(tied)), True
    if not tied.all():
        rows = slice(None) if not tied.any() else ~tied
        places = [
            _held_out_places(values[rows], b)
            for values, (_, b) in zip(together, shapes, strict=True)
        ]
        least = sum(b * (b - 1) // 2 for _, b in shapes)
        p[~tied], exact = _untied_rank_sum(2 * (sum(places) - least), shapes)
    if tied.any():
        with_ties = [np.rint(2 * midranks(v[tied])).astype(np.int64) for v in together]
        if _is_countable(shapes, LARGEST_TIED):
            p[tied] = _tied_rank_sum(with_ties, shapes)
        else:
            last = [np.broadcast_to(np.arange(a + b) < b, (tied.sum(), a + b)) for a, b in shapes]
            broken = [2 * _ranks_with(*pair) for pair in zip(with_ties, last, strict=True)]
            least = sum(b * (b + 1) for _, b in shapes)
            p[tied], counted = _untied_rank_sum(_held_out_sums(broken, shapes) - least, shapes)
            exact = exact and counted
    return p, exact


def signed_rank_test(inside: Array, outside: Array) -> tuple[Array, bool]:
    """Compute one-sided p-values of m records in P pairs of fits.

    Parameters
    ----------
    inside, outside
        (m, P) values of each record in the fit of each pair that trained on it, and in the one that
        did not; no NaN; -inf allowed (two of them differ by zero).

    Returns
    -------
    p_values
        (m,) probability, over fair coins for the signs, of a sum of the mid-ranks of positive
        differences as high as the observed one; at least 2^-P.
    exact
        Whether all of them are exact.

    Examples
    --------
    All three differences are positive: p = 1/8. With the smallest one negative, p = 2/8.

    >>> p, exact = signed_rank_test(np.array([[3.0, 5, 9], [-1.0, 5, 9]]), np.zeros((2, 3)))
    >>> p.tolist(), exact
    ([0.125, 0.25], True)
    """
    differ = inside != outside  # the difference of two infinities is zero here
    difference = np.subtract(inside, outside, out=np.zeros(inside.shape), where=differ)
    size, positive = np.abs(difference), difference > 0
    pairs = size.shape[1]
    ranks = np.rint(2 * midranks(size)).astype(np.int64)
    tied = (np.sort(ranks, axis=1) != 2 * np.arange(1, pairs + 1)).any(axis=1) | ~differ.all(axis=1)
    if pairs > MOST_TIED_PAIRS:
        ranks[tied] = 2 * _ranks_with(size[tied], ~positive[tied])
        tied = np.zeros_like(tied)
    # The null is symmetric: a high sum of positive ranks is a low sum of the others.
    others = np.where(positive, 0, ranks)
    p, exact = np.empty(len(ranks)), pairs <= MOST_UNTIED_PAIRS
    p[~tied] = _untied_signed_rank(others[~tied].sum(axis=1) // 2, pairs)
    if tied.any():
        counted = np.where(differ, ranks, 0)[tied]
        sums = np.where(differ, others, 0)[tied].sum(axis=1)
        for rows, pattern in _by_pattern(np.sort(counted, axis=1)):
            null = _signed_rank_null(tuple(pattern[pattern > 0].tolist()))
            p[np.flatnonzero(tied)[rows]] = lower_tail(null)[sums[rows]]
    return p, exact


def smallest_p(shapes: Shapes) -> float:
    """Compute the smallest p-value of strata of these shapes: every held-out value lowest."""
    arrangements = math.prod(math.comb(a + b, b) for a, b in shapes)
    return max(float(Fraction(1, arrangements)), _TINY)


@lru_cache(maxsize=256)
def untied_null(a: int, b: int) -> Array:
    """Compute the null distribution of the sum of ``b`` doubled ranks of ``a + b`` values.

    The number of ways to reach each Mann-Whitney count is a coefficient of the Gaussian binomial
    ``prod_{i=1..b} (1 - q^(a+i)) / (1 - q^i)``; only the lower half is built, where every step adds
    and the subtraction removes little, and the upper half is its mirror image.
    """
    a, b = max(a, b), min(a, b)
    half = a * b // 2 + 1
    ways = np.zeros(half)
    ways[0] = 1.0
    for i in range(1, b + 1):
        if a + i < half:
            ways[a + i :] -= ways[: half - a - i].copy()
        padded = np.zeros(-(-half // i) * i)
        padded[:half] = ways
        ways = np.cumsum(padded.reshape(-1, i), axis=0).reshape(-1)[:half]
        ways /= ways.max()  # the counts themselves overflow beyond a thousand values
    counts = np.concatenate([ways, ways[: a * b + 1 - half][::-1]])
    doubled = np.zeros(2 * len(counts) - 1)
    doubled[::2] = counts / counts.sum()
    return doubled


@lru_cache(maxsize=4096)
def tied_null(ranks: tuple[int, ...], b: int) -> Array:
    """Compute the null distribution of the sum of ``b`` of these sorted doubled mid-ranks."""
    if 2 * b > len(ranks):  # the rest is smaller, and its sum is the complement
        return tied_null(ranks, len(ranks) - b)[::-1]
    largest = sum(ranks[-b:])
    ways = np.zeros((b + 1, largest + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : largest + 1 - rank].copy()
    counts = ways[b, sum(ranks[:b]) :]
    return np.asarray(counts / counts.sum())


@lru_cache(maxsize=64)
def _signed_rank_null(ranks: tuple[int, ...]) -> Array:
    """Compute the null distribution of the sum of a random half of the ranks."""
    distribution = np.zeros(sum(ranks) + 1)
    distribution[0] = 1.0
    length = 1
    for rank in ranks:
        distribution[:length] /= 2
        length += rank
        distribution[rank:length] += distribution[: length - rank].copy()
    return distribution


def convolved(distributions: list[Array]) -> Array:
    """Compute the distribution of the sum over independent strata."""
    total = np.ones(1)
    for distribution in sorted(distributions, key=len):
        total = np.convolve(total, distribution)
    return total


def lower_tail(distribution: Array) -> Array:
    """Compute P(sum <= s) for every s, never 0 and never above 1."""
    return np.clip(np.cumsum(distribution), _TINY, 1.0)


def _has_ties(values: Array) -> Flags:
    ordered = np.sort(values, axis=1)
    return np.asarray((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))


def _held_out_places(values: Array, b: int) -> Ranks:
    """Sum the places, from 0, of the first b values of each row, (m, n), in its order; no ties."""
    held_out = np.argsort(values, axis=1) < b
    return (held_out.astype(np.float64) @ np.arange(values.shape[1])).astype(np.int64)


def _is_countable(shapes: Shapes, largest: int) -> bool:
    return all(a + b <= largest or min(a, b) == 1 for a, b in shapes)


def _held_out_sums(ranks: Sequence[Ranks], shapes: Shapes) -> Ranks:
    sums = (r[:, :b].sum(axis=1) for r, (_, b) in zip(ranks, shapes, strict=True))
    return np.asarray(sum(sums), dtype=np.int64)


def _untied_rank_sum(sums: Ranks, shapes: Shapes) -> tuple[Array, bool]:
    """Compute p-values from sums of untied doubled ranks less the least, and whether exact."""
    if not _is_countable(shapes, LARGEST_UNTIED):
        mean = sum(a * b for a, b in shapes)
        variance = sum(a * b * (a + b + 1) / 3 for a, b in shapes)  # of doubled ranks
        return np.clip(ndtr((sums - mean + 1) / np.sqrt(variance)), _TINY, 1), False
    distribution = convolved([untied_null(a, b) for a, b in shapes])
    return np.asarray(lower_tail(distribution)[sums]), True


def _tied_rank_sum(ranks: Sequence[Ranks], shapes: Shapes) -> Array:
    sums = _held_out_sums(ranks, shapes)
    p = np.empty(len(sums))
    cuts = np.cumsum([r.shape[1] for r in ranks])[:-1]
    for rows, whole in _by_pattern(np.concatenate([np.sort(r, axis=1) for r in ranks], axis=1)):
        patterns = [tuple(part.tolist()) for part in np.split(whole, cuts)]
        strata = [(pattern, b) for pattern, (_, b) in zip(patterns, shapes, strict=True)]
        distribution = convolved([tied_null(*stratum) for stratum in strata])
        least = sum(sum(pattern[:b]) for pattern, b in strata)
        p[rows] = lower_tail(distribution)[sums[rows] - least]
    return p


def _untied_signed_rank(sums: Ranks, pairs: int) -> Array:
    if pairs <= MOST_UNTIED_PAIRS:
        return lower_tail(_signed_rank_null(tuple(range(1, pairs + 1))))[sums]
    mean = pairs * (pairs + 1) / 4
    variance = mean * (2 * pairs + 1) / 6
    return np.clip(ndtr((sums - mean + 0.5) / np.sqrt(variance)), _TINY, 1.0)


def _ranks_with(values: NDArray[np.generic], last: Flags) -> Ranks:
    """Rank rows without ties: of equal values, those marked ``last`` have the higher ranks."""
    order = np.lexsort((last, values), axis=1)
    ranks = np.empty(values.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(1, values.shape[1] + 1)[None, :], axis=1)
    return ranks


def _by_pattern(ranks: Ranks) -> Iterator[tuple[NDArray[np.intp], Ranks]]:
    """Group records by their pattern of ties, which determines the null distribution."""
    patterns, which = np.unique(ranks, axis=0, return_inverse=True)
    yield from zip(groups(which), patterns, strict=True)
