"""How many of n unknown values exceed a limit, and which value so many of them exceed.

Each value is known by tests or one-sided limits of its own; nothing is assumed of how those of
different values depend on each other but for what is said.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Limits = Callable[[float], Array]  # (n,) one-sided limits, each wrong with that probability


def false_hypotheses(p_values: Array, significance: float) -> int:
    """A lower limit of how many of n hypotheses are false, at 1 - significance.

    Closed testing with Simes' test (Hommel 1988; Goeman, Meijer, Krebs & Solari 2019): n - h, where
    h is the largest number of hypotheses with the largest p-values that Simes does not reject
    together. For tests that are independent or depend positively, as Benjamini and Hochberg's. NaN
    counts as no evidence.

    Examples
    --------
    >>> false_hypotheses(np.array([0.001, 0.002, 0.02, 0.6, 0.9]), 0.05)
    2
    >>> false_hypotheses(np.full(5, 0.04), 0.05)
    5
    """
    p = np.sort(np.where(np.isnan(p_values), 1.0, p_values))
    low, high = 0, len(p)  # Simes does not reject the `low` largest; what it rejects stays rejected
    while low < high:
        middle = (low + high + 1) // 2
        if _simes_rejects(p[len(p) - middle :], significance):
            high = middle - 1
        else:
            low = middle
    return len(p) - low


def _simes_rejects(p: Array, significance: float) -> bool:
    return bool((p * len(p) <= significance * np.arange(1, len(p) + 1)).any())


def at_least(lower: Limits, n: int, count: int, significance: float) -> float:
    """A value that, at 1 - significance, at least ``count`` of the n unknown values exceed.

    Simes' partial conjunction (Benjamini & Heller 2008) turned round: for k = 1, 2, 4, … the
    (count - 1 + k)-th largest of the lower limits at k significance / (n - count + 1), and of these
    the largest. -inf where nothing is shown.

    Examples
    --------
    >>> from scipy.special import ndtri
    >>> found = np.array([9.0, 8.0, 0.1, -0.3])
    >>> round(at_least(lambda tail: found + ndtri(tail), 4, 2, 0.05), 2)
    5.87
    """
    if not 1 <= count <= n:
        return -np.inf
    rest = n - count + 1
    ks = {*(1 << i for i in range(rest.bit_length())), rest}
    return max(
        float(_largest(lower(k * significance / rest), count - 1 + k)) for k in ks if k <= rest
    )


def fewer_than(upper: Limits, n: int, count: int, significance: float) -> float:
    """A value that, at 1 - significance, fewer than ``count`` of the n unknown values exceed.

    If ``count`` of them did, one of those would have to lie above its own upper limit at
    significance / count. Valid however they depend on each other. inf where nothing is shown.

    Examples
    --------
    >>> from scipy.special import ndtri
    >>> found = np.array([9.0, 8.0, 0.1, -0.3])
    >>> round(fewer_than(lambda tail: found - ndtri(tail), 4, 2, 0.05), 2)
    9.96
    """
    if count < 1:
        return np.inf
    return float(_largest(upper(significance / count), count)) if count <= n else -np.inf


def _largest(values: Array, place: int) -> float:
    """The place-th largest, from 1."""
    return float(np.partition(values, len(values) - place)[len(values) - place])
