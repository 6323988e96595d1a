"""Many tests at once: false discovery rates, combined p-values, numbers of false hypotheses.

The limits of exceedances are for n unknown values, such as epsilons of records, each known through
its own one-sided limits.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc

Array = NDArray[np.float64]
Limits = Callable[[float], Array]  # (n,) one-sided limits, each wrong with that probability


def q_values(p_values: Array) -> Array:
    """Compute Benjamini-Hochberg q-values (1995), (n,) -> (n,).

    The q-value of a test is the smallest false discovery rate at which it is a discovery. Missing
    p-values (NaN) are not counted and stay NaN.

    Examples
    --------
    >>> q_values(np.array([0.01, 0.04, np.nan, 0.03])).round(6).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    q = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)  # NaN last
    order = order[: len(order) - np.count_nonzero(np.isnan(p_values))]
    shares = p_values[order]
    shares *= len(order) / np.arange(1, len(order) + 1)
    np.minimum.accumulate(shares[::-1], out=shares[::-1])
    q[order] = shares.clip(0, 1, out=shares)
    return q


def combined_p_value(p_values: ArrayLike, groups: ArrayLike | None = None) -> float:
    """Combine p-values into one of "all hypotheses hold" by Fisher's method (1925).

    Missing p-values (NaN) are not counted; NaN if all are missing.

    Parameters
    ----------
    p_values
        (n,) independent of one another, except within a group.
    groups
        (n,) group of each. Tests of one group may depend on each other in any way and count once,
        as twice their mean p-value (Rüschendorf 1982). Default: every test is a group.

    Examples
    --------
    >>> round(combined_p_value([0.1, 0.1, np.nan]), 6)
    0.056052
    >>> round(combined_p_value([0.05, 0.05, 0.1], ["a", "a", "b"]), 6)
    0.056052
    """
    p = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(p)
    if not known.any():
        return float("nan")
    p = p[known]
    if groups is not None:
        _, group, count = np.unique(
            np.asarray(groups)[known], return_inverse=True, return_counts=True
        )
        average = np.bincount(group, p) / count
        p = np.where(count == 1, average, np.minimum(1.0, 2 * average))
    with np.errstate(divide="ignore"):
        statistic = -np.log(p).sum()
    return float(gammaincc(len(p), statistic))  # half a chi-square of 2 n degrees of freedom


def false_hypotheses(p_values: Array, significance: float) -> int:
    """Compute a lower confidence limit of the number of false hypotheses, at 1 - significance.

    Closed testing with Simes' test (Hommel 1988; Goeman, Meijer, Krebs & Solari 2019): n - h, where
    h is the largest number of hypotheses with the largest p-values that Simes does not reject
    together. Valid for independent or positively dependent tests. NaN counts as a p-value of 1.

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
        largest = p[len(p) - middle :]
        if (largest * middle <= significance * np.arange(1, middle + 1)).any():
            high = middle - 1
        else:
            low = middle
    return len(p) - low


def exceeded_by_at_least(lower: Limits, n: int, count: int, significance: float) -> float:
    """Compute a value that, at 1 - significance, at least ``count`` of n unknown values exceed.

    Simes' partial conjunction test (Benjamini & Heller 2008), inverted: for k = 1, 2, 4, … the
    (count - 1 + k)-th largest of the lower limits at k significance / (n - count + 1), and of these
    the largest. -inf where nothing is proved. ``lower`` may leave out limits that are of no
    interest: they count as -inf.

    Examples
    --------
    >>> from scipy.special import ndtri
    >>> estimates = np.array([9.0, 8.0, 0.1, -0.3])
    >>> round(exceeded_by_at_least(lambda tail: estimates + ndtri(tail), 4, 2, 0.05), 2)
    5.87
    """
    if not 1 <= count <= n:
        return -np.inf
    rest = n - count + 1
    ks = {*(1 << i for i in range(rest.bit_length())), rest}
    return max(_largest(lower(k * significance / rest), count - 1 + k) for k in ks if k <= rest)


def exceeded_by_fewer_than(upper: Limits, n: int, count: int, significance: float) -> float:
    """Compute a value that, at 1 - significance, fewer than ``count`` of n values exceed.

    If ``count`` of them did, one of those would exceed its own upper limit at significance / count.
    Valid under any dependence. inf where nothing is proved.

    Examples
    --------
    >>> from scipy.special import ndtri
    >>> estimates = np.array([9.0, 8.0, 0.1, -0.3])
    >>> round(exceeded_by_fewer_than(lambda tail: estimates - ndtri(tail), 4, 2, 0.05), 2)
    9.96
    """
    if count < 1:
        return np.inf
    return _largest(upper(significance / count), count) if count <= n else -np.inf


def _largest(values: Array, place: int) -> float:
    """Return the place-th largest value, counted from 1; -inf if there are fewer."""
    if place > len(values):
        return -np.inf
    return float(np.partition(values, len(values) - place)[len(values) - place])
