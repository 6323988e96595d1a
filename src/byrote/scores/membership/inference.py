"""Membership inference from a table of log-likelihoods."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.scores.epsilon.arguments import Array, Flags, table
from byrote.scores.membership.result import HitsAtRate, MembershipInference
from byrote.scores.membership.shared_noise import GROUPS, errors
from byrote.stats.lira import log_ratio
from byrote.stats.roc import Cells, auc_interval, tpr_interval_at

Units = NDArray[np.intp]
ATTACKS = ("lira", "loss")
RATES = (0.001, 0.01)  # false positives
ENOUGH = 10  # references on a side for a standard deviation of the record's own
LEVEL = 0.95


def infer_membership(log_prob: Any, included: Any, *, attack: str = "lira") -> MembershipInference:
    """Which fits trained on which records, as an attacker would tell, and how often he is right.

    Every fit is attacked in turn. "loss" takes the log-likelihood itself as the score, one
    threshold for all records. "lira" is the likelihood-ratio attack of Carlini et al. (2022),
    ``log N(s; mean_in, sd_in) - log N(s; mean_out, sd_out)``, the other fits serving as shadow
    models: the attacked fit is left out of its record's references, and min(n_in, n_out) - 1
    references are taken on each side whatever the attacked fit is, since otherwise a model that
    memorizes nothing would be found out by the bookkeeping. Standard deviations are the record's
    own from 10 references on a side, pooled over records below.

    Scores of one record are alike, and so are those of one fit; the intervals allow for both, and
    for references that all scores share where the noise of the fits is of that kind
    (docs/statistics.md). They hold the attack fixed: they speak of other records and fits.

    Parameters
    ----------
    log_prob
        (fits, records) log-likelihoods, nats; NaN where not scored. A record with a density of zero
        (-inf) in any fit has no "lira" score.
    included
        (fits, records) booleans: trained on?
    attack
        "lira" or "loss".

    Raises
    ------
    InvalidInput
        If an argument cannot be used.

    Examples
    --------
    >>> import byrote
    >>> generator = np.random.default_rng(0)
    >>> included = generator.random((10, 1000)) < 0.5
    >>> nothing = byrote.infer_membership(generator.normal(size=(10, 1000)), included)
    >>> nothing.interval[0] < 0.5 < nothing.interval[1]
    True
    """
    values, member = table(log_prob, included)
    attack = checks.choice("attack", attack, ATTACKS)
    return attacked(values, member, attack)


def attacked(
    values: Array,
    member: Flags,
    attack: str,
    *,
    unit: Units | None = None,
    level: float = LEVEL,
) -> MembershipInference:
    """Either attack on a table, (fits, records); unit: (fits,) what is independent of what."""
    if attack == "loss":
        return measured(values, member, attack, unit=unit, level=level)
    unit = np.arange(len(values)) if unit is None else unit
    usable = with_densities(values)
    least = errors(usable, member, unit, enough=ENOUGH, rates=RATES)
    scores = log_ratio(usable, member, enough=ENOUGH, unit=unit)
    return measured(scores, member, attack, unit=unit, level=level, least=least)


def measured(
    scores: Array,
    member: Flags,
    attack: str,
    *,
    unit: Units | None = None,
    level: float = LEVEL,
    least: Array | None = None,
) -> MembershipInference:
    """What scores, (fits, records), tell of membership; NaN is "no score".

    unit: (fits,) what is independent of what, every fit for itself if not given. Of one unit alone
    the intervals speak of other records in these very fits. least: standard errors of the area and
    of each rate that count where they are larger.
    """
    floors = np.zeros(1 + len(RATES)) if least is None else np.nan_to_num(least)
    there = ~np.isnan(scores)
    fit, record = np.nonzero(there)
    cells = Cells(scores[there], member[there], record, fit if unit is None else unit[fit])
    auc, interval = auc_interval(
        cells, level=level, least_error=float(floors[0]), replicates=GROUPS
    )
    return MembershipInference(
        attack=attack,
        scores=scores,
        included=member,
        auc=auc,
        interval=interval,
        hits=tuple(
            _hits(cells, rate, level, floor)
            for rate, floor in zip(RATES, floors[1:].tolist(), strict=True)
        ),
        level=level,
        unscored=int((~there.any(axis=0)).sum()),
        reason=_missing(cells, attack) if np.isnan(auc) else "",
    )


def _missing(cells: Cells, attack: str) -> str:
    if not len(cells.score) and attack == "lira":
        return (
            "no record has three fits that trained on it and three that did not, all with a density"
            " above zero"
        )
    return "no score of a non-member" if cells.member.any() else "no score of a member"


def lira_scores(values: Array, member: Flags, unit: Units | None = None) -> Array:
    """(fits, records) log-likelihood ratios; none of a record with a density of zero in any fit."""
    return log_ratio(with_densities(values), member, enough=ENOUGH, unit=unit)


def with_densities(values: Array) -> Array:
    """(fits, records) log-likelihoods, NaN for records with a density of zero in any fit."""
    return np.where(np.isneginf(values).any(axis=0), np.nan, values)


def _hits(cells: Cells, rate: float, level: float, least: float) -> HitsAtRate:
    records = len(np.unique(cells.record[~cells.member]))
    reason = ""
    if not cells.member.any():
        reason = "no score of a member"
    elif rate * records < 1:
        reason = f"{100 * rate:.4g} % of {records} records is less than one record"
    if reason:
        return HitsAtRate(rate, np.nan, np.nan, (np.nan, np.nan), reason)
    return HitsAtRate(rate, *tpr_interval_at(cells, rate, level=level, least_error=least))
