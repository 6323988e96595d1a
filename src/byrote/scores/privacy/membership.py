"""Membership inference: an attacker's guesses of which fits trained on which records."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.columnar import PlainData
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.runs.table import Table
from byrote.scores.privacy.lira_noise import GROUPS, shared_noise_errors
from byrote.stats.cells import Cells
from byrote.stats.estimate import Estimate
from byrote.stats.lira import log_ratio
from byrote.stats.roc import auc_interval, tpr_interval_at

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Units = NDArray[np.intp]
Interval = tuple[float, float]
ATTACKS = ("lira", "loss")
RATES = (0.001, 0.01)  # false positives
ENOUGH = 10  # references on a side for a standard deviation of the record's own
LEVEL = 0.95


@dataclass(frozen=True)
class HitsAtRate(PlainData):
    """The true-positive rate of an attack at a low false-positive rate.

    Attributes
    ----------
    asked
        The requested false-positive rate.
    false_positive_rate
        The rate at the threshold, at most the requested one.
    true_positive_rate, interval
        Share of members' scores above the threshold, with an interval that accounts for the errors
        of both rates.
    reason
        Why all three are NaN; empty otherwise.
    """

    asked: float
    false_positive_rate: float
    true_positive_rate: float
    interval: Interval
    reason: str = ""


@dataclass(frozen=True, eq=False)
class MembershipInference(Displayed):
    """The scores and the accuracy of a membership inference attack.

    Attributes
    ----------
    attack
        "lira" or "loss".
    scores
        (fits, records) higher where the record is more likely a member of that fit; nats. NaN where
        unknown. Those of "lira" are computed again at first use, for they are as large as the run.
    included
        (fits, records) whether the fit trained on the record.
    auc, interval
        Area under the receiver operating characteristic over all scores, with its interval.
    hits
        True-positive rates at 0.1 % and 1 % false positives.
    level
        Level of the intervals.
    unscored
        Number of records without a score, of those attacked.
    attacked
        Number of records that ``auc`` and ``hits`` are about: of a run with more than 100,000, as
        many, drawn at random.
    reason
        Why ``auc`` is NaN; empty otherwise.

    Examples
    --------
    >>> import byrote
    >>> generator = np.random.default_rng(0)
    >>> included = generator.random((20, 300)) < 0.5
    >>> log_prob = generator.normal(size=(20, 300)) + 2 * included
    >>> attack = byrote.privacy.infer_membership(log_prob, included)
    >>> round(attack.auc, 2), attack.hits[0].reason
    (0.91, '0.1 % of 300 records is less than one record')
    """

    attack: str
    compute: Callable[[], NDArray[np.float64]]
    included: NDArray[np.bool_]
    auc: float
    interval: Interval
    hits: tuple[HitsAtRate, ...]
    level: float
    unscored: int
    attacked: int
    reason: str = ""

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Scores of all records in all fits."""
        return self.compute()

    @property
    def estimate(self) -> Estimate:
        """The area with its interval."""
        return Estimate(self.auc, *self.interval, level=self.level, reason=self.reason)

    def __repr__(self) -> str:
        return f"MembershipInference({self.attack}, area {self.auc:.3g})"

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, omitting scores of single records."""
        names = ("attack", "attacked", "auc", "interval", "level", "unscored", "reason")
        fits, records = self.included.shape
        return {
            "fits": fits,
            "records": records,
            **{name: getattr(self, name) for name in names},
            "hits": [hit.to_dict() for hit in self.hits],
        }


def infer_membership(log_prob: Any, included: Any, *, attack: str = "lira") -> MembershipInference:
    """Infer which fits trained on which records, as an attacker would, and measure how accurately.

    Every fit is attacked in turn. "loss" scores by the log-likelihood itself, with one threshold
    for all records. "lira" is the likelihood-ratio attack of Carlini et al. (2022),
    ``log N(s; mean_in, sd_in) - log N(s; mean_out, sd_out)``, with the other fits as shadow models:
    the attacked fit is left out of its record's references, and min(n_in, n_out) - 1 references are
    used on each side whichever fit is attacked, since unequal numbers would reveal membership of a
    model that memorizes nothing. Standard deviations are the record's own from 10 references on a
    side, and pooled over records below.

    The intervals account for the dependence of scores of one record, of scores of one fit and,
    where the noise of fits requires it, of shared references (docs/bounds.md). They are for
    other records and fits under the same attack.

    Parameters
    ----------
    log_prob
        (fits, records) log-likelihoods, nats; NaN where not scored. A record with a density of zero
        (-inf) in any fit has no "lira" score.
    included
        (fits, records) booleans: whether the fit trained on the record.
    attack
        "lira" or "loss".

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> generator = np.random.default_rng(0)
    >>> included = generator.random((10, 1000)) < 0.5
    >>> nothing = byrote.privacy.infer_membership(generator.normal(size=(10, 1000)), included)
    >>> nothing.interval[0] < 0.5 < nothing.interval[1]
    True
    """
    values, member = check_table(log_prob, included)
    attack = checks.choice("attack", attack, ATTACKS)
    return attack_scored(values, member, attack)


def check_table(log_prob: Any, included: Any) -> tuple[Array, Flags]:
    """Check log-likelihoods and membership, (fits, records) each; NaN means "not scored"."""
    values: Array = checks.numbers("log_prob", log_prob)
    flags = checks.array("included", included)
    if values.ndim != 2 or not values.size:
        raise InvalidInput(f"log_prob must have shape (fits, records); got {values.shape}")
    if flags.dtype.kind != "b" or flags.shape != values.shape:
        raise InvalidInput(
            f"included must be booleans of log_prob's shape {values.shape};"
            f" got {flags.dtype} {flags.shape}"
        )
    if np.isposinf(values).any():
        raise InvalidInput("log_prob must be below infinity; got +inf, as a failed fit gives")
    return values, flags


def attack_scored(
    values: Array,
    member: Flags,
    attack: str,
    *,
    unit: Units | None = None,
    level: float = LEVEL,
) -> MembershipInference:
    """Attack a table, (fits, records); unit: (fits,) the independent unit of each fit."""
    if attack == "loss":
        return measure_attack(values, member, attack, unit=unit, level=level)
    unit = np.arange(len(values)) if unit is None else unit
    usable = without_zero_densities(values)
    least = shared_noise_errors(usable, member, unit, enough=ENOUGH, rates=RATES)
    scores = log_ratio(usable, member, enough=ENOUGH, unit=unit)
    again = partial(lira_scores, values, member, unit)
    return measure_attack(
        scores, member, attack, unit=unit, level=level, least=least, compute=again
    )


def measure_attack(
    scores: Array,
    member: Flags,
    attack: str,
    *,
    unit: Units | None = None,
    level: float = LEVEL,
    least: Array | None = None,
    compute: Callable[[], Array] | None = None,
) -> MembershipInference:
    """Measure the accuracy of scores, (fits, records); NaN is "no score".

    unit: (fits,) the independent unit of each fit (default: each its own). With one unit alone the
    intervals are for other records in the same fits. least: lower limits of the standard errors of
    the area and of each rate. compute: computes the scores again, which then are not kept.
    """
    floors = np.zeros(1 + len(RATES)) if least is None else np.nan_to_num(least)
    cells = Cells(scores, member, np.arange(len(scores)) if unit is None else unit)
    auc, interval = auc_interval(
        cells, level=level, least_error=float(floors[0]), replicates=GROUPS
    )
    return MembershipInference(
        attack=attack,
        compute=compute or partial(np.asarray, scores),
        included=member,
        auc=auc,
        interval=interval,
        hits=tuple(
            _hits(cells, rate, level, floor)
            for rate, floor in zip(RATES, floors[1:].tolist(), strict=True)
        ),
        level=level,
        unscored=int(np.count_nonzero(cells.of_members[0] + cells.of_others[0] == 0)),
        attacked=scores.shape[1],
        reason=_missing(cells, attack) if np.isnan(auc) else "",
    )


def attack_table(table: Table, attack: str, *, level: float = LEVEL) -> MembershipInference:
    """Attack records that are in or out of fits: of many, a sample.

    Fits with the same seeds are one unit: neither references for each other nor two samples.
    """
    attack = checks.choice("attack", attack, ATTACKS)
    unit, sample = np.asarray(table.design.leader, np.intp), table.sampled()
    found = attack_scored(sample.used(), sample.included(), attack, unit=unit, level=level)
    if sample is table:
        return found
    values, included = table.used(), table.included()
    of_all = partial(lira_scores, values, included, unit)
    compute = of_all if attack == "lira" else partial(np.asarray, values)
    return replace(found, compute=compute, included=included)


def _missing(cells: Cells, attack: str) -> str:
    members, others = (bool(counts[0].any()) for counts in (cells.of_members, cells.of_others))
    if not (members or others) and attack == "lira":
        return (
            "no record has three fits that trained on it and three that did not, all with a density"
            " above zero"
        )
    return "no score of a non-member" if members else "no score of a member"


def lira_scores(values: Array, member: Flags, unit: Units | None = None) -> Array:
    """Compute log-likelihood ratios, (fits, records); NaN for records with a density of zero."""
    return log_ratio(without_zero_densities(values), member, enough=ENOUGH, unit=unit)


def without_zero_densities(values: Array) -> Array:
    """Set the log-likelihoods of records with a density of zero in any fit to NaN."""
    zero = np.zeros(values.shape[1], np.bool_)
    for row in values:
        zero |= row == -np.inf
    return np.where(zero, np.nan, values) if zero.any() else values


def _hits(cells: Cells, rate: float, level: float, least: float) -> HitsAtRate:
    records = int(np.count_nonzero(cells.of_others[0]))
    reason = ""
    if not cells.of_members[0].any():
        reason = "no score of a member"
    elif rate * records < 1:
        reason = f"{100 * rate:.4g} % of {records} records is less than one record"
    if reason:
        return HitsAtRate(rate, np.nan, np.nan, (np.nan, np.nan), reason)
    return HitsAtRate(rate, *tpr_interval_at(cells, rate, level=level, least_error=least))
