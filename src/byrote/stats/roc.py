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


def area(cells: Cells, *, level: float) -> tuple[float, Interval]:
    """The area under the curve, P(member's score > other's) with ties by half, and its interval.

    On the logit scale with Student's quantile, one degree of freedom less than there are records or
    fits, whichever are fewer; of one fit alone, records, and the interval is that fit's. At 0 and 1
    the spread is zero; the interval is then that of as many right guesses as there are records. NaN
    where a side is empty or the spread unknown.
    """
    members, others = cells.score[cells.member], cells.score[~cells.member]
    m, n = len(members), len(others)
    if m == 0 or n == 0:
        return np.nan, (np.nan, np.nan)
    ranks = rankdata(cells.score)
    above = np.empty(len(cells.score))
    above[cells.member] = (ranks[cells.member] - rankdata(members)) / n
    above[~cells.member] = 1 - (ranks[~cells.member] - rankdata(others)) / m
    found = float(above[cells.member].mean())
    records = len(np.unique(cells.record))
    if found in (0.0, 1.0):
        edge = float(betaincinv(records, 1, (1 - level) / 2))
        return found, (edge, 1.0) if found else (0.0, 1 - edge)
    influence = (above - found) / np.where(cells.member, m, n)
    error, groups = clustered_error(influence, cells.record, cells.fit)
    half = t.ppf((1 + level) / 2, groups - 1) * error / (found * (1 - found))
    middle = logit(found)
    return found, (float(expit(middle - half)), float(expit(middle + half)))


def hits_at(cells: Cells, rate: float, *, level: float) -> tuple[float, float, Interval]:
    """The true-positive rate where at most ``rate`` of the non-members are above the threshold.

    Returns the false-positive rate there (at most ``rate``), the true-positive rate, and its
    Clopper-Pearson interval for the effective number of trials, ``p (1 - p) / variance`` with the
    clustered variance, at most the number of members' cells; where p is 0 or 1, that of the records
    (Korn & Graubard 1998). The threshold is held fixed.
    """
    members, others = cells.score[cells.member], np.sort(cells.score[~cells.member])[::-1]
    threshold = others[int(rate * len(others) + 1e-9)]
    hit = cells.score > threshold
    share = float(hit[cells.member].mean())
    influence = np.where(cells.member, (hit - share) / len(members), 0.0)
    variance = clustered_error(influence, cells.record, cells.fit)[0] ** 2
    trials = float(len(np.unique(cells.record[cells.member])))
    if 0 < share < 1:
        trials = min(share * (1 - share) / variance, float(len(members)))
    return float((others > threshold).mean()), share, _interval(share, trials, level)


def _interval(share: float, trials: float, level: float) -> Interval:
    return clopper_pearson(share * trials, trials, level=level)


def clustered_error(influence: Array, record: Ids, fit: Ids) -> tuple[float, int]:
    """Standard error from influences that are correlated within records and within fits.

    (N,) each. And the number of clusters that it rests on: records or fits, whichever are fewer. Of
    one fit alone it is that over records.
    """
    by_record, by_fit = (_variance(influence, group) for group in (record, fit))
    records, fits = (len(np.unique(group)) for group in (record, fit))
    if fits == 1:
        return float(np.sqrt(by_record)), records
    single = float((influence**2).sum())
    total = max(by_record + by_fit - single, by_record, by_fit)
    return float(np.sqrt(total)), min(records, fits)


def _variance(influence: Array, group: Ids) -> float:
    sums = np.bincount(group, weights=influence)[np.unique(group)]
    return float((sums**2).sum()) * len(sums) / (len(sums) - 1) if len(sums) > 1 else np.nan
