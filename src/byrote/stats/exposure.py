"""Exposure from ranks and from references: arrays only.

A candidate's rank counts the candidates that are at most as costly, itself included, so ties count
against exposure. Exposure is log2 of the number of candidates minus log2 of the rank (Carlini et
al. 2019).
"""

from collections.abc import Iterable
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from byrote.stats.proportion import clopper_pearson

Array = NDArray[np.float64]


def logs2(values: Iterable[Any]) -> Array:
    """log2 of positive numbers, whole ones of any size among them; of NaN it is NaN.

    Examples
    --------
    >>> logs2([8, 2**122, 0.5]).tolist()
    [3.0, 122.0, -1.0]
    """
    return np.array([log2(value) for value in values], dtype=np.float64)


def from_rank(rank: Iterable[Any], size: int) -> Array:
    """Exposure (bits) of every rank in 1..size; of an unknown rank, NaN, it is NaN.

    Examples
    --------
    >>> from_rank([4, 1, float("nan")], 16).tolist()
    [2.0, 4.0, nan]
    """
    return log2(size) - logs2(rank)


def at_most(costs: Array, references: Array) -> NDArray[np.int64]:
    """How many references cost at most as much as each of the costs (c,).

    References are sorted: (N,) for all costs, or (c, N), a row each.
    """
    if references.ndim == 1:
        return np.searchsorted(references, costs, side="right").astype(np.int64)
    pairs = zip(costs, references, strict=True)
    return np.array([np.searchsorted(row, cost, side="right") for cost, row in pairs], np.int64)


def sampled(below: NDArray[np.int64], n: int) -> Array:
    """Exposure beside n references, of which so many cost at most as much: log2 n − log2(1 + k)."""
    return log2(n) - np.log2(1.0 + below)


def sampled_interval(
    below: NDArray[np.int64], n: int, *, size: int | None = None, level: float = 0.95
) -> tuple[Array, Array]:
    """Interval of the exposure, from Clopper and Pearson's of a share s of the other candidates.

    With s of the size − 1 other candidates at or below the canary its exposure is
    log2 size − log2(1 + (size − 1) s) = −log2(1/size + (1 − 1/size) s), of a space without a known
    size −log2 s. The interval is widened to hold the estimate, which counts the canary among the
    references.

    Examples
    --------
    >>> low, high = sampled_interval(np.array([0, 0]), 1000, size=10**9)
    >>> print(low.round(3), high.round(3))
    [8.085 8.085] [29.897 29.897]
    """
    canary = 0.0 if size is None else 1 / size  # its own share of the space
    shares = clopper_pearson(below, n, level=level)
    with np.errstate(divide="ignore"):
        high, low = (-np.log2(canary + (1 - canary) * share) for share in shares)
    if size is not None:
        high = np.minimum(high, log2(size))  # of rounding, and of sizes without a reciprocal
    bits = sampled(below, n)
    return np.minimum(low, bits), np.maximum(high, bits)


def null_mean(n: int, *, beside: bool) -> float:
    """Mean exposure without memorization, where no two candidates tie.

    Among n ranked, log2 n − log2(n!)/n; ``beside`` n references, log2 n − log2((n + 1)!)/(n + 1).
    Both tend to 1/ln 2 = 1.4427, the mean of the exponential distribution with rate ln 2.

    Examples
    --------
    >>> round(null_mean(16, beside=False), 7), round(null_mean(16, beside=True), 7)
    (1.2343662, 1.1566116)
    """
    ranks = n + 1 if beside else n
    return log2(n) - float(gammaln(ranks + 1.0)) / ranks / float(np.log(2))
