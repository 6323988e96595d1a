"""Null distributions of rank sums, by counting: no simulation, no table, never zero.

The statistic of one stratum with N exchangeable values, b of them marked, is the sum of the marked
values' mid-ranks, doubled to keep it an integer. A distribution is an array: entry s is the
probability that the doubled sum exceeds its least attainable value by s.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@lru_cache(maxsize=256)
def untied(a: int, b: int) -> Array:
    """Distribution with ``b`` marked among ``a + b`` different values.

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
def tied(ranks: tuple[int, ...], b: int) -> Array:
    """Distribution with ``b`` marked among values whose sorted doubled mid-ranks are given."""
    if 2 * b > len(ranks):  # the rest is the smaller part, and has what the marked have not
        return tied(ranks, len(ranks) - b)[::-1]
    reach = sum(ranks[-b:])
    ways = np.zeros((b + 1, reach + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : reach + 1 - rank].copy()
    counts = ways[b, sum(ranks[:b]) :]
    return np.asarray(counts / counts.sum())


def convolved(distributions: list[Array]) -> Array:
    """Distribution of the sum over independent strata."""
    total = np.ones(1)
    for distribution in sorted(distributions, key=len):
        total = np.convolve(total, distribution)
    return total


def lower_tail(distribution: Array) -> Array:
    """P(sum <= s) for every s, never 0 and never above 1."""
    return np.clip(np.cumsum(distribution), np.finfo(float).tiny, 1.0)
