"""Runs with memorization scores: their matched records, and how the scores differ."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import IncompleteRun, InvalidInput
from byrote.plans import Design
from byrote.runs.table import Table
from byrote.scores.compare.comparison import CROSSINGS, ComparedScores, ScoreChange
from byrote.scores.compare.score_difference import (
    EvaluatedTable,
    ScoreDifference,
    independent_difference,
    paired_difference,
)
from byrote.scores.memorization import held_out
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.memorization.summary import describe, why_no_errors
from byrote.scores.run import Run
from byrote.stats.estimate import (
    LEVEL,
    Estimate,
    difference,
    from_error,
    student_interval,
    student_p_value,
)
from byrote.stats.memorization import ESTIMATORS
from byrote.stats.multiple_testing import q_values

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class MatchedRecords(EvaluatedTable):
    """A run's table of its m matched records, with its evaluation.

    ids: (m,). q_value: (m,) of the run on its own, among all of its records. of: number of those.
    """

    run: Run
    ids: NDArray[Any]
    q_value: Array
    of: int


def match_records(runs: dict[str, Run], match: str, *, partial: bool) -> dict[str, MatchedRecords]:
    """Read runs and match their records.

    Under "same", fits that one run lacks count in none, so that fits pair.

    Raises
    ------
    InvalidInput
        If no record is in all runs, or labels show that ids name different records.
    IncompleteRun
        If fits are missing and ``partial`` is false, or no fit is left.
    """
    tables = {name: run.table(partial=partial) for name, run in runs.items()}
    if match == "same":
        missing = tuple(sorted({fit for table in tables.values() for fit in table.missing}))
        tables = {
            name: table if table.missing == missing else replace(table, missing=missing)
            for name, table in tables.items()
        }
    for name, table in tables.items():
        if not table.counting().any():
            raise IncompleteRun(runs[name].folder.complaint(table.missing))
    ids = {name: run.folder.ids[tables[name].rows] for name, run in runs.items()}
    if match != "ids":
        return {name: _cut(run, tables[name], ids[name], None) for name, run in runs.items()}
    rows = _matching_rows(ids)
    labels = {
        name: run.folder.labels[tables[name].rows[rows[name]]]
        for name, run in runs.items()
        if run.folder.labels is not None
    }
    _check_labels(labels)
    return {name: _cut(run, tables[name], ids[name], rows[name]) for name, run in runs.items()}


def _matching_rows(ids: dict[str, NDArray[Any]]) -> dict[str, Rows]:
    """Rows, in each run, of the records that all runs score; in the baseline's order."""
    if len({names.dtype.kind for names in ids.values()}) > 1:  # numbers in one file, text elsewhere
        ids = {name: names.astype(str) for name, names in ids.items()}
    base, *others = ids.values()
    common = base[np.all([np.isin(base, other) for other in others], axis=0)]
    if len(common) == 0:
        raise InvalidInput("runs must have scored records in common; no id is in all of them")
    order = {name: np.argsort(names, kind="stable") for name, names in ids.items()}
    return {
        name: order[name][np.searchsorted(names, common, sorter=order[name])]
        for name, names in ids.items()
    }


def _check_labels(labels: dict[str, NDArray[Any]]) -> None:
    """Reject ids that name different records, as labels show."""
    if len(labels) < 2:
        return
    (base, first), *others = labels.items()
    for name, second in others:
        wrong = int(np.count_nonzero(first.astype(str) != second.astype(str)))
        if wrong:
            raise InvalidInput(
                f"ids must name the same records in all runs; {wrong:,} of {len(second):,} matched"
                f" records have another label in {name!r} than in {base!r}"
            )


def _cut(run: Run, table: Table, ids: NDArray[Any], rows: Rows | None) -> MatchedRecords:
    """Keep matched records, with q-values among all records of their run."""
    same = table.missing == run.table(partial=True).missing
    whole = run.evaluation if same else evaluate(table, run.manifest.seed)
    q = q_values(whole.p_value)
    if rows is None:
        return MatchedRecords(table, whole, run, ids, q, len(ids))
    cut = replace(table, rows=table.rows[rows], log_prob=table.log_prob[:, rows])
    return MatchedRecords(cut, evaluate(cut), run, ids[rows], q[rows], len(ids))


