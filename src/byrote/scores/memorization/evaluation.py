"""Estimates, errors and p-values of every record of a table, block by block."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.runs.table import Table
from byrote.scores.memorization.exact_tests import ExactTests, exact_tests
from byrote.scores.memorization.in_out import (
    FitOrder,
    InOutBlock,
    blocks_of_cut,
    cuts,
    in_cuts,
    unit_per_value,
)
from byrote.scores.memorization.moderated import Discovery, moderated_test
from byrote.stats.estimate import student_interval
from byrote.stats.memorization import ESTIMATORS, Side, difference, estimates, side_replicates
from byrote.stats.rows import blocks
from byrote.stats.standard_errors import error_of_deviations, jackknife_error, welch
from byrote.stats.threads import for_each

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Test = Literal["moderated", "exact"]
TESTS = get_args(Test)
LEVEL = 0.95  # of the confidence intervals, at all looks together
_ROUNDING = 1e-9  # of log-likelihoods, below which they do not differ
_INTERVALS = 1 << 16  # computed at a time


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
    log_prob_in: Array
    log_prob_out: Array
    n_in: NDArray[np.int32]
    n_out: NDArray[np.int32]
    change_sums: dict[str, Array]
    jackknifed: dict[str, int]
    test: Test = "moderated"

    @cached_property
    def interval(self) -> Array:
        """(r, 2) interval of mean_log."""
        level = 1 - self.table.design.per_look(1 - LEVEL)
        centre, error = (each["mean_log"] for each in (self.estimate, self.standard_error))
        interval = np.empty((len(centre), 2))

        def of_block(rows: slice) -> None:
            interval[rows] = student_interval(centre[rows], error[rows], self.degrees[rows], level)

        for_each(of_block, blocks(len(centre), _INTERVALS), size=len(centre))
        interval[zero_spread(self, 1 - LEVEL)] = np.nan
        return interval

    @cached_property
    def without_spread(self) -> NDArray[np.bool_]:
        """(r,) whether mean_log has an error of zero but is not zero; none if all errors are."""
        estimate, error = self.estimate["mean_log"], self.standard_error["mean_log"]
        with np.errstate(invalid="ignore"):
            rounding = _ROUNDING * (1 + np.abs(self.log_prob_in) + np.abs(self.log_prob_out))
            flat = error <= rounding
            some = not flat[~np.isnan(error)].all()
            return np.asarray(flat & (np.abs(estimate) > rounding) & some, dtype=bool)

    @cached_property
    def exact_tests(self) -> ExactTests:
        """The exact rank tests."""
        return exact_tests(self.table)

    @property
    def p_value_exact(self) -> Array:
        """(r,) p-values of the exact tests."""
        return self.exact_tests.p_value

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
        scored = ~np.isnan(self.estimate["score"])
        if np.isnan(moderated[scored]).any():
            moderated = np.where(np.isnan(moderated), self.p_value_exact, moderated)
        return np.where(scored, moderated, np.nan)

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that a record can have."""
        control = self.discovery.control
        smallest = self.exact_tests.smallest if control is None else control.smallest
        return float(self.table.design.over_looks(np.asarray(smallest)))

    def by(self, test: Test) -> "Evaluation":
        """Return the same by another test."""
        checks.choice("test", test, TESTS)
        return self if test == self.test else replace(self, test=test)

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
    jackknife = _by_repeats if by_repeat else _by_fits

    def of_cut(cut: slice) -> _Changes:
        changes = _Changes.none(len(result.change_sums["score"]))
        for records, block in blocks_of_cut(table, order, cut):
            result.n_in[records], result.n_out[records] = block.counts
            if min(block.counts):
                _estimate(result, records, block)
                result.degrees[records] = jackknife(result, records, block, changes)
        return changes

    with np.errstate(invalid="ignore"):  # of infinite scores
        for changes in in_cuts(of_cut, table, order):
            for name in ESTIMATORS:
                result.change_sums[name] += changes.sums[name]
                result.jackknifed[name] += changes.records[name]
    return result


@dataclass(frozen=True)
class _Changes:
    """Changes of estimates of some records: see ``change_sums`` and ``jackknifed``."""

    sums: dict[str, Array]
    records: dict[str, int]

    @classmethod
    def none(cls, units: int) -> "_Changes":
        return cls({name: np.zeros(units) for name in ESTIMATORS}, dict.fromkeys(ESTIMATORS, 0))

    def count(self, name: str, estimate: Array) -> None:
        """Count records with replicates, unless they have no estimate."""
        self.records[name] += int((~np.isnan(estimate)).sum())


