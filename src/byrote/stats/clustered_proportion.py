"""Proportions of clustered trials, such as windows of texts, and their differences."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from byrote.stats.estimate import LEVEL, Estimate, clopper_pearson

Array = NDArray[np.float64]


def clustered_proportion(
    hits: ArrayLike, clusters: ArrayLike, *, level: float = LEVEL, units: str = "clusters"
) -> Estimate:
    """Estimate a proportion of dependent trials with Korn and Graubard's interval (1998).

    Clopper and Pearson's limits for the effective number of trials, ``p (1 - p) / variance`` with
    the variance between clusters, corrected for their number by Student's t, and at most the number
    of trials. Where p is 0 or 1 the variance is unknown, and the effective number of clusters,
    ``(sum m)^2 / sum m^2`` for m trials each, is used instead.

    Parameters
    ----------
    hits
        (n,) numbers from 0 to 1, independent except within a cluster.
    clusters
        (n,) cluster of each trial.
    level
        Confidence level.
    units
        What the clusters are, in the plural, for ``reason``.

    Examples
    --------
    >>> none = clustered_proportion(np.zeros(100), np.repeat(np.arange(20), 5))
    >>> none.value, none.low, round(none.high, 3)
    (0.0, 0.0, 0.168)
    """
    values = np.asarray(hits, np.float64)
    if not len(values):
        return Estimate(np.nan, level=level, reason="there are no trials")
    _, cluster, sizes = np.unique(np.asarray(clusters), return_inverse=True, return_counts=True)
    share = float(values.mean())
    if len(sizes) < 2:
        return Estimate(share, level=level, reason=f"an interval needs two {units} or more")
    trials = _effective_trials(values, cluster, sizes, (1 + level) / 2)
    low, high = clopper_pearson(share * trials, trials, level=level)
    return Estimate(share, float(low), float(high), level)


def _effective_trials(
    values: Array, cluster: NDArray[np.intp], sizes: NDArray[np.intp], quantile: float
) -> float:
    trials, count, share = len(values), len(sizes), float(values.mean())
    if share in (0, 1):
        return trials**2 / float(np.square(sizes, dtype=np.float64).sum())
    sums = np.bincount(cluster, values - share)
    variance = count / (count - 1) * float(sums @ sums) / trials**2
    few_clusters = float(stdtrit(trials - 1, quantile) / stdtrit(count - 1, quantile)) ** 2
    if variance == 0:
        return float(trials)
    return min(share * (1 - share) / variance * few_clusters, float(trials))


def proportion_difference(first: Estimate, second: Estimate) -> Estimate:
    """Estimate the difference of independent proportions from their intervals (Newcombe 1998).

    Each limit is recovered from the distances between the proportions and their own limits, so that
    it also holds where nothing hits.

    Examples
    --------
    Newcombe's method 10 of 56 / 70 against 48 / 80:

    >>> from byrote.stats.estimate import proportion
    >>> gap = proportion_difference(proportion(56, 70), proportion(48, 80))
    >>> round(gap.value, 4), round(gap.low, 4), round(gap.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    value = first.value - second.value
    reason = first.reason or second.reason
    if reason:
        return Estimate(value, level=first.level, reason=reason)
    down = np.hypot(first.value - first.low, second.high - second.value)
    up = np.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, float(value - down), float(value + up), first.level)
