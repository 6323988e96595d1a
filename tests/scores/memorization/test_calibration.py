"""Without memorization: p-values uniform, few false discoveries, and the biases that are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom, binomtest, wilcoxon

import byrote
from byrote import KFold, Probes, Subset
from byrote.plans import design_of
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import estimates_without, evaluate
from byrote.scores.memorization.exact_tests import exact_tests
from byrote.stats.multiple_testing import q_values

from estimators import PureNoise


def noise_table(design, spread, seed, common=0.0):
    generator = np.random.default_rng(seed)
    values = spread * generator.normal(size=(design.fits, design.n))
    values += common * generator.normal(size=(design.fits, 1))
    return Table(design, np.arange(design.n, dtype=np.uint32), values)


# FACTS: in and out both N(mu, s^2), L = K = 10; mean and sd of eq. (3), sd of matched and mean_log.
BIAS = [
    (0.5, 0.01, 0.18, 0.18, 0.17),
    (1.0, 0.06, 0.40, 0.40, 0.33),
    (2.0, 0.40, 1.06, 1.01, 0.67),
    (3.0, 1.0, 1.81, 1.64, 1.00),
    (5.0, 2.7, 3.4, 2.9, 1.7),
    (10.0, 7.3, 7.1, 6.0, 3.33),
]


@pytest.mark.parametrize(("spread", "bias", "sd_score", "sd_matched", "sd_mean_log"), BIAS)
def test_bias_of_the_score_and_none_of_its_relatives(
    spread, bias, sd_score, sd_matched, sd_mean_log
):
    n, design = 8000, design_of(KFold(10, 10), 8000)
    found = estimates_without(noise_table(design, spread, seed=1), np.zeros(design.fits, bool))
    assert_allclose(found["score"].mean(), bias, rtol=0.05, atol=0.012)
    assert_allclose(found["score"].std(), sd_score, rtol=0.05)
    assert_allclose(found["matched"].std(), sd_matched, rtol=0.05)
    assert_allclose(found["mean_log"].std(), sd_mean_log, rtol=0.05)
    for name in ("matched", "mean_log"):
        assert abs(found[name].mean()) < 4 * found[name].std() / np.sqrt(n)


@pytest.mark.parametrize("plan", [KFold(5, repeats=4), Probes(1000, fits=16), Subset(0.6, fits=14)])
def test_p_values_are_uniform(plan):
    result = byrote.score_memorization(PureNoise(2.0), np.zeros((1000, 1)), plan=plan, seed=3)
    p = result.p_value_exact[~np.isnan(result.p_value_exact)]
    assert len(p) > 960
    attained = np.unique(p)
    for level in attained[:: max(1, len(attained) // 15)]:  # a discrete p is exact at its values
        rejected = int((p <= level * (1 + 1e-9)).sum())
        assert binomtest(rejected, len(p), min(1.0, level)).pvalue > 1e-4
    assert result.summary().significant == 0
    assert abs(result.matched[~np.isnan(result.matched)].mean()) < 0.17


def test_p_values_of_coins_are_uniform_given_how_often_a_record_is_in():
    table = noise_table(design_of(Probes(6000, fits=9, coins=True), 6001, 4), 1.0, 4, common=2.0)
    table = Table(table.design, table.design.scored, table.log_prob[:, table.design.scored])
    found = evaluate(table)
    unscored = (found.n_in == 0) | (found.n_out == 0)
    assert 10 < unscored.sum() < 50  # 2 / 512 of them
    assert np.isnan(found.p_value_exact[unscored]).all()
    for count in range(1, 9):
        p = found.p_value_exact[found.n_in == count]
        for level in np.unique(p):
            rejected = int((p <= level * (1 + 1e-9)).sum())
            assert binomtest(rejected, len(p), min(1.0, level)).pvalue > 1e-5


def pair_table(design, seed, *, rho=0.0, memorized=0.0, common=0.0):
    """Twins whose noise, of standard deviation 1 nat, correlates at rho."""
    generator = np.random.default_rng(seed)
    shape = (design.fits // 2, len(design.scored))
    shared = np.repeat(np.sqrt(rho) * generator.normal(size=shape), 2, axis=0)
    values = -100 + shared + np.sqrt(1 - rho) * generator.normal(size=shared.shape)
    values += common * generator.normal(size=(design.fits, 1))
    for fit in range(design.fits):
        values[fit] += memorized * design.trained_on(fit)[design.scored]
    return Table(design, design.scored, values)


PAIRS = design_of(Probes(20_000, fits=16, pairs=True), 20_010)


@pytest.mark.parametrize("rho", [0.0, 0.27, 0.9])
def test_errors_of_pairs_are_those_of_differences(rho):
    found = evaluate(pair_table(PAIRS, 1, rho=rho, memorized=1.5))
    expected = np.sqrt(2 * (1 - rho) / 8)  # 8 pairs, s = 1 nat
    assert_allclose(found.estimate["mean_log"].mean(), 1.5, atol=4 * expected / np.sqrt(20_000))
    assert_allclose(found.estimate["mean_log"].std(), expected, rtol=0.02)
    assert_allclose(np.sqrt((found.standard_error["mean_log"] ** 2).mean()), expected, rtol=0.02)
    for name in ("score", "matched"):  # their jackknife sees the cancellation too
        true, said = found.estimate[name].std(), found.standard_error[name]
        assert 0.9 < np.sqrt((said**2).mean()) / true < 1.1
    low, high = found.interval.T
    assert_allclose(np.mean((low <= 1.5) & (high >= 1.5)), 0.95, atol=0.01)


@pytest.mark.parametrize("common", [0.0, 3.0])
def test_p_values_of_pairs_are_uniform(common):
    designs = [design_of(Probes(60, fits=16, pairs=True), 80, seed) for seed in range(150)]
    tables = [pair_table(d, seed, rho=0.5, common=common) for seed, d in enumerate(designs)]
    p = np.concatenate([exact_tests(table).p_value for table in tables])
    p = p[::60] if common else p  # records that share a shift are not independent
    for level in np.unique(p)[::12]:
        rejected = int((p <= level * (1 + 1e-9)).sum())
        assert binomtest(rejected, len(p), min(1.0, level)).pvalue > 1e-4


@pytest.mark.parametrize("common", [0.0, 3.0])
def test_false_discoveries_in_pairs_are_rare_also_under_a_shift_common_to_a_fit(common):
    designs = [design_of(Probes(100, fits=24, pairs=True), 110, seed) for seed in range(20)]
    wrong = 0
    for seed in range(200):
        table = pair_table(designs[seed % 20], seed, rho=0.3, common=common)
        wrong += bool((q_values(exact_tests(table).p_value) <= 0.05).any())
    assert binomtest(wrong, 200, 0.05, alternative="greater").pvalue > 1e-3


def test_signed_ranks_find_more_than_signs():
    design = design_of(Probes(5000, fits=40, pairs=True), 5010)
    table = pair_table(design, 2, rho=0.5, memorized=0.8)
    inside, outside = pair_sides(table)
    by_ranks = exact_tests(table).p_value
    oracle = wilcoxon(inside - outside, alternative="greater", method="exact").pvalue
    assert_allclose(by_ranks, oracle, rtol=1e-9)
    by_signs = binom.sf((inside > outside).sum(axis=0) - 1, 20, 0.5)
    level = binom.sf(16, 20, 0.5) + 1e-9  # attained by signs: 17 of 20
    assert np.mean(by_ranks <= level) > np.mean(by_signs <= level) + 0.15


def pair_sides(table):
    """(P, r) values in and out."""
    member = np.array([table.design.trained_on(f)[table.rows] for f in range(table.design.fits)])
    first, second = table.log_prob[::2], table.log_prob[1::2]
    return np.where(member[::2], first, second), np.where(member[::2], second, first)


@pytest.mark.parametrize("common", [0.0, 3.0])
def test_false_discoveries_are_rare_also_under_a_shift_common_to_all_records(common):
    designs = [design_of(KFold(5, 4), 150, seed) for seed in range(20)]
    trials = 200
    wrong = 0
    for seed in range(trials):
        table = noise_table(designs[seed % 20], 1.0, seed, common)
        wrong += bool((q_values(exact_tests(table).p_value) <= 0.05).any())
    assert binomtest(wrong, trials, 0.05, alternative="greater").pvalue > 1e-3


def test_discoveries_are_right_where_something_is_memorized():
    generator = np.random.default_rng(0)
    design = design_of(KFold(5, 6), 1000, 0)
    wrong, found = [], []
    for seed in range(20):
        table = noise_table(design, 1.0, seed)
        memorized = generator.random(1000) < 0.1
        for fit in range(design.fits):
            table.log_prob[fit, memorized & design.trained_on(fit)] += 4.0
        discovered = q_values(exact_tests(table).p_value) <= 0.05
        wrong.append((discovered & ~memorized).sum() / max(1, discovered.sum()))
        found.append((discovered & memorized).sum() / memorized.sum())
    assert np.mean(wrong) < 0.06
    assert np.mean(found) > 0.9


@pytest.mark.parametrize(("spread", "coverage"), [(1, 0.92), (2, 0.89), (10, 0.83)])
def test_intervals_cover_for_mean_log_and_less_for_matched(spread, coverage):
    from scipy.stats import t

    found = evaluate(noise_table(design_of(KFold(10, 10), 8000), spread, seed=2))
    low, high = found.interval.T
    assert_allclose(np.mean((low <= 0) & (high >= 0)), 0.95, atol=0.01)
    reach = t.ppf(0.975, 9) * found.standard_error["matched"]
    assert_allclose(np.mean(np.abs(found.estimate["matched"]) <= reach), coverage, atol=0.015)


@pytest.mark.parametrize(
    ("fraction", "fits", "least"), [(0.9, 20, 0.9), (0.8, 20, 0.925), (0.5, 12, 0.935)]
)
def test_intervals_cover_with_unequal_sides(fraction, fits, least):
    covered = counted = 0
    for seed in range(4):
        design = design_of(Subset(fraction, fits), 5000, seed)
        low, high = evaluate(noise_table(design, 1.0, seed)).interval.T
        there = ~np.isnan(low)
        counted += there.sum()
        covered += ((low <= 0) & (high >= 0))[there].sum()
    # Welch's degrees of freedom are estimated; with two or three values on a side they run high.
    assert least < covered / counted < 0.97


def test_intervals_cover_when_whole_repeats_are_missing():
    design = design_of(KFold(5, 10), 20_000)
    table = noise_table(design, 1.0, 0)
    missing = tuple(np.flatnonzero(design.repeat >= 3))
    table.log_prob[list(missing)] = np.nan
    low, high = evaluate(Table(design, table.rows, table.log_prob, missing)).interval.T
    assert_allclose(np.mean((low <= 0) & (high >= 0)), 0.95, atol=0.01)


def test_zero_densities_keep_what_can_be_kept():
    design = design_of(KFold(3, 3), 50)
    table = noise_table(design, 1.0, 0)
    table.log_prob[np.random.default_rng(1).random(table.log_prob.shape) < 0.3] = -np.inf
    from byrote.scores.memorization.memorization_result import result_from_table

    labels = np.arange(50) % 2
    summary = result_from_table(table, evaluate(table), np.arange(50), labels, {}).summary()
    assert summary.scored > 40
    assert summary.undefined["mean_log"] > 0
