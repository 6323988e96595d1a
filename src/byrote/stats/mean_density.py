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

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from byrote.stats.memorization import logmeanexp
from byrote.stats.rows import blocks

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]
_BLOCK = 1 << 20  # values computed on at a time


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
    ratio = np.empty(log_prob.shape[1])
    for block in _record_blocks(log_prob):
        inside, outside = (
            _log_mean(log_prob[:, block], included[:, block] == side) for side in (True, False)
        )
        with np.errstate(invalid="ignore"):  # of densities of zero on both sides
            ratio[block] = inside - outside
    return ratio


def _log_mean(log_prob: Array, side: Flags) -> Array:
    side = side & ~np.isnan(log_prob)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = logmeanexp(np.where(side, log_prob, -np.inf).T) + np.log(len(log_prob))
        return np.where(side.any(axis=0), total - np.log(side.sum(axis=0)), np.nan)


def stakes(log_prob: Array, included: Flags) -> Stakes:
    """Compute stakes, (F, n) -> (P, n), with P the largest number of fits on a smaller side.

    Each side's values, in the order of the fits, are cut into as many blocks as the smaller side
    has values, and each block averaged: in K-fold the blocks are the repeats. The scale of pairs
    2^k to 2^(k + 1) - 1, counted from 0, is the median of the values in training before them.
    """
    scored = ~np.isnan(log_prob)
    count = np.minimum((scored & included).sum(axis=0), (scored & ~included).sum(axis=0))
    inside, outside = np.zeros((2, int(count.max(initial=0)), len(count)))
    for block in _record_blocks(log_prob):
        sides = _stakes(log_prob[:, block], included[:, block], scored[:, block], count[block])
        pairs = len(sides[0])
        inside[:pairs, block], outside[:pairs, block] = sides
    return Stakes(inside, outside, count)


def _record_blocks(log_prob: Array) -> Iterator[slice]:
    return blocks(log_prob.shape[1], max(1, _BLOCK // max(1, len(log_prob))))


def _stakes(log_prob: Array, included: Flags, scored: Flags, count: Counts) -> tuple[Array, Array]:
    inside, outside = scored & included, scored & ~included
    pairs = int(count.max(initial=0))
    blocks = _blocks(inside, count), _blocks(outside, count)
    scale = np.full((pairs, len(count)), -np.inf)
    start = 1
    while start < pairs:
        earlier = np.where(inside & (blocks[0] < start), log_prob, np.nan)
        scale[start : 2 * start] = _upper_median(earlier)
        start *= 2
    return (
        _scaled(log_prob, inside, blocks[0], scale),
        _scaled(log_prob, outside, blocks[1], scale),
    )


def log_e_value(stakes: Stakes, epsilon: float | Array) -> Array:
    """Compute the log of the gambler's final capital under epsilon, one or (n,), (n,)."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(np.exp(-epsilon) * stakes.inside - stakes.outside).sum(axis=0))


def bound(stakes: Stakes, significance: float) -> float:
    """Compute the largest epsilon that all records together reject at the significance, or 0."""
    return _root(lambda epsilon: log_e_value(stakes, epsilon), significance)


def bounds(stakes: Stakes, significance: float) -> Array:
    """Compute the largest epsilon that each record alone rejects at the significance, (n,)."""
    epsilon = np.zeros(len(stakes.pairs))
    positive = np.flatnonzero(log_e_value(stakes, 0.0) + np.log(significance) > 0)
    bets = Stakes(stakes.inside[:, positive], stakes.outside[:, positive], stakes.pairs[positive])
    largest = largest_provable(bets.pairs.max(initial=0), significance)
    low, high = np.zeros(len(positive)), np.full(len(positive), largest)
    for _ in range(48):
        middle = (low + high) / 2
        rejected = log_e_value(bets, middle) + np.log(significance) > 0
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    epsilon[positive] = low
    return epsilon


def largest_provable(pairs: Counts, significance: float) -> float:
    """Compute the bound from these numbers of pairs if every held-out density were zero.

    Examples
    --------
    >>> round(largest_provable(np.array([6]), 0.05), 4)  # (1 + e^-epsilon)^5 = 20
    0.1978
    >>> largest_provable(np.array([5]), 0.05)
    0.0
    """
    bets = np.maximum(np.atleast_1d(pairs), 1) - 1
    return _root(lambda epsilon: bets * np.log1p(np.exp(-epsilon)), significance)


def _root(log_e: Callable[[float], Array], significance: float) -> float:
    """Find where the mean of decreasing e-values equals 1 / significance; 0 if it never does."""

    def excess(epsilon: float) -> float:
        values = log_e(epsilon)
        return float(logmeanexp(values) + np.log(significance)) if len(values) else -1.0

    if excess(0.0) <= 0:
        return 0.0
    top = 1.0
    while excess(top) > 0:
        top *= 2
    return float(brentq(excess, 0.0, top, xtol=1e-12))


def _blocks(side: Flags, count: Counts) -> Counts:
    """Number the block of its side, of ``count``, that each value belongs to, (F, n)."""
    place = np.cumsum(side, axis=0) - 1
    return np.asarray(place * count // np.maximum(side.sum(axis=0), 1))


def _upper_median(values: Array) -> Array:
    """Compute upper medians of the values that are not NaN, (n,); -inf without values."""
    ordered = np.sort(values, axis=0)
    known = np.count_nonzero(~np.isnan(values), axis=0)
    median = np.take_along_axis(ordered, (known // 2)[None], axis=0)[0]
    return np.where(known > 0, median, -np.inf)


def _scaled(log_prob: Array, side: Flags, block: Counts, scale: Array) -> Array:
    """Compute means over blocks of ``min(p / scale, 1)``; 0 without a scale."""
    fit, record = np.nonzero(side & (len(scale) > 0))
    place = block[fit, record], record
    with np.errstate(invalid="ignore"):
        excess = np.minimum(log_prob[fit, record] - scale[place], 0.0)
    values = np.where(np.isfinite(scale[place]), np.exp(excess), 0.0)
    cell = np.ravel_multi_index(place, scale.shape)
    total, size = (np.bincount(cell, weights, scale.size) for weights in (values, None))
    return np.asarray((total / np.maximum(size, 1)).reshape(scale.shape))
