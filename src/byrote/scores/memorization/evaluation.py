"""Estimates, errors and p-values of every record of a table, block by block."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.runs.table import Table
from byrote.scores.memorization.in_out import FitOrder, InOutBlock, in_out_blocks, unit_per_value
from byrote.scores.memorization.moderated import Discovery, moderated_test
from byrote.stats import rank_tests
from byrote.stats.estimate import student_interval
from byrote.stats.memorization import ESTIMATORS, difference, estimates, side_replicates
from byrote.stats.standard_errors import jackknife_error, welch

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Test = Literal["moderated", "exact"]
TESTS = get_args(Test)
LEVEL = 0.95  # of the confidence intervals, at all looks together
_ROUNDING = 1e-9  # of log-likelihoods, below which they do not differ


@dataclass(eq=False)
class Evaluation:
    """Estimates of r records with their uncertainty; NaN where unknown. Nats.

    Attributes
    ----------
    table, seed
        The log-likelihoods, and the seed of the moderated test's control.
    estimate, standard_error
        (r,) per estimator.
    degrees
        (r,) degrees of freedom of mean_log's error.
    interval
        (r, 2) interval of mean_log.
    change_sums
        Per estimator, (units,) sums over records of its change when one unit of the jackknife (a
        repeat, a pair or a fit) is left out.
    jackknifed
        Per estimator, how many records those sums are over: those that keep a value on each side
        whichever unit is left out.
    """

    table: Table
    seed: int
    estimate: dict[str, Array]
    standard_error: dict[str, Array]
    degrees: Array
    interval: Array
    log_prob_in: Array
    log_prob_out: Array
    p_value_exact: Array
    n_in: NDArray[np.int32]
    n_out: NDArray[np.int32]
    change_sums: dict[str, Array]
    jackknifed: dict[str, int]
    smallest_p_exact: float = np.nan
    exact: bool = True
    test: Test = "moderated"

    @cached_property
    def discovery(self) -> Discovery:
        """The moderated test."""
        if self.test == "exact":
            return Discovery.unavailable(self.table, "the exact test was asked for")
        return moderated_test(self.table, self.seed)

    @cached_property
    def p_value(self) -> Array:
        """(r,) p-values of the test, exact ones where the moderated test cannot be had."""
        moderated = self.discovery.p_value
        moderated = self.table.design.over_looks(moderated)
        p_value = np.where(np.isnan(moderated), self.p_value_exact, moderated)
        return np.where(np.isnan(self.estimate["score"]), np.nan, p_value)

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that a record can have."""
        control = self.discovery.control
        smallest = self.smallest_p_exact if control is None else control.smallest
        return float(self.table.design.over_looks(np.asarray(smallest)))

    def by(self, test: Test) -> "Evaluation":
        """Return the same by another test."""
        checks.choice("test", test, TESTS)
        return self if test == self.test else replace(self, test=test)

    def count(self, name: str, records: Indices) -> None:
        """Add records with replicates to ``jackknifed``, unless they have no estimate."""
        self.jackknifed[name] += int((~np.isnan(self.estimate[name][records])).sum())

    def mean_error(self, name: str) -> float:
        """Jackknife standard error of an estimator's mean over records; NaN if unknown."""
        return mean_error(self.change_sums[name], self.jackknifed[name])


def mean_error(change_sums: Array, records: int) -> float:
    """Standard error of a mean over records, from their sum with each unit left out in turn."""
    return float(jackknife_error(change_sums / records)) if records else float("nan")


def evaluate(table: Table, seed: int = 0) -> Evaluation:
    """Compute all estimates of all records, with their uncertainty."""
    order = FitOrder.of(table)
    by_repeat = table.design.units != "fits"  # a pair is a repeat of two fits
    result = _empty(table, seed, order.repeats if by_repeat else len(order.fits))
    for records, block in in_out_blocks(table, order):
        result.n_in[records], result.n_out[records] = block.counts
        if min(block.counts) == 0:
            continue
        _estimate(result, records, block)
        degrees = (_by_repeats if by_repeat else _by_fits)(result, records, block)
        result.degrees[records] = degrees
        _interval(result, records, degrees)
        if table.design.randomized:
            _test(result, records, block, paired=table.design.units == "pairs")
    result.p_value_exact = table.design.over_looks(result.p_value_exact)
    result.interval[zero_spread(result, 1 - LEVEL)] = np.nan
    return result


