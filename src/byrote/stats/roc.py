"""The receiver operating characteristic of scores that share records and fits.

A table of fits and records gives many scores, but those of one record are alike, and so are those
of one fit. Errors come from sums of influences over the cells of each record and of each fit
(DeLong et al. 1988; Obuchowski 1997 for one kind of cluster; Cameron, Gelbach & Miller 2011 for
two).
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from byrote.stats.cells import Cells, Counts
from byrote.stats.estimate import clopper_pearson
from byrote.stats.standard_errors import Moments, clustered_proportion_error, error_of_sums
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Ids = NDArray[np.intp]
Interval = tuple[float, float]


def area(cells: Cells) -> float:
    """Compute P(member's score > non-member's), a tie counting half; NaN if a side is empty."""
    return _Placements.of(cells).area if all(cells.sizes) else np.nan


def tpr(cells: Cells, rate: float) -> float:
    """Compute the true-positive rate at a false-positive rate of at most ``rate``."""
    if not all(cells.sizes):
        return np.nan
    return _share(cells.above(cells.threshold(rate), members=True), cells.of_members)


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
    if not all(cells.sizes):
        return np.nan, (np.nan, np.nan)
    placements = _Placements.of(cells)
    value = placements.area
    if value in (0.0, 1.0):
        return value, _interval_at_edge(value, cells, level)
    error, clusters = placements.error(cells)
    if clusters < 2:
        return value, (np.nan, np.nan)
    if least_error > error:
        error, clusters = least_error, min(clusters, replicates)
    half = stdtrit(clusters - 1, (1 + level) / 2) * error / (value * (1 - value))
    centre = logit(value)
    return value, (float(expit(centre - half)), float(expit(centre + half)))


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
        """Count in one pass through the scores in ascending order, ranges of them in threads."""
        counts = cells.order.counts
        before = np.cumsum(counts, axis=0) - counts
        lower = before[:, 0] - before[:, 1]  # the others' scores
        higher = counts[:, 1].sum() - before[:, 1]  # the members'
        ranges = zip(range(len(counts)), lower.tolist(), higher.tolist(), strict=True)
        by_record, by_unit = (np.zeros(len(each)) for each in cells.of_members)
        members, others, lock = Moments(), Moments(), Lock()

        def count(of_range: tuple[int, int, int]) -> tuple[Array, Moments, Moments]:
            number, lower, higher = of_range
            return cls._of_range(cells, number, (lower, higher), by_record, lock)

        for part in in_order(count, ranges, size=cells.score.size):
            by_unit += part[0]
            members.join(part[1])
            others.join(part[2])
        return cls((by_record, by_unit), members, others)

    @staticmethod
    def _of_range(
        cells: Cells, number: int, before: tuple[int, int], by_record: Array, lock: Lock
    ) -> tuple[Array, Moments, Moments]:
        """Count for a range, adding to the sums by record; returns those by unit, and moments.

        before: the others' scores before the range, and the members' from it on. Counts are halves
        of whole numbers, so their sums are exact, whichever thread adds first.
        """
        lower, higher = before
        by_side, members, others = np.zeros(2 * len(cells.unit)), Moments(), Moments()
        for some in cells.order.ascending(number):
            member = some.flag.astype(np.float64)  # products with it are faster than choices by it
            right = _right(member, some.starts)
            inside, outside = _add(members, others, right, member, (lower, higher))
            member *= lower - higher
            member += higher
            right += member
            lower, higher = lower + outside, higher - inside
            with lock:
                np.add.at(by_record, some.column, right)
            by_side += np.bincount(some.side, right, len(by_side))
        by_unit = np.zeros(len(cells.of_members[1]))
        np.add.at(by_unit, cells.unit, by_side.reshape(-1, 2).sum(axis=1))
        return by_unit, members, others

    @property
    def area(self) -> float:
        """Share of the pairs of a member's and another's score in which the member's is higher."""
        return self.members.total / (self.members.size * self.others.size)

    def error(self, cells: Cells) -> tuple[float, int]:
        """Compute the standard error of the area, and the number of clusters behind it."""
        m, n, value = self.members.size, self.others.size, self.area
        sides = cells.of_members, cells.of_others
        by_record, by_unit = (
            sums / (m * n) - value * (members / m + others / n)
            for sums, members, others in zip(self.sums, *sides, strict=True)
        )
        squares = self.members.about(value * n) + self.others.about(value * m)
        return error_of_sums((by_record, by_unit), squares / (m * n) ** 2, sides)


def _right(member: Array, starts: Ids | None) -> Array:
    """Count what each of (k,) ascending scores is right about among them.

    For a member's (1): the others' below it. For another's (0): less the members' up to it. Equal
    ones, which begin at ``starts``, count half.
    """
    if starts is None:
        return np.arange(1.0, len(member) + 1) * member - np.cumsum(member)
    sizes = np.diff(starts, append=len(member))
    inside = np.add.reduceat(member, starts)
    outside = sizes - inside
    below, above = np.cumsum(outside) - outside / 2, inside / 2 - np.cumsum(inside)
    return np.where(member > 0, np.repeat(below, sizes), np.repeat(above, sizes))


def _add(
    members: Moments, others: Moments, right: Array, member: Array, offsets: tuple[int, int]
) -> tuple[int, int]:
    """Add (k,) counts to the moments of their sides, plus an offset; return how many on each.

    Counts are halves of whole numbers below the size of a block, so sums of their squares are
    exact, and so is what one side's leave to the other.
    """
    chosen = right * member
    size, total, squares = int(member.sum()), float(chosen.sum()), float(chosen @ chosen)
    sizes = size, len(right) - size
    sums = total, float(right.sum()) - total
    of_squares = squares, float(right @ right) - squares
    for side, moments in enumerate((members, others)):
        if sizes[side]:
            rest = of_squares[side] - sums[side] ** 2 / sizes[side]
            moments.add_sums(sizes[side], sums[side] + offsets[side] * sizes[side], max(rest, 0.0))
    return sizes


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
    threshold, others = cells.threshold(rate), cells.sizes[1]
    alarms, hits = (cells.above(threshold, members=side) for side in (False, True))
    fpr, tpr = _share(alarms, cells.of_others), _share(hits, cells.of_members)
    inner = (1 + level) / 2
    trials = _effective_trials(cells, alarms, 0.0, members=False)
    few, many = alarm_limits(others, trials, rate, inner)
    low, high = 0.0, 1.0
    if few >= 0:
        hits = cells.above(cells.other(others - 1 - few), members=True)
        low = _tpr_limits(cells, hits, inner, least_error)[0]
    if many <= others:
        hits = cells.above(cells.other(others - many), members=True, equal=True)
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
