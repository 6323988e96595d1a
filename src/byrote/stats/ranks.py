"""Exact randomization test: are the held-out values lower than chance allows?

Under the null hypothesis training on a record leaves its log-likelihood as it was, so within a
stratum (a repeat of cross-validation, or all fits of a probe plan) the values are exchangeable and
the held-out ones are a random choice among them. The statistic is the sum over strata of the
held-out values' mid-ranks: the stratified Wilcoxon test (van Elteren 1960, unweighted), one-sided.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from byrote.stats import null_ranks

Array = NDArray[np.float64]
Stratum = tuple[Array, Array]  # values when trained on (m, a) and when held out (m, b)
Shapes = Sequence[tuple[int, int]]  # (a, b) of each stratum
Sums = NDArray[np.int64]  # (m,) sum over strata of the held-out values' doubled mid-ranks
Ranks = Sequence[NDArray[np.int64]]  # doubled mid-ranks of each stratum, (m, b + a)

# Sizes of one stratum up to which the null is counted. Beyond the first, ties are broken against
# the finding (a held-out value ranks above those it equals), which keeps the test valid; beyond the
# second, a normal approximation of the untied null is used, whose tails are the heavier ones. One
# value on a side (K-fold) is counted at any size.
LARGEST_TIED = 40
LARGEST_UNTIED = 500


def held_out_low(strata: Sequence[Stratum]) -> tuple[Array, bool]:
    """One-sided p-values of records whose strata have the same shapes.

    Parameters
    ----------
    strata
        For each stratum the values with the record in training, (m, a), and held out, (m, b); no
        NaN; -inf allowed. Strata with an empty side say nothing and are passed over.

    Returns
    -------
    (m,) probability, under exchangeability within strata, of a sum of held-out mid-ranks as low as
    the observed one. Ties are handled by the permutation distribution of the mid-ranks themselves.
    NaN where no stratum has both sides. And whether all of them are exact.

    Examples
    --------
    The held-out value is the lowest of four in both of two repeats: p = 1/16.

    >>> inside, outside = np.array([[3.0, 4.0, 5.0]]), np.array([[1.0]])
    >>> p, exact = held_out_low([(inside, outside), (inside, outside)])
    >>> p.tolist(), exact
    ([0.0625], True)
    """
    informative = [(i, o) for i, o in strata if i.shape[1] and o.shape[1]]
    if not informative:
        return np.full(len(strata[0][0]), np.nan), True
    shapes = [(i.shape[1], o.shape[1]) for i, o in informative]
    ranks = [_doubled_ranks(np.concatenate([o, i], axis=1)) for i, o in informative]
    tied = np.logical_or.reduce([_has_ties(r) for r in ranks])
    p, exact = np.empty(len(tied)), True
    if not tied.all():
        p[~tied], exact = _untied_p([r[~tied] for r in ranks], shapes)
    if tied.any():
        some = [r[tied] for r in ranks]
        if _is_countable(shapes, LARGEST_TIED):
            p[tied] = _tied_p(some, shapes)
        else:
            broken = [_against(r, b) for r, (_, b) in zip(some, shapes, strict=True)]
            p[tied], exact_too = _untied_p(broken, shapes)
            exact = exact and exact_too
    return p, exact


def smallest_p(shapes: Shapes) -> float:
    """The smallest p-value that strata of these shapes can give: every held-out value lowest."""
    arrangements = math.prod(math.comb(a + b, b) for a, b in shapes)
    return max(float(Fraction(1, arrangements)), float(np.finfo(float).tiny))


def _doubled_ranks(values: Array) -> NDArray[np.int64]:
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    ranks = np.empty(values.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, 2 * np.arange(1, values.shape[1] + 1)[None, :], axis=1)
    repeated = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if repeated.any():
        ranks[repeated] = np.rint(2 * rankdata(values[repeated], axis=1)).astype(np.int64)
    return ranks


def _has_ties(ranks: NDArray[np.int64]) -> NDArray[np.bool_]:
    # Different values have the ranks 2, 4, …; the sum of squares is largest without ties.
    n = ranks.shape[1]
    return np.asarray((ranks**2).sum(axis=1) != 4 * n * (n + 1) * (2 * n + 1) // 6)


def _is_countable(shapes: Shapes, largest: int) -> bool:
    return all(a + b <= largest or min(a, b) == 1 for a, b in shapes)


def _sums(ranks: Ranks, shapes: Shapes) -> Sums:
    held_out = (r[:, :b].sum(axis=1) for r, (_, b) in zip(ranks, shapes, strict=True))
    return np.asarray(sum(held_out), dtype=np.int64)


def _untied_p(ranks: Ranks, shapes: Shapes) -> tuple[Array, bool]:
    """p-values from untied ranks, and whether they are exact."""
    sums = _sums(ranks, shapes)
    if not _is_countable(shapes, LARGEST_UNTIED):
        mean = sum(b * (a + b + 1) for a, b in shapes)
        variance = sum(a * b * (a + b + 1) / 3 for a, b in shapes)  # of doubled ranks
        return np.clip(ndtr((sums - mean + 1) / np.sqrt(variance)), np.finfo(float).tiny, 1), False
    distribution = null_ranks.convolved([null_ranks.untied(a, b) for a, b in shapes])
    least = sum(b * (b + 1) for _, b in shapes)
    return np.asarray(null_ranks.lower_tail(distribution)[sums - least]), True


def _tied_p(ranks: Ranks, shapes: Shapes) -> Array:
    sums = _sums(ranks, shapes)
    p = np.empty(len(sums))
    for rows, patterns in _same_pattern([np.sort(r, axis=1) for r in ranks]):
        marked = [(pattern, b) for pattern, (_, b) in zip(patterns, shapes, strict=True)]
        distribution = null_ranks.convolved([null_ranks.tied(*stratum) for stratum in marked])
        least = sum(sum(pattern[:b]) for pattern, b in marked)
        p[rows] = null_ranks.lower_tail(distribution)[sums[rows] - least]
    return p


def _against(ranks: NDArray[np.int64], held_out: int) -> NDArray[np.int64]:
    """Untied doubled ranks in which a held-out value comes after the values that it equals."""
    last = np.arange(ranks.shape[1]) < held_out
    order = np.lexsort((np.broadcast_to(last, ranks.shape), ranks), axis=1)
    broken = np.empty_like(ranks)
    np.put_along_axis(broken, order, 2 * np.arange(1, ranks.shape[1] + 1)[None, :], axis=1)
    return broken


def _same_pattern(
    ranks: Ranks,
) -> Iterator[tuple[NDArray[np.intp], list[tuple[int, ...]]]]:
    """Records grouped by their pattern of ties, which decides the null distribution."""
    cuts = np.cumsum([r.shape[1] for r in ranks])[:-1]
    patterns, which = np.unique(np.concatenate(ranks, axis=1), axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(which))[:-1])
    for pattern, rows in zip(patterns, groups, strict=True):
        yield rows, [tuple(part.tolist()) for part in np.split(pattern, cuts)]
