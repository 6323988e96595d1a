"""The receiver operating characteristic of scores that share records and fits.

A table of fits and records gives many scores, but those of one record are alike, and so are those
of one fit. Errors come from sums of influences over the cells of each record and of each fit
(DeLong et al. 1988; Obuchowski 1997 for one kind of cluster; Cameron, Gelbach & Miller 2011 for
two).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from byrote.stats.cell_order import ascending
from byrote.stats.estimate import clopper_pearson
from byrote.stats.ranks import lower_than
from byrote.stats.standard_errors import Moments, clustered_proportion_error, error_of_sums

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.intp]
Interval = tuple[float, float]
Counts = tuple[Ids, Ids]  # by record, and by unit of fits


@dataclass(frozen=True, eq=False)
class Cells:
    """Scores by fit and record, read a fit at a time.

    score, member: (F, n) scores, NaN where there is none, and whether the fit trained on the
    record. unit: (F,) of each fit, numbered from 0; fits of one unit are one cluster.
    """

    score: Array
    member: Flags
    unit: Ids

    @cached_property
    def of_members(self) -> Counts:
        """Number of members' scores of each record, and of each unit."""
        return self.counted(_known, members=True)

    @cached_property
    def of_others(self) -> Counts:
        """Number of non-members' scores of each record, and of each unit."""
        return self.counted(_known, members=False)

    @cached_property
    def others(self) -> Array:
        """The scores of non-members in ascending order."""
        return np.sort(self.score[~self.member & _known(self.score)])

    def counted(self, condition: Callable[[Array], Flags], *, members: bool) -> Counts:
        """Count the scores of a side that meet a condition, by record and by unit."""
        by_record, by_unit = (
            np.zeros(size, np.intp) for size in (self.score.shape[1], int(self.unit.max()) + 1)
        )
        for unit, score, member in zip(self.unit, self.score, self.member, strict=True):
            some = condition(score) & (member == members)
            by_record += some
            by_unit[unit] += np.count_nonzero(some)
        return by_record, by_unit


def _known(score: Array) -> Flags:
    return ~np.isnan(score)


def auc(score: Array, member: Flags) -> float:
    """Compute P(member's score > non-member's), a tie counting half; NaN if a side is empty."""
    inside, outside = np.sort(score[member]), np.sort(score[~member])
    pairs = len(inside) * len(outside)
    return float(lower_than(inside, outside).sum() / pairs) if pairs else np.nan


def tpr_at(score: Array, member: Flags, rate: float) -> float:
    """Compute the true-positive rate at a false-positive rate of at most ``rate``."""
    if member.all() or not member.any():
        return np.nan
    return float((score[member] > _threshold(np.sort(score[~member]), rate)).mean())


def _threshold(others: Array, rate: float) -> float:
    """Score that this share of the others, in ascending order, is above at most."""
    return float(others[len(others) - 1 - int(rate * len(others) + 1e-9)])


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
    if not (cells.of_members[0].any() and cells.of_others[0].any()):
        return np.nan, (np.nan, np.nan)
    placements = _Placements.of(cells)
    area = placements.area
    if area in (0.0, 1.0):
        return area, _interval_at_edge(area, cells, level)
    error, clusters = placements.error(cells)
    if clusters < 2:
        return area, (np.nan, np.nan)
    if least_error > error:
        error, clusters = least_error, min(clusters, replicates)
    half = stdtrit(clusters - 1, (1 + level) / 2) * error / (area * (1 - area))
    centre = logit(area)
    return area, (float(expit(centre - half)), float(expit(centre + half)))


