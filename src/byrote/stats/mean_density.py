"""Lower bounds on pure epsilon-DP from mean densities with and without a record, by betting.

Pure epsilon-DP bounds the expectation of every non-negative function of a fit:
``E[g(p_in)] <= e^epsilon E[g(p_out)]`` for ``g(p) = min(p / c, 1)``, the density up to a scale. So
a gambler who holds 1 and stakes it on the values of pairs of fits, one in (x) and one out (y),

    e = prod_j (1 + e^-epsilon x_j - y_j),

gains nothing on average if epsilon is true, whatever the densities are: few values, heavy tails,
zeros, a factor common to all records of a fit. By Markov's inequality e reaches 1/significance with
probability at most significance (Waudby-Smith & Ramdas 2024). So does the mean of the records' e,
under any dependence (Vovk & Wang 2021).

Without a scale no number of fits bounds the mean density: a density a million times as large may
turn up in one fit of a million. The scale comes from earlier fits alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.stats import rows, two_sides
from byrote.stats.memorization import difference, logmeanexp
from byrote.stats.threads import for_each

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]
_TOGETHER = 16  # blocks of records whose bounds are searched for at once
_FACTORS = 16  # multiplied before their logarithm is taken: too few for underflow


@dataclass(frozen=True)
class Stakes:
    """Mean densities in and out by pair of blocks, (P, n), in units of a scale, at most 1.

    pairs: (n,) pairs of each record, the first of which only sets the scale.
    """

    inside: Array
    outside: Array
    pairs: Counts


def log_ratio(log_prob: Array, included: Flags) -> Array:
    """Compute the log ratio of mean densities, in over out, (n,); NaN if a side has no values."""
    ratio = np.full(log_prob.shape[1], np.nan)
    for columns in two_sides.alike(*two_sides.counts(log_prob, included)):
        inside, outside = _cut(log_prob[:, columns], included[:, columns])
        if len(inside) and len(outside):
            ratio[columns] = difference(logmeanexp(inside.T), logmeanexp(outside.T))
    return ratio


def _cut(log_prob: Array, included: Flags) -> tuple[Array, Array]:
    """Cut out the values in and out of training, (a, m) and (b, m)."""
    scored = ~np.isnan(log_prob)
    return two_sides.cut(log_prob, scored & included), two_sides.cut(log_prob, scored & ~included)


def stakes(log_prob: Array, included: Flags) -> Stakes:
    """Compute stakes, (F, n) -> (P, n), with P the largest number of fits on a smaller side.

    Each side's values, in the order of the fits, are cut into as many blocks as the smaller side
    has values, and each block averaged: in K-fold the blocks are the repeats. The scale of pairs
    2^k to 2^(k + 1) - 1, counted from 0, is the median of the values in training before them.
    """
    counts = two_sides.counts(log_prob, included)
    pairs = np.minimum(*counts)
    stakes = np.zeros((2, int(pairs.max(initial=0)), len(pairs)))
    for columns in two_sides.alike(*counts):
        number = int(pairs[columns[0]])
        stakes[:, :number, columns] = _alike(log_prob[:, columns], included[:, columns], number)
    return Stakes(stakes[0], stakes[1], pairs)


def _alike(log_prob: Array, included: Flags, pairs: int) -> Array:
    """Compute stakes of m records with equally many values on each side, (2, pairs, m)."""
    if not pairs:
        return np.zeros((2, 0, log_prob.shape[1]))
    sides = _cut(log_prob, included)
    scale = _scales(sides[0], pairs)
    return np.stack([_stakes(side, scale) for side in sides])


def _scales(inside: Array, pairs: int) -> Array:
    """Compute the scale of each pair, (pairs, m), from values in training, (a, m), before it.

    Infinite where there is none: nothing is staked beside it.
    """
    scale = np.full((pairs, inside.shape[1]), np.inf)
    block, start = _blocks(len(inside), pairs), 1
    while start < pairs:
        earlier = np.sort(inside[block < start], axis=0)
        scale[start : 2 * start] = earlier[len(earlier) // 2]  # the upper median
        start *= 2
    scale[np.isneginf(scale)] = np.inf
    return scale


def _stakes(values: Array, scale: Array) -> Array:
    """Average ``min(p / scale, 1)`` over blocks, (a, m) -> (pairs, m); 0 without a scale."""
    block = _blocks(len(values), len(scale))
    total = np.zeros(scale.shape)
    for value, place in zip(values, block.tolist(), strict=True):
        excess = value - scale[place]
        np.minimum(excess, 0.0, out=excess)
        total[place] += np.exp(excess, out=excess)
    return total / np.bincount(block)[:, None]


def _blocks(size: int, pairs: int) -> Counts:
    """Number the block, of as many as there are pairs, that each of a side's values belongs to."""
    return np.arange(size) * pairs // size


