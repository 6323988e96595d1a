"""The receiver operating characteristic of scores that share records and fits.

A table of fits and records gives many scores, but those of one record are alike, and so are those
of one fit. Errors come from sums of influences over the cells of each record and of each fit
(DeLong et al. 1988; Obuchowski 1997 for one kind of cluster; Cameron, Gelbach & Miller 2011 for
two: the variance over records plus that over fits less that over cells).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, logit
from scipy.stats import rankdata, t

from byrote.stats.rates import Interval, clopper_pearson

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.intp]


class Cells(NamedTuple):
    """Scores by cell: (N,) score, whether it is a member's, and its record and fit."""

    score: Array
    member: Flags
    record: Ids
    fit: Ids


def auc(score: Array, member: Flags) -> float:
    """P(member's score > other's), with ties by half; NaN where a side is empty."""
    m = int(member.sum())
    pairs = m * (len(member) - m)
    return float((rankdata(score)[member].sum() - m * (m + 1) / 2) / pairs) if pairs else np.nan


def share_above(score: Array, member: Flags, rate: float) -> float:
    """Share of members above the threshold that ``rate`` of the others are at most above."""
    if member.all() or not member.any():
        return np.nan
    return float((score[member] > _threshold(score, member, rate)).mean())


def _threshold(score: Array, member: Flags, rate: float) -> float:
    others = np.sort(score[~member])[::-1]
    return float(others[int(rate * len(others) + 1e-9)])


def area(
    cells: Cells, *, level: float, least: float = 0.0, groups: int = 10
) -> tuple[float, Interval]:
    """The area under the curve, P(member's score > other's) with ties by half, and its interval.

    On the logit scale with Student's quantile, one degree of freedom less than there are records or
    fits on a side, whichever are fewest: few members are little evidence, however many others there
    are. Of one fit alone it is records that count, and the interval is that fit's. At 0 and 1 the
    spread is zero; the interval is then that of as many right guesses as there are records on the
    smaller side. NaN where a side is empty or the spread unknown, as of one member.

    least: a standard error from ``groups`` replicates, which counts where it is larger.
    """
    members, others = cells.score[cells.member], cells.score[~cells.member]
    m, n = len(members), len(others)
    if m == 0 or n == 0:
        return np.nan, (np.nan, np.nan)
    ranks = rankdata(cells.score)
    above = np.empty(len(cells.score))
    above[cells.member] = (ranks[cells.member] - rankdata(members)) / n
    above[~cells.member] = 1 - (ranks[~cells.member] - rankdata(others)) / m
    found = auc(cells.score, cells.member)
    if found in (0.0, 1.0):
        return found, _edge(found, cells, level)
    influence = (above - found) / np.where(cells.member, m, n)
    error, clusters = clustered_error(influence, cells.record, cells.fit, cells.member)
    if clusters < 2:
        return found, (np.nan, np.nan)
    if least > error:
        error, clusters = least, min(clusters, groups)
    half = t.ppf((1 + level) / 2, clusters - 1) * error / (found * (1 - found))
    middle = logit(found)
    return found, (float(expit(middle - half)), float(expit(middle + half)))


def _edge(found: float, cells: Cells, level: float) -> Interval:
    """Interval of an area of 0 or 1.

    Where no fit has both sides, what the scores of one share may be what separates them: then fits
    are what is counted, and of one alone nothing is known.
    """
    trials = _fewest(cells.record, cells.member)
    inside, outside = (np.unique(cells.fit[side]) for side in (cells.member, ~cells.member))
    if not np.isin(inside, outside).any():
        trials = min(trials, len(inside), len(outside))
        if trials == 1:
            return np.nan, np.nan
    edge = float(betaincinv(trials, 1, (1 - level) / 2))
    return (edge, 1.0) if found else (0.0, 1 - edge)