@dataclass(frozen=True, eq=False)
class _Placements:
    """How many scores of the other side each score is right about: lower ones for members'.

    Equal ones count half. sums: of all cells by record, and by unit. members, others: moments.
    """

    sums: tuple[Array, Array]
    members: Moments
    others: Moments

    @classmethod
    def of(cls, cells: Cells) -> "_Placements":
        """Count in one pass through the scores in ascending order."""
        by_record, by_unit = (np.zeros(len(counts)) for counts in cells.of_members)
        members, others, is_member = Moments(), Moments(), cells.member.ravel()
        lower, higher = 0, int(cells.of_members[0].sum())  # the others' scores, the members'
        for places, starts in ascending(cells.score):
            member = is_member[places]
            right = _right(member, starts, lower, higher)
            members.add(right[member])
            others.add(right[~member])
            lower, higher = others.size, higher - int(np.count_nonzero(member))
            fit = places // len(by_record)
            np.add.at(by_record, places - fit * len(by_record), right)
            np.add.at(by_unit, cells.unit[fit], right)
        return cls((by_record, by_unit), members, others)

    @property
    def area(self) -> float:
        """Share of the pairs of a member's and another's score in which the member's is higher."""
        return self.members.total / (self.members.size * self.others.size)

    def error(self, cells: Cells) -> tuple[float, int]:
        """Compute the standard error of the area, and the number of clusters behind it."""
        m, n, area = self.members.size, self.others.size, self.area
        sides = cells.of_members, cells.of_others
        by_record, by_unit = (
            sums / (m * n) - area * (members / m + others / n)
            for sums, members, others in zip(self.sums, *sides, strict=True)
        )
        squares = self.members.about(area * n) + self.others.about(area * m)
        return error_of_sums((by_record, by_unit), squares / (m * n) ** 2, sides)


def _right(member: Flags, starts: Ids, lower: int, higher: int) -> Array:
    """Count what each of (k,) ascending scores is right about, equal ones beginning at ``starts``.

    lower, higher: numbers of others' scores before them, and of members' scores from them on.
    """
    tied = len(starts) < len(member)
    sizes = np.diff(starts, append=len(member)) if tied else 1
    inside = np.add.reduceat(member, starts, dtype=np.intp) if tied else member.astype(np.intp)
    outside = sizes - inside
    below = lower + np.cumsum(outside) - outside / 2
    above = higher - np.cumsum(inside) + inside / 2
    if tied:
        below, above = np.repeat(below, sizes), np.repeat(above, sizes)
    return np.where(member, below, above)


def _interval_at_edge(area: float, cells: Cells, level: float) -> Interval:
    """Compute the interval of an area of 0 or 1.

    If no fit has both sides, what the scores of one fit share may separate the sides. Then the
    trials are fits, and a single fit on a side gives no interval.
    """
    (inside, fits_in), (outside, fits_out) = cells.of_members, cells.of_others
    trials = min(np.count_nonzero(inside), np.count_nonzero(outside))
    if not ((fits_in > 0) & (fits_out > 0)).any():
        trials = min(trials, np.count_nonzero(fits_in), np.count_nonzero(fits_out))
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
    others = cells.others
    threshold = _threshold(others, rate)
    alarms, hits = (
        cells.counted(lambda score: score > threshold, members=side) for side in (False, True)
    )
    fpr, tpr = _share(alarms, cells.of_others), _share(hits, cells.of_members)
    inner = (1 + level) / 2
    trials = _effective_trials(cells, alarms, 0.0, members=False)
    few, many = alarm_limits(len(others), trials, rate, inner)
    low, high = 0.0, 1.0
    if few >= 0:
        strict = others[len(others) - 1 - few]
        hits = cells.counted(lambda score: score > strict, members=True)
        low = _tpr_limits(cells, hits, inner, least_error)[0]
    if many <= len(others):
        lenient = others[len(others) - many]
        hits = cells.counted(lambda score: score >= lenient, members=True)
        high = _tpr_limits(cells, hits, inner, least_error)[1]
    return fpr, tpr, (min(low, tpr), max(high, tpr))


def _share(hits: Counts, trials: Counts) -> float:
    return float(hits[0].sum() / trials[0].sum())


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


def _tpr_limits(cells: Cells, hits: Counts, level: float, least_error: float) -> Interval:
    trials = _effective_trials(cells, hits, least_error, members=True)
    low, high = clopper_pearson(_share(hits, cells.of_members) * trials, trials, level=level)
    return float(low), float(high)


def _effective_trials(cells: Cells, hits: Counts, least_error: float, *, members: bool) -> float:
    """Compute the effective number of trials behind the proportion of hits on a side."""
    counts = cells.of_members if members else cells.of_others
    size, proportion = float(counts[0].sum()), _share(hits, counts)
    error = clustered_proportion_error(hits, counts, (cells.of_members, cells.of_others))
    variance = np.maximum(error, least_error) ** 2  # NaN if one is
    if 0 < proportion < 1 and variance > 0:
        return min(proportion * (1 - proportion) / float(variance), size)
    return float(np.count_nonzero(counts[0]))
