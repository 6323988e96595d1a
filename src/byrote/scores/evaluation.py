"""Scores of every record of a table, block by block, so that memory does not grow with them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.fits.table import Table
from byrote.scores.sides import Comparison, Fits, comparisons
from byrote.stats import rank_tests
from byrote.stats.estimate import student_interval
from byrote.stats.memorization import ESTIMATORS, Side, difference, estimates, side_replicates
from byrote.stats.standard_errors import jackknife_error, welch

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
LEVEL = 0.95  # of the confidence intervals
_BLOCK = 1 << 20  # values computed on at a time
_ROUNDING = 1e-9  # of log-likelihoods, below which they do not differ


@dataclass(eq=False)
class Evaluation:
    """What the table says of its r records; NaN where it says nothing.

    ``without`` holds, for each estimator, (units,) sums over records of its change when one unit of
    the jackknife (a repeat, or a fit) is left out; ``resampled`` says over how many: those that
    keep a value on each side whichever is left out. ``degrees`` are those of freedom of mean_log.
    """

    estimate: dict[str, Array]
    standard_error: dict[str, Array]
    degrees: Array
    interval: Array
    log_prob_in: Array
    log_prob_out: Array
    p_value: Array
    n_in: NDArray[np.int32]
    n_out: NDArray[np.int32]
    without: dict[str, Array]
    resampled: dict[str, int]
    smallest_p: float = np.nan
    exact: bool = True

    def count(self, name: str, records: Indices) -> None:
        """These records have replicates; those without an estimate change nothing."""
        self.resampled[name] += int((~np.isnan(self.estimate[name][records])).sum())


def evaluate(table: Table) -> Evaluation:
    """All estimates of all records, with their uncertainty."""
    fits = Order.of(table)
    by_repeat = table.design.units != "fits"  # a pair is a repeat of two fits
    result = _empty(len(table.rows), fits.repeats if by_repeat else len(fits.order))
    for records, comparison in comparisons_of(table, fits):
        result.n_in[records], result.n_out[records] = comparison.counts
        if min(comparison.counts) == 0:
            continue
        _estimate(result, records, comparison)
        degrees = (_by_repeats if by_repeat else _by_fits)(result, records, comparison)
        result.degrees[records] = degrees
        _interval(result, records, degrees)
        if table.design.randomized:
            if table.design.units == "pairs":
                p, exact = rank_tests.signed_rank_test(*comparison.pairs())
            else:
                p, exact = rank_tests.rank_sum_test(comparison.strata())
            result.p_value[records] = p
            result.exact &= exact
            smallest = rank_tests.smallest_p(comparison.shapes())
            result.smallest_p = float(np.fmin(result.smallest_p, smallest))
    result.interval[spreadless(result, 1 - LEVEL)] = np.nan
    return result


def spreadless(found: Evaluation, significance: float) -> NDArray[np.bool_]:
    """(r,) records whose mean_log has an error of zero that is no knowledge of it.

    Where densities take few values, those of a side may be equal by chance. The error is known to
    be zero where it is for every record, as with a model without chance that leaves one record out;
    where no difference is found; and where chance would seldom have made these the values held out.
    """
    estimate, error = found.estimate["mean_log"], found.standard_error["mean_log"]
    least = _ROUNDING * (1 + np.abs(found.log_prob_in) + np.abs(found.log_prob_out))
    with np.errstate(invalid="ignore"):
        flat = error <= least
        if flat[~np.isnan(error)].all():
            return np.zeros(len(error), dtype=bool)
        return np.asarray(
            flat & (np.abs(estimate) > least) & ~(found.p_value <= significance), dtype=bool
        )


def estimates_without(table: Table, left_out: NDArray[np.bool_]) -> dict[str, Array]:
    """The estimates alone, (r,) each, as if the fits in ``left_out``, (F,), had not been made."""
    result = {name: np.full(len(table.rows), np.nan) for name in ESTIMATORS}
    for records, comparison in comparisons_of(table, Order.of(table, left_out)):
        if min(comparison.counts):
            for name, values in estimates(comparison.inside, comparison.outside).items():
                result[name][records] = values
    return result


@dataclass(frozen=True)
class Order:
    """The fits that are there, ordered by repeat, with repeats and groups counted from 0."""

    order: Indices
    fits: Fits
    repeats: int

    @classmethod
    def of(cls, table: Table, left_out: NDArray[np.bool_] | None = None) -> "Order":
        """The order of a table's fits, but for those left out, (F,)."""
        there = table.counting(left_out)
        order = np.flatnonzero(there)
        order = order[np.argsort(table.design.repeat[order], kind="stable")]
        repeat, group = (
            np.unique(of_fit[order], return_inverse=True)[1]
            for of_fit in (table.design.repeat, table.design.group)
        )
        return cls(order, Fits(repeat, group), int(repeat.max(initial=-1)) + 1)


