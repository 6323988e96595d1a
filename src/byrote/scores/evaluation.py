"""Scores of every record of a table, block by block, so that memory does not grow with them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from byrote.fits.table import Table
from byrote.scores.sides import Comparison, Fits, comparisons
from byrote.stats import jackknife, ranks
from byrote.stats.memorization import ESTIMATORS, Side, difference, estimates, side_replicates

Array = NDArray[np.float64]
LEVEL = 0.95  # of the confidence intervals
_BLOCK = 8192  # records computed on at a time
_MOST_REPLICATES = 20  # kept per record; with more repeats the summary leaves out several at a time


@dataclass(eq=False)
class Evaluation:
    """What the table says of its r records; NaN where it says nothing."""

    estimate: dict[str, Array]
    standard_error: dict[str, Array]
    interval: Array
    log_prob_in: Array
    log_prob_out: Array
    p_value: Array
    n_in: NDArray[np.int32]
    n_out: NDArray[np.int32]
    replicates: dict[str, Array]
    smallest_p: float = np.nan
    exact: bool = True


def evaluate(table: Table) -> Evaluation:
    """All estimates of all records, with their uncertainty."""
    by_repeat = table.design.units == "repeats"
    repeats = len(np.unique(table.design.repeat)) if by_repeat else 0
    result = _empty(len(table.rows), repeats if 1 < repeats <= _MOST_REPLICATES else 0)
    for records, comparison in _comparisons(table):
        result.n_in[records], result.n_out[records] = comparison.counts
        if min(comparison.counts) == 0:
            continue
        _evaluate(result, records, comparison, repeats)
        if table.design.randomized:
            p, exact = ranks.held_out_low(comparison.strata())
            result.p_value[records] = p
            result.exact &= exact
            smallest = ranks.smallest_p(comparison.shapes())
            result.smallest_p = float(np.fmin(result.smallest_p, smallest))
    return result


def estimates_without(table: Table, left_out: NDArray[np.bool_]) -> dict[str, Array]:
    """The estimates alone, (r,) each, as if the fits in ``left_out``, (F,), had not been made."""
    result = {name: np.full(len(table.rows), np.nan) for name in ESTIMATORS}
    for records, comparison in _comparisons(table, left_out):
        if min(comparison.counts):
            for name, values in estimates(comparison.inside, comparison.outside).items():
                result[name][records] = values
    return result


def _comparisons(
    table: Table, left_out: NDArray[np.bool_] | None = None
) -> Iterator[tuple[NDArray[np.intp], Comparison]]:
    repeat, group = (
        np.unique(of_fit, return_inverse=True)[1]
        for of_fit in (table.design.repeat, table.design.group)
    )
    order = np.argsort(repeat, kind="stable")
    if left_out is not None:
        order = order[~left_out[order]]
    roles = table.roles()
    for start in range(0, len(table.rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        values = table.log_prob[:, block][order]
        fits = Fits(repeat[order], group[order])
        for comparison in comparisons(values, roles[:, block][order], fits):
            yield start + comparison.records, comparison


def _evaluate(
    result: Evaluation, records: NDArray[np.intp], comparison: Comparison, repeats: int
) -> None:
    inside, outside = comparison.inside, comparison.outside
    result.log_prob_in[records] = inside.log_prob()
    result.log_prob_out[records] = outside.log_prob()
    for name, values in estimates(inside, outside).items():
        result.estimate[name][records] = values
    if repeats:
        errors = _by_repeats(result, records, comparison, repeats)
        degrees = repeats - 1
    else:
        errors = _by_fits(inside, outside)
        degrees = inside.size + outside.size - 2
    for name in ESTIMATORS:
        result.standard_error[name][records] = errors[name]
    if degrees > 0:
        reach = student.ppf((1 + LEVEL) / 2, degrees) * errors["mean_log"]
        centre = result.estimate["mean_log"][records]
        result.interval[records] = np.stack([centre - reach, centre + reach], axis=1)


def _by_repeats(
    result: Evaluation, records: NDArray[np.intp], comparison: Comparison, repeats: int
) -> dict[str, Array]:
    """Fits of one repeat share a partition, so they are left out together."""
    inside, outside = side_replicates(comparison.inside, comparison.outside, repeats, repeats)
    errors = {}
    for name in ESTIMATORS:
        replicates = difference(inside[name], outside[name])
        errors[name] = jackknife.standard_error(replicates)
        if result.replicates:
            result.replicates[name][records] = replicates
    return errors


def _by_fits(inside: Side, outside: Side) -> dict[str, Array]:
    """Fits are independent, so each side is jackknifed by itself and the variances add."""
    sides = side_replicates(_one_by_one(inside), _one_by_one(outside), inside.size, outside.size)
    return {
        name: np.hypot(*(jackknife.standard_error(side[name]) for side in sides))
        for name in ESTIMATORS
    }


def _one_by_one(side: Side) -> Side:
    return Side(side.values, np.arange(side.size))


def _empty(r: int, replicates: int) -> Evaluation:
    def nan(*shape: int) -> Array:
        return np.full((r, *shape), np.nan)

    return Evaluation(
        estimate={name: nan() for name in ESTIMATORS},
        standard_error={name: nan() for name in ESTIMATORS},
        interval=nan(2),
        log_prob_in=nan(),
        log_prob_out=nan(),
        p_value=nan(),
        n_in=np.zeros(r, dtype=np.int32),
        n_out=np.zeros(r, dtype=np.int32),
        replicates={name: nan(replicates) for name in ESTIMATORS} if replicates else {},
    )
