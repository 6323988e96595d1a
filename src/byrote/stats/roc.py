"""The receiver operating characteristic of scores that share records and fits.

A table of fits and records gives many scores, but those of one record are alike, and so are those
of one fit. Errors come from sums of influences over the cells of each record and of each fit
(DeLong et al. 1988; Obuchowski 1997 for one kind of cluster; Cameron, Gelbach & Miller 2011 for
two).
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit
from scipy.stats import rankdata

from byrote.stats.estimate import clopper_pearson
from byrote.stats.standard_errors import (
    clustered_error,
    clustered_proportion_error,
    fewest_clusters,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.integer]
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Cells:
    """Scores by cell: (N,) score, whether it is a member's, and its record and fit."""

    score: Array
    member: Flags
    record: Ids
    fit: Ids

    @cached_property
    def of_members(self) -> tuple[Ids, Ids]:
        """Number of members' cells of each record, and of each fit."""
        return self.counted(self.member)

    @cached_property
    def of_others(self) -> tuple[Ids, Ids]:
        """Number of non-members' cells of each record, and of each fit."""
        return self.counted(~self.member)

    def counted(self, some: Flags) -> tuple[Ids, Ids]:
        """Count some cells by record and by fit."""
        rows = np.flatnonzero(some)
        return (
            np.bincount(self.record[rows], minlength=int(self.record.max()) + 1),
            np.bincount(self.fit[rows], minlength=int(self.fit.max()) + 1),
        )


def auc(score: Array, member: Flags) -> float:
    """Compute P(member's score > non-member's), a tie counting half; NaN if a side is empty."""
    below = lower_on_the_other_side(score, member)[member]
    pairs = len(below) * (len(member) - len(below))
    return float(below.sum() / pairs) if pairs else np.nan


def lower_on_the_other_side(score: Array, member: Flags) -> Array:
    """Count, for each of (N,) scores, the lower ones on the other side, and half of the equal ones.

    Examples
    --------
    >>> lower_on_the_other_side(np.array([1.0, 2, 2, 3]), np.array([True, False, True, False]))
    array([0. , 1.5, 0.5, 2. ])
    """
    order = np.argsort(score)
    ordered, of_member = score[order], member[order]
    equal = np.flatnonzero(ordered[1:] == ordered[:-1])  # to the next one
    members = np.cumsum(of_member, dtype=np.float64)  # up to each score, its own included
    first, last = (
        equal[np.diff(equal, prepend=-2) > 1],
        equal[np.diff(equal, append=len(score)) > 1],
    )
    size, all_ = last - first + 2, (first + last + 2) / 2
    of_equal = (members[first] - of_member[first] + members[last + 1]) / 2
    lower = np.subtract(np.arange(1.0, len(score) + 1), members, out=members, where=of_member)
    place = np.repeat(first - np.cumsum(size) + size, size) + np.arange(size.sum())
    lower[place] = np.where(
        of_member[place], np.repeat(all_ - of_equal, size), np.repeat(of_equal, size)
    )
    ordered[order] = lower
    return ordered


def mann_whitney_z(first: Array, second: Array) -> float:
    """Compute the Mann-Whitney statistic in standard deviations, ``(U - mn/2) / sd(U)``.

    U counts the pairs in which the first value is larger, and half of the ties. For m and n values,
    ``sd(U)^2 = mn/12 (m + n + 1 - sum(t^3 - t) / ((m + n)(m + n - 1)))`` over groups of t equal
    values. Zero where all values are equal, NaN where a sample is empty. Infinite values are
    ranked.

    Examples
    --------
    >>> round(mann_whitney_z(np.array([1.0, 2.0, 3.0]), np.array([2.5, 4.0, 5.0])), 4)
    -1.5275
    """
    m, n = len(first), len(second)
    if m == 0 or n == 0:
        return float("nan")
    values = np.concatenate([first, second])
    larger = rankdata(values)[:m].sum() - m * (m + 1) / 2
    tied = np.unique(values, return_counts=True)[1].astype(np.float64)
    total = m + n
    variance = m * n / 12 * (total + 1 - (tied**3 - tied).sum() / (total * (total - 1)))
    if len(tied) == 1:
        return 0.0
    return float((larger - m * n / 2) / np.sqrt(variance))


def tpr_at(score: Array, member: Flags, rate: float) -> float:
    """Compute the true-positive rate at a false-positive rate of at most ``rate``."""
    if member.all() or not member.any():
        return np.nan
    return float((score[member] > _threshold(score, member, rate)).mean())


def _threshold(score: Array, member: Flags, rate: float) -> float:
    non_members = np.sort(score[~member])[::-1]
    return float(non_members[int(rate * len(non_members) + 1e-9)])


