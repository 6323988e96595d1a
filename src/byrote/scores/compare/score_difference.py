"""Differences between the scores of two tables, record by record, with their errors."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import Evaluation, mean_error
from byrote.scores.memorization.in_out import FitOrder, InOutBlock, in_out_blocks, unit_per_value
from byrote.stats.memorization import ESTIMATORS, difference, side_replicates
from byrote.stats.standard_errors import jackknife_error, welch
from byrote.stats.threads import for_each

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ScoreDifference:
    """The second table's estimates minus the first's, of the same r records; nats.

    Attributes
    ----------
    value, standard_error
        (r,) per estimator.
    degrees
        (r,) degrees of freedom of mean_log's error.
    mean_error, mean_degrees
        Per estimator, the standard error of the mean over records; mean_log's degrees of freedom.
    """

    value: dict[str, Array]
    standard_error: dict[str, Array]
    degrees: Array
    mean_error: dict[str, float]
    mean_degrees: float


@dataclass(frozen=True, eq=False)
class EvaluatedTable:
    """A table with its evaluation."""

    table: Table
    evaluation: Evaluation

    def mean_degrees(self) -> float:
        """Degrees of freedom of mean errors: units less 1; single fits have two sides."""
        fits = self.table.counting()
        if self.table.design.units == "fits":
            return float(fits.sum()) - 2
        return len(np.unique(self.table.design.repeat[fits])) - 1.0


def paired_difference(first: EvaluatedTable, second: EvaluatedTable) -> ScoreDifference:
    """Pair fit f of both tables: the same records in and out, the same seeds.

    A unit of the jackknife (a repeat, a pair, or a fit on its side) is left out of both at once, so
    what the two fits share cancels: for ``mean_log`` this is Student's paired t.
    """
    r, by_repeat = len(first.table.rows), first.table.design.units != "fits"
    before, after = first.evaluation, second.evaluation
    units = len(before.change_sums["score"])
    error = {name: np.full(r, np.nan) for name in ESTIMATORS}
    degrees = np.full(r, np.nan)

    def compare(cut: tuple[Indices, InOutBlock, InOutBlock]) -> None:
        records, *blocks = cut
        if min(blocks[0].counts) < (1 if by_repeat else 2):
            return
        replicates = _without_repeats(blocks, units) if by_repeat else _without_fits(blocks)
        for name in ESTIMATORS:
            parts = [jackknife_error(side) for side in replicates[name]]
            error[name][records] = np.sqrt(sum(part**2 for part in parts))
        degrees[records] = _degrees(replicates["mean_log"], len(records))

    for_each(compare, _blocks(first.table, second.table), size=first.table.log_prob.size)
    of_mean = {
        name: mean_error(
            after.change_sums[name] - before.change_sums[name],
            min(before.jackknifed[name], after.jackknifed[name]),
        )
        for name in ESTIMATORS
    }
    return ScoreDifference(_values(first, second), error, degrees, of_mean, first.mean_degrees())


def independent_difference(first: EvaluatedTable, second: EvaluatedTable) -> ScoreDifference:
    """Treat the fits of the two tables as independent: variances add."""
    tables = (first, second)
    before, after = (table.evaluation for table in tables)
    errors = [before.standard_error, after.standard_error]
    error = {name: np.hypot(errors[0][name], errors[1][name]) for name in ESTIMATORS}
    _, degrees = welch([side["mean_log"] for side in errors], [before.degrees, after.degrees])
    means = {name: (before.mean_error(name), after.mean_error(name)) for name in ESTIMATORS}
    _, mean_degrees = welch(means["mean_log"], [table.mean_degrees() for table in tables])
    of_mean = {name: float(np.hypot(*both)) for name, both in means.items()}
    value = _values(first, second)
    return ScoreDifference(value, error, degrees, of_mean, float(mean_degrees))


def _values(first: EvaluatedTable, second: EvaluatedTable) -> dict[str, Array]:
    before, after = first.evaluation.estimate, second.evaluation.estimate
    return {name: difference(after[name], before[name]) for name in ESTIMATORS}


def _blocks(first: Table, second: Table) -> Iterator[tuple[Indices, InOutBlock, InOutBlock]]:
    """Both tables block by block; the same roles cut both into the same records."""
    cut = (in_out_blocks(table, FitOrder.of(table)) for table in (first, second))
    for (records, before), (_, after) in zip(*cut, strict=True):
        yield records, before, after


def _without_repeats(blocks: list[InOutBlock], units: int) -> dict[str, list[Array]]:
    """Compute differences leaving out each repeat, or pair, in turn, (m, units)."""
    scores = []
    for block in blocks:
        sides = side_replicates(block.inside, block.outside, units, units)
        scores.append({name: difference(sides[0][name], sides[1][name]) for name in ESTIMATORS})
    return {name: [difference(scores[1][name], scores[0][name])] for name in ESTIMATORS}


def _without_fits(blocks: list[InOutBlock]) -> dict[str, list[Array]]:
    """Compute differences leaving out each fit of a side in turn, (m, a) and (m, b)."""
    sides = []
    for block in blocks:
        inside, outside = unit_per_value(block.inside), unit_per_value(block.outside)
        sides.append(side_replicates(inside, outside, inside.size, outside.size))
    return {
        name: [difference(sides[1][side][name], sides[0][side][name]) for side in (0, 1)]
        for name in ESTIMATORS
    }


def _degrees(replicates: list[Array], records: int) -> Array:
    sizes = [side.shape[1] - 1.0 for side in replicates]
    if len(sizes) == 1:
        return np.full(records, sizes[0])
    return welch([jackknife_error(side) for side in replicates], sizes)[1]
