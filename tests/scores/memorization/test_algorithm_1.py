"""Algorithm 1 and its relatives against naive implementations, on random tables."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import ttest_rel

from byrote.plans import KFold, LeaveOneOut, Probes, Subset, design_of
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import estimates_without, evaluate


def logmeanexp(values):
    top = max(values)
    return top + math.log(math.fsum(math.exp(value - top) for value in values) / len(values))


def naive(design, log_prob, record, keep=lambda fit: True):
    """Lists of values in and out, fit by fit, and the three estimators from them."""
    inside, outside, positions = [], [], {}
    for fit in range(design.fits):
        role = design.role(fit)[record]
        if role == 0 or not keep(fit):
            continue
        side = inside if role > 0 else outside
        key = (role, int(design.repeat[fit]))
        positions[key] = positions.get(key, -1) + 1
        side.append((positions[key], int(design.repeat[fit]), log_prob[fit, record]))
    ins = [value for *_, value in sorted(inside)]
    outs = [value for *_, value in sorted(outside)]
    if not ins or not outs:
        return None
    block = min(len(ins), len(outs))

    def blocks(values):
        count = len(values) // block
        return np.mean([logmeanexp(values[k * block : (k + 1) * block]) for k in range(count)])

    return {
        "score": logmeanexp(ins) - logmeanexp(outs),
        "matched": blocks(ins) - blocks(outs),
        "mean_log": np.mean(ins) - np.mean(outs),
        "counts": (len(ins), len(outs)),
    }


PLANS = st.one_of(
    st.builds(KFold, st.integers(2, 5), st.integers(1, 4)),
    st.builds(Subset, st.sampled_from([0.3, 0.5, 0.8]), st.integers(2, 8)),
    st.builds(Probes, st.just(4), st.sampled_from([2, 4, 8])),
    st.builds(LeaveOneOut, st.integers(1, 3)),
)


def random_table(plan, seed, n=9, spread=3.0):
    design = design_of(plan, n, seed)
    generator = np.random.default_rng(seed)
    rows = design.scored
    whole = np.full((design.fits, n), np.nan)
    for fit in range(design.fits):
        counted = design.counted_rows(fit)
        whole[fit, counted] = -100 + spread * generator.normal(size=len(counted))
    return whole, Table(design, rows, whole[:, rows])


PAIRED = st.builds(Probes, st.just(4), st.sampled_from([2, 4, 8]), st.just(True))


@settings(max_examples=80)
@given(st.one_of(PLANS, PAIRED), st.integers(0, 10_000))
def test_estimators_agree_with_the_naive_ones(plan, seed):
    whole, table = random_table(plan, seed)
    found = evaluate(table)
    for place, record in enumerate(table.rows):
        expected = naive(table.design, whole, record)
        if expected is None:
            assert np.isnan(found.estimate["score"][place])
            continue
        for name in ("score", "matched", "mean_log"):
            assert_allclose(found.estimate[name][place], expected[name], rtol=0, atol=1e-9)
        assert (found.n_in[place], found.n_out[place]) == expected["counts"]


@settings(max_examples=25)
@given(st.integers(2, 4), st.integers(2, 5), st.integers(0, 10_000))
def test_kfold_errors_are_the_jackknife_over_repeats(folds, repeats, seed):
    whole, table = random_table(KFold(folds, repeats), seed)
    found = evaluate(table)
    for record in range(9):
        left_out = [
            naive(table.design, whole, record, lambda fit, r=r: table.design.repeat[fit] != r)
            for r in range(repeats)
        ]
        # mean_log and score keep their definition without a repeat; matched keeps its blocks.
        for name in ("score", "mean_log"):
            without = np.array([each[name] for each in left_out])
            variance = (repeats - 1) / repeats * ((without - without.mean()) ** 2).sum()
            assert_allclose(
                found.standard_error[name][record] ** 2, variance, rtol=1e-8, atol=1e-12
            )


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_probe_error_of_mean_log_is_that_of_two_means(seed):
    whole, table = random_table(Probes(4, 10), seed)
    found = evaluate(table)
    for place, record in enumerate(table.rows):
        roles = np.array([table.design.role(fit)[record] for fit in range(10)])
        ins, outs = whole[roles > 0, record], whole[roles < 0, record]
        expected = np.sqrt(ins.var(ddof=1) / len(ins) + outs.var(ddof=1) / len(outs))
        assert_allclose(found.standard_error["mean_log"][place], expected, rtol=1e-9)
        low, high = found.interval[place]
        assert_allclose((low + high) / 2, found.estimate["mean_log"][place], rtol=1e-9, atol=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 7))
def test_pairs_are_compared_as_in_the_textbook(seed, pairs):
    whole, table = random_table(Probes(4, 2 * pairs, pairs=True), seed)
    found = evaluate(table)
    for place, record in enumerate(table.rows):
        roles = np.array([table.design.role(fit)[record] for fit in range(2 * pairs)])
        test = ttest_rel(whole[roles > 0, record], whole[roles < 0, record])
        error = found.estimate["mean_log"][place] / test.statistic
        assert_allclose(found.standard_error["mean_log"][place], error, rtol=1e-8)
        assert_allclose(found.interval[place], test.confidence_interval(0.95), rtol=1e-8)


def test_half_a_pair_does_not_count():
    _, table = random_table(Probes(4, 10, pairs=True), 0)
    table.log_prob[3] = np.nan
    found = evaluate(Table(table.design, table.rows, table.log_prob, (3,)))
    kept = np.ones(10, dtype=bool)
    kept[[2, 3]] = False
    expected = estimates_without(table, ~kept)
    assert_allclose(found.estimate["mean_log"], expected["mean_log"])
    assert set(found.n_in) == set(found.n_out) == {4}
    assert found.smallest_p == 2**-4


@settings(max_examples=20)
@given(PLANS, st.integers(0, 10_000))
def test_leaving_fits_out_is_not_having_made_them(plan, seed):
    whole, table = random_table(plan, seed)
    left_out = np.random.default_rng(seed).random(table.design.fits) < 0.4
    if left_out.all():
        return
    found = estimates_without(table, left_out)
    for place, record in enumerate(table.rows):
        expected = naive(table.design, whole, record, lambda fit: not left_out[fit])
        if expected is not None:
            assert_allclose(found["matched"][place], expected["matched"], rtol=0, atol=1e-9)


def test_a_shift_of_all_fits_changes_nothing_but_the_levels():
    _, table = random_table(KFold(4, 3), 1)
    moved = Table(table.design, table.rows, table.log_prob + 7.5)
    first, second = evaluate(table), evaluate(moved)
    for name in first.estimate:
        assert_allclose(first.estimate[name], second.estimate[name], atol=1e-9)
    assert_allclose(first.p_value, second.p_value)
    assert_allclose(first.log_prob_in + 7.5, second.log_prob_in)


def test_missing_fits_are_left_out_of_everything():
    whole, table = random_table(KFold(3, 3), 4)
    values = table.log_prob.copy()
    values[[1, 5]] = np.nan
    found = evaluate(Table(table.design, table.rows, values, missing=(1, 5)))
    for record in range(9):
        expected = naive(table.design, whole, record, lambda fit: fit not in (1, 5))
        assert_allclose(found.estimate["score"][record], expected["score"], atol=1e-9)