def log_e_value(stakes: Stakes, epsilon: float | Array) -> Array:
    """Compute the log of the gambler's final capital under epsilon, one or (n,), (n,)."""
    total, share = np.zeros(len(stakes.pairs)), np.exp(-epsilon)
    capital = np.ones(len(total))
    with np.errstate(divide="ignore"):
        for pair, (inside, outside) in enumerate(zip(stakes.inside, stakes.outside, strict=True)):
            capital *= 1 + share * inside - outside
            if not (pair + 1) % _FACTORS:
                total += np.log(capital)
                capital[:] = 1.0
        return np.asarray(total + np.log(capital))


def lower_bounds(
    log_prob: Array, included: Flags, significance: float
) -> tuple[Array, float, Counts]:
    """Compute the bounds of each record alone, (n,), and of all together, (F, n) each.

    And each record's number of pairs, (n,).

    Stakes are computed some records at a time, and kept only where all together prove something.
    """
    counts = two_sides.counts(log_prob, included)
    pairs, blocks = np.minimum(*counts), [*two_sides.alike(*counts)]
    log_e, alone = np.zeros((2, len(pairs)))

    def of_blocks(some: slice) -> None:
        positive = []
        for columns in blocks[some]:
            bets = _alike(log_prob[:, columns], included[:, columns], int(pairs[columns[0]]))
            log_e[columns] = log_e_value(Stakes(bets[0], bets[1], pairs[columns]), 0.0)
            proves = log_e[columns] + np.log(significance) > 0
            positive.append((columns[proves], bets[:, :, proves]))
        columns = np.concatenate([each for each, _ in positive])
        bets, stop = np.zeros((2, max(len(each[0]) for _, each in positive), len(columns))), 0
        for places, each in positive:
            start, stop = stop, stop + len(places)
            bets[:, : len(each[0]), start:stop] = each
        alone[columns] = bounds(Stakes(bets[0], bets[1], pairs[columns]), significance)

    for_each(of_blocks, rows.blocks(len(blocks), _TOGETHER), size=log_prob.size)
    proven = len(pairs) and logmeanexp(log_e) + np.log(significance) > 0
    together = bound(stakes(log_prob, included), significance) if proven else 0.0
    return alone, together, pairs


def bound(stakes: Stakes, significance: float) -> float:
    """Compute the largest epsilon that all records together reject at the significance, or 0."""
    return _root(lambda epsilon: log_e_value(stakes, epsilon), significance)


def bounds(stakes: Stakes, significance: float) -> Array:
    """Compute the largest epsilon that each record alone rejects, (n,); all of them reject 0."""
    different, which = np.unique(stakes.pairs, return_inverse=True)
    low = np.zeros(len(stakes.pairs))
    high = np.array([largest_provable(pairs, significance) for pairs in different])[which]
    for _ in range(48 if len(low) else 0):
        middle = (low + high) / 2
        rejected = log_e_value(stakes, middle) + np.log(significance) > 0
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    return low


def largest_provable(pairs: Counts, significance: float) -> float:
    """Compute the bound from these numbers of pairs if every held-out density were zero.

    Examples
    --------
    >>> round(largest_provable(np.array([6]), 0.05), 4)  # (1 + e^-epsilon)^5 = 20
    0.1978
    >>> largest_provable(np.array([5]), 0.05)
    0.0
    """
    bets, records = np.unique(np.maximum(np.atleast_1d(pairs), 1) - 1, return_counts=True)
    weight = np.log(records / records.mean())
    return _root(lambda epsilon: bets * np.log1p(np.exp(-epsilon)) + weight, significance)


def _root(log_e: Callable[[float], Array], significance: float) -> float:
    """Find where the mean of decreasing e-values equals 1 / significance; 0 if it never does."""

    def excess(epsilon: float) -> float:
        values = log_e(epsilon)
        return float(logmeanexp(values) + np.log(significance)) if len(values) else -1.0

    if excess(0.0) <= 0:
        return 0.0
    from scipy.optimize import brentq  # noqa: PLC0415 (slow to load)

    top = 1.0
    while excess(top) > 0:
        top *= 2
    return float(brentq(excess, 0.0, top, xtol=1e-12))