def comparisons_of(table: Table, fits: Order) -> Iterator[tuple[Indices, Comparison]]:
    """Records that are alike in their counts of fits, a block at a time, by their place."""
    roles = table.roles()
    size = max(1, _BLOCK // max(1, len(fits.order)))
    for start in range(0, len(table.rows) if len(fits.order) else 0, size):
        block = slice(start, start + size)
        values = table.log_prob[:, block][fits.order]
        for comparison in comparisons(values, roles[:, block][fits.order], fits.fits):
            yield start + comparison.records, comparison


def _estimate(result: Evaluation, records: Indices, comparison: Comparison) -> None:
    result.log_prob_in[records] = comparison.inside.log_prob()
    result.log_prob_out[records] = comparison.outside.log_prob()
    for name, values in estimates(comparison.inside, comparison.outside).items():
        result.estimate[name][records] = values


def _by_repeats(result: Evaluation, records: Indices, comparison: Comparison) -> Array:
    """Fits of one repeat, or pair, complement one another, so they are left out together."""
    units = len(result.without["score"])
    sides = side_replicates(comparison.inside, comparison.outside, units, units)
    for name in ESTIMATORS:
        replicates = difference(sides[0][name], sides[1][name])
        result.standard_error[name][records] = jackknife_error(replicates)
        result.count(name, records)
        with np.errstate(invalid="ignore"):  # of infinite scores
            change = replicates - result.estimate[name][records][:, None]
            result.without[name] += np.where(np.isnan(change), 0.0, change).sum(axis=0)
    return np.full(len(records), units - 1.0)


def _by_fits(result: Evaluation, records: Indices, comparison: Comparison) -> Array:
    """Fits are independent: each side is jackknifed by itself, and the variances add.

    Returns Welch and Satterthwaite's degrees of freedom.
    """
    inside, outside = comparison.inside, comparison.outside
    if min(comparison.counts) < 2:
        return np.full(len(records), np.nan)
    sides = side_replicates(one_by_one(inside), one_by_one(outside), inside.size, outside.size)
    for name in ESTIMATORS:
        parts = [jackknife_error(side[name]) for side in sides]
        result.standard_error[name][records] = np.hypot(*parts)
        result.count(name, records)
        _add_changes(result.without[name], sides[0][name], comparison.fit_in, +1)
        _add_changes(result.without[name], sides[1][name], comparison.fit_out, -1)
    return welch(parts, (inside.size - 1, outside.size - 1))[1]  # of mean_log, the last


def _add_changes(total: Array, replicates: Array, fit: Indices, sign: int) -> None:
    """Add, to each fit's sum, how leaving it out changes the records that have it on this side."""
    with np.errstate(invalid="ignore"):
        change = sign * (replicates - replicates.mean(axis=1, keepdims=True))
    total += np.bincount(fit.ravel(), change.ravel(), minlength=len(total))


def _interval(result: Evaluation, records: Indices, degrees: Array) -> None:
    centre, error = (v["mean_log"][records] for v in (result.estimate, result.standard_error))
    result.interval[records] = student_interval(centre, error, degrees, LEVEL)


def one_by_one(side: Side) -> Side:
    """The side with each of its values as a unit of the jackknife."""
    return Side(side.values, np.arange(side.size))


def _empty(r: int, units: int) -> Evaluation:
    def nan(*shape: int) -> Array:
        return np.full((r, *shape), np.nan)

    return Evaluation(
        estimate={name: nan() for name in ESTIMATORS},
        standard_error={name: nan() for name in ESTIMATORS},
        degrees=nan(),
        interval=nan(2),
        log_prob_in=nan(),
        log_prob_out=nan(),
        p_value=nan(),
        n_in=np.zeros(r, dtype=np.int32),
        n_out=np.zeros(r, dtype=np.int32),
        without={name: np.zeros(units) for name in ESTIMATORS},
        resampled=dict.fromkeys(ESTIMATORS, 0),
    )