def zero_spread(evaluation: Evaluation, significance: float) -> NDArray[np.bool_]:
    """Find records whose standard error of zero does not measure the spread of mean_log, (r,).

    Where densities take few values, those of a side may be equal by chance. The error is known to
    be zero where it is for every record, as with a deterministic model under leave-one-out; where
    the difference is zero; and where chance would seldom have held out exactly these values.
    """
    estimate, error = evaluation.estimate["mean_log"], evaluation.standard_error["mean_log"]
    rounding = _ROUNDING * (1 + np.abs(evaluation.log_prob_in) + np.abs(evaluation.log_prob_out))
    with np.errstate(invalid="ignore"):
        flat = error <= rounding
        if flat[~np.isnan(error)].all():
            return np.zeros(len(error), dtype=bool)
        unlikely = evaluation.p_value_exact <= significance
        return np.asarray(flat & (np.abs(estimate) > rounding) & ~unlikely, dtype=bool)


def estimates_without(table: Table, excluded: NDArray[np.bool_]) -> dict[str, Array]:
    """Compute the estimates alone, (r,) each, without the fits in ``excluded``, (F,)."""
    result = {name: np.full(len(table.rows), np.nan) for name in ESTIMATORS}
    for records, block in in_out_blocks(table, FitOrder.of(table, excluded)):
        if min(block.counts):
            for name, values in estimates(block.inside, block.outside).items():
                result[name][records] = values
    return result


def _test(result: Evaluation, records: Indices, block: InOutBlock, *, paired: bool) -> None:
    if paired:
        p, exact = rank_tests.signed_rank_test(*block.pairs())
    else:
        p, exact = rank_tests.rank_sum_test(block.strata())
    result.p_value_exact[records] = p
    result.exact &= exact
    smallest = rank_tests.smallest_p(block.shapes())
    result.smallest_p_exact = float(np.fmin(result.smallest_p_exact, smallest))


def _estimate(result: Evaluation, records: Indices, block: InOutBlock) -> None:
    result.log_prob_in[records] = block.inside.log_prob
    result.log_prob_out[records] = block.outside.log_prob
    for name, values in estimates(block.inside, block.outside).items():
        result.estimate[name][records] = values


def _by_repeats(result: Evaluation, records: Indices, block: InOutBlock) -> Array:
    """Jackknife repeats or pairs: their fits complement one another."""
    units = len(result.change_sums["score"])
    sides = side_replicates(block.inside, block.outside, units, units)
    for name in ESTIMATORS:
        replicates = difference(sides[0][name], sides[1][name])
        result.standard_error[name][records] = jackknife_error(replicates)
        result.count(name, records)
        with np.errstate(invalid="ignore"):  # of infinite scores
            change = replicates - result.estimate[name][records][:, None]
            result.change_sums[name] += np.where(np.isnan(change), 0.0, change).sum(axis=0)
    return np.full(len(records), units - 1.0)


def _by_fits(result: Evaluation, records: Indices, block: InOutBlock) -> Array:
    """Jackknife the independent fits of each side; returns Welch and Satterthwaite's degrees."""
    inside, outside = block.inside, block.outside
    if min(block.counts) < 2:
        return np.full(len(records), np.nan)
    sides = side_replicates(
        unit_per_value(inside), unit_per_value(outside), inside.size, outside.size
    )
    for name in ESTIMATORS:
        parts = [jackknife_error(side[name]) for side in sides]
        result.standard_error[name][records] = np.hypot(*parts)
        result.count(name, records)
        _add_changes(result.change_sums[name], sides[0][name], block.fit_in, +1)
        _add_changes(result.change_sums[name], sides[1][name], block.fit_out, -1)
    return welch(parts, (inside.size - 1, outside.size - 1))[1]  # of mean_log, the last


def _add_changes(total: Array, replicates: Array, fit: Indices, sign: int) -> None:
    """Add to each fit's sum how leaving it out changes the records with it on this side."""
    with np.errstate(invalid="ignore"):
        change = sign * (replicates - replicates.mean(axis=1, keepdims=True))
    total += np.bincount(fit.ravel(), change.ravel(), minlength=len(total))


def _interval(result: Evaluation, records: Indices, degrees: Array) -> None:
    centre, error = (v["mean_log"][records] for v in (result.estimate, result.standard_error))
    level = 1 - result.table.design.per_look(1 - LEVEL)
    result.interval[records] = student_interval(centre, error, degrees, level)


def _empty(table: Table, seed: int, units: int) -> Evaluation:
    r = len(table.rows)

    def nan(*shape: int) -> Array:
        return np.full((r, *shape), np.nan)

    return Evaluation(
        table=table,
        seed=seed,
        estimate={name: nan() for name in ESTIMATORS},
        standard_error={name: nan() for name in ESTIMATORS},
        degrees=nan(),
        interval=nan(2),
        log_prob_in=nan(),
        log_prob_out=nan(),
        p_value_exact=nan(),
        n_in=np.zeros(r, dtype=np.int32),
        n_out=np.zeros(r, dtype=np.int32),
        change_sums={name: np.zeros(units) for name in ESTIMATORS},
        jackknifed=dict.fromkeys(ESTIMATORS, 0),
    )
