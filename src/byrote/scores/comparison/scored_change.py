"""What runs show of the same records, and how they differ."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from byrote.fits.table import Table
from byrote.scores.comparison import change as changes
from byrote.scores.comparison.opening import same_fits
from byrote.scores.comparison.result import CROSSINGS, ScoreChange
from byrote.scores.comparison.scored import Scored
from byrote.scores.memorization import held_out
from byrote.scores.memorization.summary import SIGNIFICANCE, describe, why_no_errors
from byrote.stats.estimate import (
    Estimate,
    difference,
    from_error,
    student_interval,
    student_p_value,
)
from byrote.stats.memorization import ESTIMATORS
from byrote.stats.multiple_testing import q_values

Array = NDArray[np.float64]


def pairs(base: Scored, other: Scored) -> bool:
    """Whether fit f of both has the same seeds, and the same of these records in and out."""
    return (
        base.run.manifest.seed == other.run.manifest.seed
        and same_fits(base.run.design, other.run.design)
        and base.table.missing == other.table.missing
        and np.array_equal(base.table.roles(), other.table.roles())
    )


def change_of(name: str, base: Scored, other: Scored) -> ScoreChange:
    """How the scores of a run differ from the baseline's."""
    paired = pairs(base, other)
    found = (changes.paired if paired else changes.independent)(base, other)
    value, error = found.value["mean_log"], found.standard_error["mean_log"]
    p_value = student_p_value(value, error, found.degrees)
    return ScoreChange(
        name=name,
        paired=paired,
        held_out=_held_out(base.table, other.table, paired=paired),
        mean={
            n: _mean(n, found.value[n], found.mean_error[n], found.mean_degrees, base.table)
            for n in ESTIMATORS
        },
        ids=base.ids,
        baseline=base.evaluation.estimate,
        difference=found.value,
        standard_error=found.standard_error,
        interval=student_interval(value, error, found.degrees),
        p_value=p_value,
        q_value=q_values(p_value),
        crossing=_crossing(base, other),
        reason=_reason(found, base, other),
    )


def mean_log_prob(table: Table, side: str) -> Estimate:
    """Mean log p of the records held out ("out") or in training ("in")."""
    found = held_out.mean_log_prob(table, side)
    return from_error(found.value, found.error, found.degrees, units=table.design.units)


def means(one: Scored) -> dict[str, Estimate]:
    """Mean of each estimator over the records; the interval of mean_log's alone."""
    return {
        name: _mean(name, values, one.mean_error(name), one.mean_degrees(), one.table)
        for name, values in one.evaluation.estimate.items()
    }


def quantiles(one: Scored) -> Mapping[str, Mapping[str, float]]:
    """Per estimator, the statistics of the summary for the records that are compared."""
    return {name: describe(values) for name, values in one.evaluation.estimate.items()}


def _held_out(base: Table, other: Table, *, paired: bool) -> Estimate:
    """Difference of the mean held-out log p: of each fit, where fits pair."""
    if paired:
        with np.errstate(invalid="ignore"):  # of densities that are zero in both
            both = replace(base, log_prob=other.log_prob - base.log_prob)
        return mean_log_prob(both, "out")
    before, after = (held_out.mean_log_prob(table, "out") for table in (base, other))
    return difference(after, before, units=base.design.units)


def _mean(name: str, values: Array, error: float, degrees: float, table: Table) -> Estimate:
    known = values[~np.isnan(values)]  # others were never in, or never out
    if not (len(known) and np.isfinite(known).all()):
        return Estimate(np.nan, reason="no record has a score, or some have an infinite one")
    value = float(known.mean())
    if name != "mean_log":
        return Estimate(value, reason="Student's intervals cover too rarely for this estimator")
    return from_error(value, error, degrees, units=table.design.units)


def _crossing(base: Scored, other: Scored) -> NDArray[np.int8]:
    before, after = base.q_value <= SIGNIFICANCE, other.q_value <= SIGNIFICANCE
    places = [CROSSINGS.index(name) for name in ("both", "newly", "no longer")]
    found = np.select([before & after, after, before], places, CROSSINGS.index("neither"))
    found[np.isnan(base.q_value) | np.isnan(other.q_value)] = -1
    return found.astype(np.int8)


def _reason(found: changes.Change, base: Scored, other: Scored) -> str:
    if not np.isnan(found.standard_error["mean_log"]).all():
        return ""
    reasons = [why_no_errors(one.table, one.evaluation) for one in (base, other)]
    return next(filter(None, reasons), "densities of zero have no standard error")
