import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import kstest, mannwhitneyu, rankdata

from byrote.stats.rank_tests import rank_sum_test, smallest_p, untied_null


def brute_force(strata):
    """Every way of choosing the held-out values within strata, one record."""
    choices, observed = [], 0.0
    for inside, outside in strata:
        ranks = rankdata(np.concatenate([outside, inside]))
        b = len(outside)
        observed += ranks[:b].sum()
        choices.append([ranks[list(c)].sum() for c in itertools.combinations(range(len(ranks)), b)])
    sums = np.array([sum(combination) for combination in itertools.product(*choices)])
    return np.mean(sums <= observed + 1e-9)


STRATUM = st.tuples(st.integers(1, 4), st.integers(1, 2))


@settings(max_examples=100)
@given(st.lists(STRATUM, min_size=1, max_size=3), st.integers(0, 2**32 - 1), st.booleans())
def test_agrees_with_brute_force(shapes, seed, tied):
    generator = np.random.default_rng(seed)
    strata = []
    for a, b in shapes:
        values = generator.normal(size=(1, a + b))
        if tied:
            values = np.where(values < 0, -np.inf, np.round(values))
        strata.append((values[:, :a], values[:, a:]))
    p, exact = rank_sum_test(strata)
    assert exact
    assert_allclose(p[0], brute_force([(i[0], o[0]) for i, o in strata]), rtol=1e-12)


def test_records_of_one_call_do_not_mix():
    generator = np.random.default_rng(5)
    values = np.round(2 * generator.normal(size=(40, 6))) / 2
    together, _ = rank_sum_test([(values[:, :4], values[:, 4:])])
    alone = [rank_sum_test([(row[None, :4], row[None, 4:])])[0][0] for row in values]
    assert_allclose(together, alone, rtol=1e-14)


@pytest.mark.parametrize(("a", "b"), [(18, 18), (50, 50), (9, 1), (30, 70)])
def test_counts_are_those_of_exact_integers(a, b):
    ways = [1] + [0] * (a * b)
    for i in range(1, b + 1):
        for s in range(len(ways) - 1, a + i - 1, -1):
            ways[s] -= ways[s - a - i]
        for s in range(i, len(ways)):
            ways[s] += ways[s - i]
    exact = np.array([way / math.comb(a + b, b) for way in ways])
    assert_allclose(untied_null(a, b)[::2], exact, rtol=1e-12)


def test_two_samples_agree_with_scipy():
    generator = np.random.default_rng(1)
    inside, outside = generator.normal(size=(20, 12)), generator.normal(size=(20, 9))
    p, _ = rank_sum_test([(inside, outside)])
    expected = mannwhitneyu(outside, inside, axis=1, alternative="less", method="exact").pvalue
    assert_allclose(p, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("shapes", "p"),
    [
        ([(9, 1)] * 10, 1e-10),
        ([(10, 10)], 1 / 184_756),
        ([(5, 5)], 1 / 252),
        ([(18, 18)], 1 / math.comb(36, 18)),
        ([(9, 1)], 0.1),
    ],
)
def test_smallest_p_is_attained(shapes, p):
    assert smallest_p(shapes) == p
    strata = [(np.arange(1.0, a + 1)[None], -np.arange(1.0, b + 1)[None]) for a, b in shapes]
    assert_allclose(rank_sum_test(strata)[0][0], p, rtol=1e-12)


def test_never_zero():
    strata = [(np.arange(1.0, 10)[None], np.zeros((1, 1)))] * 500
    p, exact = rank_sum_test(strata)
    assert exact
    assert 0 < p[0] < 1e-300


def test_everything_tied_says_nothing():
    equal = np.zeros((2, 4))
    assert rank_sum_test([(equal[:, :3], equal[:, 3:])])[0].tolist() == [1, 1]


def test_beyond_counting_a_normal_approximation():
    generator = np.random.default_rng(2)
    values = generator.normal(size=(300, 1200))
    p, exact = rank_sum_test([(values[:, :600], values[:, 600:])])
    assert not exact
    assert kstest(p, "uniform").pvalue > 0.01
    expected = mannwhitneyu(values[:, 600:], values[:, :600], axis=1, alternative="less").pvalue
    assert_allclose(p, expected, rtol=1e-9)


@pytest.mark.parametrize(("n", "b"), [(101, 2), (120, 12), (60, 30), (700, 300)])
def test_many_tied_values_make_no_false_discovery(n, b):
    generator = np.random.default_rng(3)
    values = np.where(generator.random((2000, n)) < 0.02, -1.0, 0.0)
    p, _ = rank_sum_test([(values[:, b:], values[:, :b])])
    for level in (0.05, 1e-2, 1e-3):
        assert np.count_nonzero(p <= level) <= 2000 * level + 4 * np.sqrt(2000 * level) + 1


def test_the_smaller_side_is_counted():
    values = np.round(np.random.default_rng(4).normal(size=(20, 13)))
    p, _ = rank_sum_test([(values[:, :3], values[:, 3:])])
    for row, found in zip(values, p, strict=True):
        assert_allclose(found, brute_force([(row[:3], row[3:])]), rtol=1e-12)


def test_strata_without_both_sides_say_nothing():
    nothing = np.empty((3, 0))
    assert np.isnan(rank_sum_test([(np.zeros((3, 2)), nothing)])[0]).all()
    one = (np.array([[1.0, 2.0]] * 3), np.zeros((3, 1)))
    p, _ = rank_sum_test([one, (np.zeros((3, 2)), nothing)])
    assert_allclose(p, rank_sum_test([one])[0])