def auc_interval(
    cells: Cells, *, level: float, least_error: float = 0.0, replicates: int = 10
) -> tuple[float, Interval]:
    """Compute the area under the curve with its interval; NaN where a side is empty.

    The interval is Student's on the logit scale, with one degree of freedom less than the number of
    records or fits on a side, whichever is smallest: few members are little evidence, however many
    non-members. With a single fit the clusters are records, and the interval holds for that fit. At
    0 and 1, where the estimated error is zero, it is that of as many right guesses as there are
    records on the smaller side.

    least_error: a standard error from ``replicates`` values, used where it is larger.
    """
    m = int(np.count_nonzero(cells.member))
    n = len(cells.member) - m
    if m == 0 or n == 0:
        return np.nan, (np.nan, np.nan)
    share = lower_on_the_other_side(cells.score, cells.member)
    area = float(share.sum(where=cells.member) / (m * n))
    if area in (0.0, 1.0):
        return area, _interval_at_edge(area, cells, level)
    share /= np.where(cells.member, n, -m)  # of the other side that is lower, or not: less 1
    share += np.where(cells.member, -area, 1 - area)
    share /= np.where(cells.member, m, n)  # now the influence of each score
    error, clusters = clustered_error(share, cells.record, cells.fit, cells.member)
    if clusters < 2:
        return area, (np.nan, np.nan)
    if least_error > error:
        error, clusters = least_error, min(clusters, replicates)
    half = stdtrit(clusters - 1, (1 + level) / 2) * error / (area * (1 - area))
    centre = logit(area)
    return area, (float(expit(centre - half)), float(expit(centre + half)))


def _interval_at_edge(area: float, cells: Cells, level: float) -> Interval:
    """Compute the interval of an area of 0 or 1.

    If no fit has both sides, what the scores of one fit share may separate the sides. Then the
    trials are fits, and a single fit on a side gives no interval.
    """
    trials = fewest_clusters(cells.record, cells.member)
    inside, outside = (np.unique(cells.fit[side]) for side in (cells.member, ~cells.member))
    if not np.isin(inside, outside).any():
        trials = min(trials, len(inside), len(outside))
        if trials == 1:
            return np.nan, np.nan
    end = float(clopper_pearson(trials, trials, level=level)[0])
    return (end, 1.0) if area else (0.0, 1 - end)


def tpr_interval_at(
    cells: Cells, rate: float, *, level: float, least_error: float = 0.0
) -> tuple[float, float, Interval]:
    """Compute a false-positive rate of at most ``rate`` and the true-positive rate with interval.

    Both rates are uncertain: the lower end is that at a threshold whose true false-positive rate is
    at most ``rate``, the upper end that at one where it is at least ``rate``, each with half of the
    error probability. Limits are Clopper and Pearson's for the effective number of trials,
    ``p (1 - p) / variance`` with the clustered variance, at most the number of cells; where p is 0
    or 1, for the number of records (Korn & Graubard 1998).

    least_error: a standard error of the true-positive rate, used where it is larger.
    """
    members, others = cells.score[cells.member], np.sort(cells.score[~cells.member])[::-1]
    threshold = _threshold(cells.score, cells.member, rate)
    fpr, tpr = float((others > threshold).mean()), float((members > threshold).mean())
    inner = (1 + level) / 2
    trials = _effective_trials(cells, cells.score > threshold, 0.0, members=False)
    few, many = alarm_limits(len(others), trials, rate, inner)
    low, high = 0.0, 1.0
    if few >= 0:
        low = _tpr_limits(cells, cells.score > others[few], inner, least_error)[0]
    if many <= len(others):
        high = _tpr_limits(cells, cells.score >= others[many - 1], inner, least_error)[1]
    return fpr, tpr, (min(low, tpr), max(high, tpr))


def alarm_limits(count: int, trials: float, rate: float, level: float) -> tuple[int, int]:
    """Compute the numbers of false alarms among ``count`` that bound the true false-positive rate.

    With at most the first the true rate is at most ``rate`` (-1: not even with 0 alarms), with at
    least the second it is at least that (count + 1: not even with all).
    """
    lower, upper = (partial(_limit, count, trials, level, end) for end in (0, 1))  # both increase
    few = bisect_right(range(count), rate, key=upper) - 1
    return few, 1 + bisect_left(range(1, count + 1), rate, key=lower)


def _limit(count: int, trials: float, level: float, end: int, alarms: int) -> float:
    return float(clopper_pearson(alarms * trials / count, trials, level=level)[end])


def _tpr_limits(cells: Cells, hit: Flags, level: float, least_error: float) -> Interval:
    tpr = float(hit[cells.member].mean())
    trials = _effective_trials(cells, hit, least_error, members=True)
    low, high = clopper_pearson(tpr * trials, trials, level=level)
    return float(low), float(high)


def _effective_trials(cells: Cells, hit: Flags, least_error: float, *, members: bool) -> float:
    """Compute the effective number of trials behind the proportion of hits on a side."""
    counts = cells.of_members if members else cells.of_others
    hits = cells.counted(hit & (cells.member if members else ~cells.member))
    size = float(counts[0].sum())
    proportion = float(hits[0].sum()) / size
    error = clustered_proportion_error(hits, counts, (cells.of_members, cells.of_others))
    variance = np.maximum(error, least_error) ** 2  # NaN if one is
    if 0 < proportion < 1 and variance > 0:
        return min(proportion * (1 - proportion) / float(variance), size)
    return float(np.count_nonzero(counts[0]))
