"""How much audits differ, against fits left out one by one, scipy, and simulated chance."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from byrote.fits.table import Table
from byrote.plans import IN, OUT, Probes, design_of
from byrote.studies.mitigations.measures import Audit, by_chance, difference

FITS, RECORDS = 12, 40


def audit(seed, *, values=None, plan_seed=0, fits=FITS, records=RECORDS, gain=0.0):
    """An audit of all records, its log-likelihoods random unless given."""
    design = design_of(Probes(records, fits), records, plan_seed)
    rows = np.arange(records, dtype=np.uint32)
    table = Table(design, rows, np.zeros((fits, records)))
    if values is None:
        generator = np.random.default_rng(seed)
        values = generator.normal(size=(fits, records)) + 2 * generator.normal(size=(fits, 1))
    return Audit(replace(table, log_prob=values + gain * (table.roles() == IN)), rows)


def mean_log(one, without=None):
    """Mean over records of the difference of means, with a fit left out."""
    role, values = one.table.roles().astype(float), one.table.log_prob
    if without is not None:
        role[without] = np.nan
    sides = [np.nanmean(np.where(role == side, values, np.nan), axis=0) for side in (IN, OUT)]
    return float(np.mean(sides[0] - sides[1]))


def held_out(one, without=None):
    """Mean over records of their mean in the fits that hold them out, with a fit left out."""
    role, values = one.table.roles().astype(float), one.table.log_prob
    if without is not None:
        role[without] = np.nan
    return float(np.mean(np.nanmean(np.where(role == OUT, values, np.nan), axis=0)))


def jackknife(replicates):
    return np.sqrt((len(replicates) - 1) * np.var(replicates))


def test_the_error_of_memorization_is_that_of_fits_left_out_one_by_one():
    one = audit(1)
    error = jackknife([mean_log(one, without=fit) for fit in range(FITS)])
    half = stats.t.ppf(0.975, FITS - 2) * error
    expected = mean_log(one) + np.array([0, -half, half])
    assert one.memorization.interval() == pytest.approx(expected)


def test_audits_of_one_plan_are_compared_fit_by_fit():
    one, other = audit(1), audit(2)
    lone = [mean_log(one, without=f) - mean_log(other, without=f) for f in range(FITS)]
    half = stats.t.ppf(0.995, FITS - 2) * jackknife(lone)
    expected = mean_log(one) - mean_log(other) + np.array([0, -half, half])
    assert difference(one.memorization, other.memorization, 0.99) == pytest.approx(expected)
    lone = [held_out(one, without=f) - held_out(other, without=f) for f in range(FITS)]
    half = stats.t.ppf(0.975, FITS - 1) * jackknife(lone)
    expected = held_out(one) - held_out(other) + np.array([0, -half, half])
    assert difference(one.held_out, other.held_out) == pytest.approx(expected)


def test_audits_of_different_plans_are_compared_by_welch():
    one, other = audit(1), audit(2, plan_seed=5)
    squares = [jackknife([held_out(a, without=f) for f in range(FITS)]) ** 2 for a in (one, other)]
    degrees = sum(squares) ** 2 / sum(v**2 / (FITS - 1) for v in squares)
    half = stats.t.ppf(0.975, degrees) * np.sqrt(sum(squares))
    expected = held_out(one) - held_out(other) + np.array([0, -half, half])
    assert difference(one.held_out, other.held_out) == pytest.approx(expected)
    squares = [jackknife([mean_log(a, without=f) for f in range(FITS)]) ** 2 for a in (one, other)]
    error = np.sqrt(sum(squares))
    low, high = difference(one.memorization, other.memorization)[1:]
    degrees = sum(squares) ** 2 / sum(v**2 / (FITS - 2) for v in squares)
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, degrees) * error)


@pytest.mark.parametrize("plan_seed", [0, 5])
def test_intervals_hold_what_is_true(plan_seed):
    """In 95 of 100, whether fits are paired or not: of 60, fewer than 51 once in 1,000 times."""
    held = 0
    for seed in range(60):
        one = audit(2 * seed, gain=0.7)
        other = audit(2 * seed + 1, plan_seed=plan_seed, gain=0.2)
        _, low, high = difference(one.memorization, other.memorization)
        held += low <= 0.5 <= high
    assert held >= 51


def test_some_of_the_records():
    one = audit(3)
    table = one.table
    half = Table(table.design, table.rows[::2], table.log_prob[:, ::2])
    some = one.of(one.ids[::2])
    assert some.memorization.value == pytest.approx(mean_log(Audit(half, one.ids[::2])))
    assert some.ids.tolist() == one.ids[::2].tolist()


def test_a_fit_that_is_missing_counts_nowhere():
    one = audit(1)
    values = one.table.log_prob.copy()
    values[3] = np.nan
    lacking = replace(one, table=replace(one.table, log_prob=values, missing=(3,)))
    assert lacking.memorization.value == pytest.approx(mean_log(one, without=3))
    assert lacking.memorization.plan != one.memorization.plan
    assert np.isfinite(difference(lacking.memorization, one.memorization)).all()


@pytest.mark.parametrize(("fits", "missing"), [(2, ()), (4, (1,))])
def test_too_few_fits_give_no_interval(fits, missing):
    """One value on a side has no spread; that is not the same as none."""
    one = audit(1, fits=fits)
    values = one.table.log_prob.copy()
    values[list(missing)] = np.nan
    lone = replace(one, table=replace(one.table, log_prob=values, missing=missing))
    assert np.isfinite(lone.memorization.value)
    for found in (lone.memorization.interval(), difference(lone.memorization, lone.memorization)):
        assert np.isnan(found[1:]).all()


def test_quantiles_by_chance_are_those_of_all_deals():
    generator = np.random.default_rng(0)
    values = generator.normal(scale=3.0, size=(4, 4000))
    one = audit(0, values=values, fits=4, records=4000, gain=9.0)
    dealt = one.table.log_prob
    scores = []
    for inside in combinations(range(4), 2):
        outside = [fit for fit in range(4) if fit not in inside]
        sides = [np.logaddexp(*dealt[list(side)]) for side in (inside, outside)]
        scores.append(sides[0] - sides[1])
    levels = (0.5, 0.95)
    expected = np.quantile(np.concatenate(scores), levels)
    assert by_chance(one.table, levels, seed=3) == pytest.approx(expected, abs=0.15)


def test_nothing_is_known_of_densities_that_are_zero():
    values = np.full((FITS, RECORDS), -np.inf)
    assert np.isnan(by_chance(audit(0, values=values).table, (0.5,), seed=0)).all()