def compared_scores(described: dict[str, Any], records: MatchedRecords) -> ComparedScores:
    """Summarize a run's matched records."""
    evaluation, estimates = records.evaluation, records.evaluation.estimate
    tested = ~np.isnan(records.q_value)
    degrees = records.mean_degrees()
    return ComparedScores(
        **described,
        held_out=mean_log_prob(records.table, "out"),
        in_training=mean_log_prob(records.table, "in"),
        quantiles={name: describe(values) for name, values in estimates.items()},
        mean={
            name: _mean(name, values, evaluation.mean_error(name), degrees, records.table)
            for name, values in estimates.items()
        },
        scored=int(np.count_nonzero(~np.isnan(estimates["score"]))),
        significant=int((records.q_value <= SIGNIFICANCE).sum()) if tested.any() else None,
    )


def score_change(
    name: str, base: MatchedRecords, other: MatchedRecords, level: float = LEVEL
) -> ScoreChange:
    """Compare the scores of a run with the baseline's; ``level``: of the means' intervals."""
    paired = _fits_pair(base, other)
    change = (paired_difference if paired else independent_difference)(base, other)
    value, error = change.value["mean_log"], change.standard_error["mean_log"]
    # Each run stops at a look of its own, so every pair of looks has its part of the error.
    looks = replace(base.table.design, looks=base.table.design.looks * other.table.design.looks)
    p_value = looks.over_looks(student_p_value(value, error, change.degrees))
    return ScoreChange(
        name=name,
        paired=paired,
        held_out=_held_out(base.table, other.table, level, paired=paired),
        mean={
            n: _mean(
                n, change.value[n], change.mean_error[n], change.mean_degrees, base.table, level
            )
            for n in ESTIMATORS
        },
        ids=base.ids,
        baseline=base.evaluation.estimate,
        difference=change.value,
        standard_error=change.standard_error,
        interval=student_interval(value, error, change.degrees, 1 - looks.per_look(1 - LEVEL)),
        p_value=p_value,
        q_value=q_values(p_value),
        crossing=_crossing(base, other),
        reason=_reason(change, base, other),
    )


def same_fits(first: Design, second: Design) -> bool:
    """Whether fit f of both has the same seeds, if the runs have one seed."""
    keys = ("repeat", "fold", "leader", "group")
    return (
        first.fits == second.fits
        and first.units == second.units
        and all(np.array_equal(getattr(first, key), getattr(second, key)) for key in keys)
    )


def _fits_pair(base: MatchedRecords, other: MatchedRecords) -> bool:
    """Whether fit f of both has the same seeds, and the same of these records in and out."""
    return (
        base.run.manifest.seed == other.run.manifest.seed
        and same_fits(base.run.design, other.run.design)
        and base.table.missing == other.table.missing
        and np.array_equal(base.table.roles(), other.table.roles())
    )


def mean_log_prob(table: Table, side: str, level: float = LEVEL) -> Estimate:
    """Estimate the mean log p of a side, "in" or "out", with the records fixed; nats."""
    mean = held_out.mean_log_prob(table, side)
    return from_error(mean.value, mean.error, mean.degrees, level=level, units=table.design.units)


def _held_out(base: Table, other: Table, level: float, *, paired: bool) -> Estimate:
    """Estimate the difference of the mean held-out log p: of each fit, where fits pair."""
    if paired:
        with np.errstate(invalid="ignore"):  # of densities that are zero in both
            gap = replace(base, log_prob=other.log_prob - base.log_prob)
        return mean_log_prob(gap, "out", level)
    before, after = (held_out.mean_log_prob(table, "out") for table in (base, other))
    return difference(after, before, level=level, units=base.design.units)


def _mean(
    name: str,
    values: Array,
    error: float,
    degrees: float,
    table: Table,
    level: float = LEVEL,
) -> Estimate:
    known = values[~np.isnan(values)]  # others were never in, or never out
    if not (len(known) and np.isfinite(known).all()):
        return Estimate(np.nan, reason="no record has a score, or some have an infinite one")
    value = float(known.mean())
    if name != "mean_log":
        return Estimate(value, reason="Student's intervals cover too rarely for this estimator")
    return from_error(value, error, degrees, level=level, units=table.design.units)


def _crossing(base: MatchedRecords, other: MatchedRecords) -> NDArray[np.int8]:
    before, after = base.q_value <= SIGNIFICANCE, other.q_value <= SIGNIFICANCE
    places = [CROSSINGS.index(name) for name in ("both", "newly", "no longer")]
    crossing = np.select([before & after, after, before], places, CROSSINGS.index("neither"))
    crossing[np.isnan(base.q_value) | np.isnan(other.q_value)] = -1
    return crossing.astype(np.int8)


def _reason(change: ScoreDifference, base: MatchedRecords, other: MatchedRecords) -> str:
    if not np.isnan(change.standard_error["mean_log"]).all():
        return ""
    reasons = [why_no_errors(records.table, records.evaluation) for records in (base, other)]
    return next(filter(None, reasons), "densities of zero have no standard error")
