"""Means of audits and their differences, against fits left out one by one, scipy, and chance."""

from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from byrote.plans import IN, OUT, Probes, design_of
from byrote.runs.table import Table
from byrote.scores.compare.matched_records import MatchedRecords, score_change
from byrote.scores.memorization.evaluation import evaluate
from byrote.studies.findings.audits import chance_quantiles, held_out, memorization
from byrote.studies.findings.finding import numbers

FITS, RECORDS = 12, 40


def table_of(seed, *, values=None, plan_seed=0, fits=FITS, records=RECORDS, gain=0.0):
    """A table of all records, its log-likelihoods random unless given."""
    design = design_of(Probes(records, fits), records, plan_seed)
    table = Table(design, np.arange(records, dtype=np.uint32), np.zeros((fits, records)))
    if values is None:
        generator = np.random.default_rng(seed)
        values = generator.normal(size=(fits, records)) + 2 * generator.normal(size=(fits, 1))
    return replace(table, log_prob=values + gain * (table.roles() == IN))


def audit(table):
    """A study's run that has a table, and nothing else."""
    run = SimpleNamespace(table=lambda partial: table, evaluation=evaluate(table))
    return SimpleNamespace(run=run)


def change(table, baseline, level=0.95):
    """How a table differs from a baseline's, as compare says."""
    sides = []
    for each in (baseline, table):
        run = SimpleNamespace(manifest=SimpleNamespace(seed=0), design=each.design)
        q_value = np.full(len(each.rows), np.nan)
        sides.append(MatchedRecords(each, evaluate(each), run, each.rows, q_value, len(each.rows)))
    return score_change("run", *sides, level)


def mean_log(table, without=None):
    """Mean over records of the difference of means, with a fit left out."""
    role, values = table.roles().astype(float), table.log_prob
    if without is not None:
        role[without] = np.nan
    sides = [np.nanmean(np.where(role == side, values, np.nan), axis=0) for side in (IN, OUT)]
    return float(np.mean(sides[0] - sides[1]))


def mean_out(table, without=None):
    """Mean over records of their mean in the fits that hold them out, with a fit left out."""
    role, values = table.roles().astype(float), table.log_prob
    if without is not None:
        role[without] = np.nan
    return float(np.mean(np.nanmean(np.where(role == OUT, values, np.nan), axis=0)))


def jackknife(replicates):
    return np.sqrt((len(replicates) - 1) * np.var(replicates))


def test_the_errors_of_means_are_those_of_fits_left_out_one_by_one():
    table = table_of(1)
    for estimate, mean, lost in (
        (memorization(audit(table)), mean_log, 2),
        (held_out(audit(table)), mean_out, 1),
    ):
        error = jackknife([mean(table, without=fit) for fit in range(FITS)])
        half = stats.t.ppf(0.975, FITS - lost) * error
        assert numbers(estimate) == pytest.approx(mean(table) + np.array([0, -half, half]))


def test_audits_of_one_plan_are_compared_fit_by_fit():
    one, other = table_of(1), table_of(2)
    lone = [mean_log(one, without=f) - mean_log(other, without=f) for f in range(FITS)]
    half = stats.t.ppf(0.995, FITS - 2) * jackknife(lone)
    expected = mean_log(one) - mean_log(other) + np.array([0, -half, half])
    assert numbers(change(one, other, 0.99).mean["mean_log"]) == pytest.approx(expected)
    lone = [mean_out(one, without=f) - mean_out(other, without=f) for f in range(FITS)]
    for level in (0.95, 0.99):
        half = stats.t.ppf((1 + level) / 2, FITS - 1) * jackknife(lone)
        expected = mean_out(one) - mean_out(other) + np.array([0, -half, half])
        assert numbers(change(one, other, level).held_out) == pytest.approx(expected)


def test_audits_of_different_plans_are_compared_by_welch():
    one, other = table_of(1), table_of(2, plan_seed=5)
    for mean, lost in ((mean_out, 1), (mean_log, 2)):
        squares = [jackknife([mean(a, without=f) for f in range(FITS)]) ** 2 for a in (one, other)]
        degrees = sum(squares) ** 2 / sum(v**2 / (FITS - lost) for v in squares)
        half = stats.t.ppf(0.995, degrees) * np.sqrt(sum(squares))
        expected = mean(one) - mean(other) + np.array([0, -half, half])
        found = change(one, other, 0.99)
        estimate = found.held_out if lost == 1 else found.mean["mean_log"]
        assert not found.paired
        assert numbers(estimate) == pytest.approx(expected)


@pytest.mark.parametrize("plan_seed", [0, 5])
def test_intervals_hold_what_is_true(plan_seed):
    """In 95 of 100, whether fits are paired or not: of 60, fewer than 51 once in 1,000 times."""
    held = 0
    for seed in range(60):
        one = table_of(2 * seed, gain=0.7)
        other = table_of(2 * seed + 1, plan_seed=plan_seed, gain=0.2)
        found = change(one, other)
        assert found.paired == (plan_seed == 0)
        held += found.mean["mean_log"].low <= 0.5 <= found.mean["mean_log"].high
    assert held >= 51


def test_a_fit_that_is_missing_counts_nowhere():
    table = table_of(1)
    values = table.log_prob.copy()
    values[3] = np.nan
    lacking = replace(table, log_prob=values, missing=(3,))
    assert memorization(audit(lacking)).value == pytest.approx(mean_log(table, without=3))
    found = change(lacking, table)
    assert not found.paired
    assert np.isfinite(numbers(found.mean["mean_log"])).all()


@pytest.mark.parametrize(("fits", "missing"), [(2, ()), (4, (1,))])
def test_too_few_fits_give_no_interval(fits, missing):
    """One value on a side has no spread; that is not the same as none."""
    table = table_of(1, fits=fits)
    values = table.log_prob.copy()
    values[list(missing)] = np.nan
    lone = replace(table, log_prob=values, missing=missing)
    estimate = memorization(audit(lone))
    assert np.isfinite(estimate.value)
    for found in (estimate, change(lone, lone).mean["mean_log"]):
        assert np.isnan([found.low, found.high]).all()


def test_quantiles_by_chance_are_those_of_all_permutations():
    generator = np.random.default_rng(0)
    values = generator.normal(scale=3.0, size=(4, 4000))
    table = table_of(0, values=values, fits=4, records=4000, gain=9.0)
    scores = []
    for inside in combinations(range(4), 2):
        outside = [fit for fit in range(4) if fit not in inside]
        sides = [np.logaddexp(*table.log_prob[list(side)]) for side in (inside, outside)]
        scores.append(sides[0] - sides[1])
    levels = (0.5, 0.95)
    expected = np.quantile(np.concatenate(scores), levels)
    assert chance_quantiles(table, levels, seed=3) == pytest.approx(expected, abs=0.15)


def test_nothing_is_known_of_densities_that_are_zero():
    table = table_of(0, values=np.full((FITS, RECORDS), -np.inf))
    assert np.isnan(chance_quantiles(table, (0.5,), seed=0)).all()