def hits_at(
    cells: Cells, rate: float, *, level: float, least: float = 0.0
) -> tuple[float, float, Interval]:
    """The true-positive rate where at most ``rate`` of the non-members are above the threshold.

    Returns the false-positive rate there (at most ``rate``), the true-positive rate, and its
    interval. Both rates err: the lower end is that of the rate at a threshold that so few others
    exceed in truth, the upper end at one that so many do, each part with half of the end's error.
    Limits are Clopper and Pearson's for the effective number of trials, ``p (1 - p) / variance``
    with the clustered variance, at most the number of cells; where p is 0 or 1, that of the records
    (Korn & Graubard 1998).

    least: a standard error of the true-positive rate that counts where it is larger.
    """
    members, others = cells.score[cells.member], np.sort(cells.score[~cells.member])[::-1]
    threshold = _threshold(cells.score, cells.member, rate)
    alarms, hits = float((others > threshold).mean()), float((members > threshold).mean())
    inner = (1 + level) / 2
    trials = _trials(cells, cells.score > threshold, ~cells.member, 0.0)
    few, many = _around(len(others), trials, rate, inner)
    low, high = 0.0, 1.0
    if few >= 0:
        low = _limits(cells, cells.score > others[few], inner, least)[0]
    if many <= len(others):
        high = _limits(cells, cells.score >= others[many - 1], inner, least)[1]
    return alarms, hits, (min(low, hits), max(high, hits))


def _around(count: int, trials: float, rate: float, level: float) -> tuple[int, int]:
    """Of so many others, how many may and how many must exceed a threshold.

    At most the first for its rate to be at most the one given in truth (-1: not even none), at
    least the second for it to be at least that (count + 1: not even all).
    """
    tail, above = (1 - level) / 2, np.arange(count + 1) * trials / count
    left = trials - above
    upper = betaincinv(above + 1, np.maximum(left, 1e-9), 1 - tail)
    lower = betaincinv(np.maximum(above, 1e-9), left + 1, tail)
    few = int(np.count_nonzero((upper <= rate)[:-1])) - 1
    return few, count + 1 - int(np.count_nonzero((lower >= rate)[1:]))


def _limits(cells: Cells, hit: Flags, level: float, least: float) -> Interval:
    share = float(hit[cells.member].mean())
    trials = _trials(cells, hit, cells.member, least)
    return clopper_pearson(share * trials, trials, level=level)


def _trials(cells: Cells, hit: Flags, side: Flags, least: float) -> float:
    """The effective number of trials behind the share of hits on a side."""
    share, size = float(hit[side].mean()), float(side.sum())
    influence = np.where(side, (hit - share) / size, 0.0)
    error, _ = clustered_error(influence, cells.record, cells.fit, cells.member)
    variance = np.maximum(error, least) ** 2  # NaN if one is
    if 0 < share < 1 and variance > 0:
        return min(share * (1 - share) / float(variance), size)
    return float(len(np.unique(cells.record[side])))


def clustered_error(
    influence: Array, record: Ids, fit: Ids, side: Flags | None = None
) -> tuple[float, int]:
    """Standard error from influences that are correlated within records and within fits.

    (N,) each; NaN where unknown. And the number of clusters that it rests on: records or fits,
    whichever are fewer; with sides, which each has a mean of its own, those of the side that has
    fewer. Of one fit alone it is that over records.
    """
    records, fits = (_fewest(group, side) for group in (record, fit))
    by_record = _variance(influence, record, records)
    if len(np.unique(fit)) == 1:
        return float(np.sqrt(by_record)), records
    by_fit, single = _variance(influence, fit, fits), float((influence**2).sum())
    total = np.max([by_record + by_fit - single, by_record, by_fit])  # NaN if one is
    return float(np.sqrt(total)), min(records, fits)


def _fewest(group: Ids, side: Flags | None) -> int:
    """How many clusters there are, on the side that has fewer."""
    sides = [group] if side is None else [group[side], group[~side]]
    return min(len(np.unique(one)) for one in sides)


def _variance(influence: Array, group: Ids, clusters: int) -> float:
    sums = np.bincount(group, weights=influence)[np.unique(group)]
    return float((sums**2).sum()) * clusters / (clusters - 1) if clusters > 1 else np.nan
