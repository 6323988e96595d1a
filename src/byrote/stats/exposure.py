"""Exposure from ranks and from references, and its bounds under differential privacy.

The rank of a candidate counts the candidates that cost at most as much, including itself. Exposure
is log2 of the number of candidates minus log2 of the rank (Carlini et al. 2019).

Among |R| equally likely secrets, the rank of a canary is uniform for a model that never saw it, so
P(exposure >= t) <= 2^-t; (epsilon, delta)-DP lets that grow to e^epsilon 2^-t + delta.
"""

from collections.abc import Iterable
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from byrote.stats.estimate import clopper_pearson

Array = NDArray[np.float64]


def logs2(values: Iterable[Any]) -> Array:
    """Compute log2 of positive numbers, including integers of any size; NaN for NaN.

    Examples
    --------
    >>> logs2([8, 2**122, 0.5]).tolist()
    [3.0, 122.0, -1.0]
    """
    return np.array([log2(value) for value in values], dtype=np.float64)


def from_rank(rank: Iterable[Any], size: int) -> Array:
    """Compute exposure, in bits, from ranks in 1..size; NaN for an unknown rank (NaN).

    Examples
    --------
    >>> from_rank([4, 1, float("nan")], 16).tolist()
    [2.0, 4.0, nan]
    """
    return log2(size) - logs2(rank)


def at_most(costs: Array, references: Array) -> NDArray[np.int64]:
    """Count the references that cost at most as much as each of the costs (c,).

    References are sorted: (N,) for all costs, or (c, N), one row per cost.
    """
    if references.ndim == 1:
        return np.searchsorted(references, costs, side="right").astype(np.int64)
    pairs = zip(costs, references, strict=True)
    return np.array([np.searchsorted(row, cost, side="right") for cost, row in pairs], np.int64)


def sampled(below: NDArray[np.int64], n: int) -> Array:
    """Compute exposure from n references, k of which cost at most as much: log2 n − log2(1 + k)."""
    return log2(n) - np.log2(1.0 + below)


def sampled_interval(
    below: NDArray[np.int64], n: int, *, size: int | None = None, level: float = 0.95
) -> tuple[Array, Array]:
    """Compute the interval of exposure from Clopper and Pearson's of a share of candidates.

    If a share s of the size − 1 other candidates cost at most as much as the canary, its exposure
    is log2 size − log2(1 + (size − 1) s) = −log2(1/size + (1 − 1/size) s), or −log2 s where the
    size of the space is unknown. The interval is widened to contain the estimate, which counts the
    canary among the references.

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


def null_mean(n: int, *, from_references: bool) -> float:
    """Compute the mean exposure without memorization and without ties.

    log2 n − log2(n!)/n among n ranked candidates, log2 n − log2((n + 1)!)/(n + 1) from n
    references. Both tend to 1/ln 2 = 1.4427, the mean of the exponential distribution of rate ln 2.

    Examples
    --------
    >>> round(null_mean(16, from_references=False), 7)
    1.2343662
    >>> round(null_mean(16, from_references=True), 7)
    1.1566116
    """
    ranks = n + 1 if from_references else n
    return log2(n) - float(gammaln(ranks + 1.0)) / ranks / float(np.log(2))


def group_privacy(epsilon: float, delta: float, insertions: int) -> tuple[float, float]:
    """Compute (epsilon, delta) of c insertions: ``c epsilon, delta sum_{j < c} e^{j epsilon}``.

    Examples
    --------
    >>> epsilon, delta = group_privacy(0.5, 1e-6, 3)
    >>> print(epsilon, round(delta * 1e6, 6))
    1.5 5.367003
    """
    if np.isinf(epsilon):
        return (epsilon, 1.0 if delta else 0.0) if insertions > 1 else (epsilon, delta)
    whole, steps = insertions * epsilon, float(insertions)
    if epsilon:  # the geometric sum, from its largest term down
        with np.errstate(over="ignore"):
            steps = float(np.exp(whole - epsilon) * np.expm1(-whole) / np.expm1(-epsilon))
    return whole, min(delta * steps, 1.0) if delta else 0.0


def dp_tail_bound(bits: float, epsilon: float, delta: float) -> float:
    """Bound ``P(exposure >= t) <= e^epsilon 2^-t + delta``, at most 1."""
    return float(min(1.0, np.exp(min(epsilon - bits * np.log(2.0), 0.0)) + delta))


def dp_mean_bound(epsilon: float, delta: float, space_bits: float) -> float:
    """Bound the expected exposure from above, in bits.

    ``(1 - e^-epsilon) log2(1 + e^epsilon) + 1 / ln 2`` for delta = 0,
    ``(epsilon + 1) / ln 2 + delta log2 |R|`` otherwise, and never more than log2 |R|.

    Examples
    --------
    >>> round(dp_mean_bound(0.65, 0.0, np.inf), 4), round(dp_mean_bound(1.0, 0.0, np.inf), 4)
    (2.1805, 2.6403)
    """
    if delta == 0:
        spread = float(np.logaddexp(0.0, epsilon)) / np.log(2.0)
        return float(min(space_bits, -np.expm1(-epsilon) * spread + 1 / np.log(2.0)))
    return float(min(space_bits, (epsilon + 1) / np.log(2.0) + delta * space_bits))


def epsilon_bound(p_value: float, delta: float, insertions: int, significance: float) -> float:
    """Compute the largest epsilon that a p-value rejects at the significance, at least 0.

    A p-value that is valid without c insertions has ``P(p <= u) <= e^{c epsilon} u + delta
    sum_{j < c} e^{j epsilon}`` with them. Epsilon is rejected if this is at most the significance
    at the observed p-value.

    Examples
    --------
    >>> round(epsilon_bound(0.05 / np.e**6, 0.0, 2, 0.05), 9)
    3.0
    """
    from scipy.optimize import brentq  # noqa: PLC0415 (slow to load)

    if p_value >= significance:
        return 0.0
    top = float(np.log(significance) - np.log(p_value)) / insertions
    if delta == 0:
        return top

    def excess(epsilon: float) -> float:
        whole, slack = group_privacy(epsilon, delta, insertions)
        return float(np.exp(whole)) * p_value + slack - significance

    return float(brentq(excess, 0.0, top, xtol=1e-12)) if excess(0.0) < 0 else 0.0
