"""How much each record's scores differ between two tables, with what chance explains of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.fits.table import Table
from byrote.scores.memorization.evaluation import Evaluation
from byrote.scores.memorization.in_out import FitOrder, InOutBlock, in_out_blocks, unit_per_value
from byrote.stats.memorization import ESTIMATORS, difference, side_replicates
from byrote.stats.standard_errors import jackknife_error, welch

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Change:
    """The second table's estimates minus the first's, of the same r records; nats.

    Attributes
    ----------
    value, standard_error
        (r,) per estimator.
    degrees
        (r,) degrees of freedom of mean_log's.
    mean_error, mean_degrees
        Per estimator, the standard error of the mean over records; mean_log's degrees of freedom.
    """

    value: dict[str, Array]
    standard_error: dict[str, Array]
    degrees: Array
    mean_error: dict[str, float]
    mean_degrees: float


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A table with all that it says of its records."""

    table: Table
    evaluation: Evaluation

    def mean_error(self, name: str) -> float:
        """Standard error of the mean of an estimator over the records."""
        found = self.evaluation
        return _of_mean(found.change_sums[name], found.jackknifed[name])

    def mean_degrees(self) -> float:
        """Its degrees of freedom: units but one; single fits have two sides, each with a mean."""
        there = self.table.counting()
        if self.table.design.units == "fits":
            return float(there.sum()) - 2
        return len(np.unique(self.table.design.repeat[there])) - 1.0


def paired(one: Evaluated, other: Evaluated) -> Change:
    """Fit f of one table beside fit f of the other: the same records in and out, the same seeds.

    A unit of the jackknife (a repeat, a pair, or a fit on its side) is left out of both at once, so
    what the two fits share cancels: for ``mean_log`` this is Student's paired t.
    """
    r, by_repeat = len(one.table.rows), one.table.design.units != "fits"
    before, after = (each.evaluation.change_sums for each in (one, other))
    units = len(before["score"])
    error = {name: np.full(r, np.nan) for name in ESTIMATORS}
    degrees = np.full(r, np.nan)
    for records, *both in _together(one.table, other.table):
        if min(both[0].counts) < (1 if by_repeat else 2):
            continue
        replicates = _repeats(both, units) if by_repeat else _fits(both)
        for name in ESTIMATORS:
            parts = [jackknife_error(side) for side in replicates[name]]
            error[name][records] = np.sqrt(sum(part**2 for part in parts))
        degrees[records] = _degrees(replicates["mean_log"], len(records))
    count = {
        name: min(each.evaluation.jackknifed[name] for each in (one, other)) for name in ESTIMATORS
    }
    mean_error = {name: _of_mean(after[name] - before[name], count[name]) for name in ESTIMATORS}
    return _change(one, other, error, degrees, (mean_error, one.mean_degrees()))


def independent(one: Evaluated, other: Evaluated) -> Change:
    """Fits of the two tables have nothing to do with each other: variances add."""
    both = (one, other)
    errors = [each.evaluation.standard_error for each in both]
    error = {name: np.hypot(errors[0][name], errors[1][name]) for name in ESTIMATORS}
    _, degrees = welch(
        [found["mean_log"] for found in errors], [each.evaluation.degrees for each in both]
    )
    means = {name: (one.mean_error(name), other.mean_error(name)) for name in ESTIMATORS}
    own = [each.mean_degrees() for each in both]
    _, mean_degrees = welch(means["mean_log"], own)
    mean_error = {name: float(np.hypot(first, second)) for name, (first, second) in means.items()}
    return _change(one, other, error, degrees, (mean_error, float(mean_degrees)))


def _change(
    one: Evaluated,
    other: Evaluated,
    error: dict[str, Array],
    degrees: Array,
    mean: tuple[dict[str, float], float],
) -> Change:
    before, after = (each.evaluation.estimate for each in (one, other))
    value = {name: difference(after[name], before[name]) for name in ESTIMATORS}
    return Change(value, error, degrees, *mean)


def _together(first: Table, second: Table) -> Iterator[tuple[Indices, InOutBlock, InOutBlock]]:
    """Both tables block by block; the same roles cut both into the same records."""
    cut = (in_out_blocks(table, FitOrder.of(table)) for table in (first, second))
    for (records, one), (_, other) in zip(*cut, strict=True):
        yield records, one, other


def _repeats(both: list[InOutBlock], units: int) -> dict[str, list[Array]]:
    """(m, units) differences without one repeat, or pair, at a time."""
    found = []
    for each in both:
        sides = side_replicates(each.inside, each.outside, units, units)
        found.append({name: difference(sides[0][name], sides[1][name]) for name in ESTIMATORS})
    return {name: [difference(found[1][name], found[0][name])] for name in ESTIMATORS}


def _fits(both: list[InOutBlock]) -> dict[str, list[Array]]:
    """(m, a) and (m, b) differences without one fit at a time: fits of a side are independent."""
    found = [
        side_replicates(
            unit_per_value(c.inside), unit_per_value(c.outside), c.inside.size, c.outside.size
        )
        for c in both
    ]
    return {
        name: [difference(found[1][side][name], found[0][side][name]) for side in (0, 1)]
        for name in ESTIMATORS
    }


def _degrees(replicates: list[Array], records: int) -> Array:
    sizes = [side.shape[1] - 1.0 for side in replicates]
    if len(sizes) == 1:
        return np.full(records, sizes[0])
    errors = [jackknife_error(side) for side in replicates]
    return welch(errors, sizes)[1]


def _of_mean(without: Array, records: int) -> float:
    """Standard error of a mean over records, from how their sum changes without one unit."""
    return float(jackknife_error(without / records)) if records else float("nan")