def zero_spread(evaluation: Evaluation, significance: float) -> NDArray[np.bool_]:
    """Find records whose standard error of zero does not measure the spread of mean_log, (r,).

    Where densities take few values, those of a side may be equal by chance. The error is known to
    be zero where it is for every record, as with a deterministic model under leave-one-out; where
    the difference is zero; and where chance would seldom have held out exactly these values.
    """
    flat = evaluation.without_spread
    return flat & ~(evaluation.p_value_exact <= significance) if flat.any() else flat


def estimates_without(table: Table, excluded: NDArray[np.bool_]) -> dict[str, Array]:
    """Compute the estimates alone, (r,) each, without the fits in ``excluded``, (F,)."""
    result = {name: np.full(len(table.rows), np.nan) for name in ESTIMATORS}
    order = FitOrder.of(table, excluded)

    def of_cut(cut: slice) -> None:
        for records, block in blocks_of_cut(table, order, cut):
            if min(block.counts):
                for name, values in estimates(block.inside, block.outside).items():
                    result[name][records] = values

    for_each(of_cut, cuts(table, order), size=table.log_prob.size)
    return result


def _estimate(result: Evaluation, records: Indices, block: InOutBlock) -> None:
    result.log_prob_in[records] = block.inside.log_prob
    result.log_prob_out[records] = block.outside.log_prob
    for name, values in estimates(block.inside, block.outside).items():
        result.estimate[name][records] = values


def _by_repeats(
    result: Evaluation, records: Indices, block: InOutBlock, changes: _Changes
) -> Array:
    """Jackknife repeats or pairs: their fits complement one another."""
    units = len(result.change_sums["score"])
    sides = side_replicates(block.inside, block.outside, units, units)
    for name in ESTIMATORS:
        replicates = difference(sides[0][name], sides[1][name])
        result.standard_error[name][records] = jackknife_error(replicates)
        estimate = result.estimate[name][records]
        changes.count(name, estimate)
        with np.errstate(invalid="ignore"):  # of infinite scores
            change = replicates - estimate[:, None]
            changes.sums[name] += np.where(np.isnan(change), 0.0, change).sum(axis=0)
    return np.full(len(records), units - 1.0)


def _by_fits(result: Evaluation, records: Indices, block: InOutBlock, changes: _Changes) -> Array:
    """Jackknife the independent fits of each side; returns Welch and Satterthwaite's degrees."""
    sizes = block.counts
    if min(sizes) < 2:
        return np.full(len(records), np.nan)
    fits = block.fit_in.ravel(), block.fit_out.ravel()
    sides = [
        _deviations(unit_per_value(side), min(sizes)) for side in (block.inside, block.outside)
    ]
    for name in ESTIMATORS:
        parts = [error_of_deviations(side[name]) for side in sides]
        result.standard_error[name][records] = np.hypot(*parts)
        changes.count(name, result.estimate[name][records])
        units = len(changes.sums[name])
        of_in, of_out = (
            np.bincount(fit, side[name].ravel(), minlength=units).astype(np.float64)
            for fit, side in zip(fits, sides, strict=True)
        )
        changes.sums[name] += difference(of_in, of_out)
    return welch(parts, [size - 1 for size in sizes])[1]  # of mean_log, the last


def _deviations(side: Side, block: int) -> dict[str, Array]:
    """Leave out each value of a side in turn: its terms less the mean over these, (m, a) each."""
    with np.errstate(invalid="ignore"):
        score = matched = _less_mean(side.log_prob_without(side.size))
        if block < side.size:  # otherwise all values are one block
            matched = _less_mean(side.block_log_prob_without(side.size, block))
        mean = (side.mean()[:, None] - side.values) / (side.size - 1)
    return {"score": score, "matched": matched, "mean_log": mean}


def _less_mean(replicates: Array) -> Array:
    return replicates - replicates.mean(axis=1, keepdims=True)


def _empty(table: Table, seed: int, units: int) -> Evaluation:
    r = len(table.rows)

    def nan() -> Array:
        return np.full(r, np.nan)

    return Evaluation(
        table=table,
        seed=seed,
        estimate={name: nan() for name in ESTIMATORS},
        standard_error={name: nan() for name in ESTIMATORS},
        degrees=nan(),
        log_prob_in=nan(),
        log_prob_out=nan(),
        n_in=np.zeros(r, dtype=np.int32),
        n_out=np.zeros(r, dtype=np.int32),
        change_sums={name: np.zeros(units) for name in ESTIMATORS},
        jackknifed=dict.fromkeys(ESTIMATORS, 0),
    )
