import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import kstest, rankdata, wilcoxon

from byrote.stats import rank_tests
from byrote.stats.rank_tests import signed_rank_test


def brute_force(inside, outside):
    """Every way of exchanging the two values of each pair, one record."""
    pairs = list(zip(inside, outside, strict=True))
    ranks = rankdata([0.0 if a == b else abs(a - b) for a, b in pairs])  # also of those exchanged
    flips = np.array(list(itertools.product([False, True], repeat=len(pairs))))
    sums = np.where(flips, outside > inside, inside > outside) @ ranks
    return np.mean(sums >= ranks[inside > outside].sum() - 1e-9)


@settings(max_examples=120)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1), st.booleans())
def test_agrees_with_brute_force(pairs, seed, tied):
    values = np.random.default_rng(seed).normal(size=(2, 4, pairs))
    if tied:
        values = np.where(values < -1, -np.inf, np.round(values))
    inside, outside = values
    p, exact = signed_rank_test(inside, outside)
    assert exact
    expected = [brute_force(*record) for record in zip(inside, outside, strict=True)]
    assert_allclose(p, expected, rtol=1e-12)


@pytest.mark.parametrize("pairs", [1, 5, 30, 50])
def test_agrees_with_scipy(pairs):
    difference = np.random.default_rng(pairs).normal(0.3, size=(40, pairs))
    p, _ = signed_rank_test(difference, np.zeros_like(difference))
    expected = wilcoxon(difference, axis=1, alternative="greater", method="exact").pvalue
    assert_allclose(p, expected, rtol=1e-9)


@pytest.mark.parametrize("pairs", [1, 10, 50, 600])
def test_the_smallest_p_is_attained(pairs):
    inside = np.arange(1.0, pairs + 1)[None]
    assert_allclose(signed_rank_test(inside, -inside)[0], 0.5**pairs, rtol=1e-12)
    assert_allclose(signed_rank_test(-inside, inside)[0], 1, rtol=1e-12)


def test_a_density_of_zero_held_out_is_the_largest_difference():
    inside, outside = np.array([[-5.0, -5.0, -9.0]]), np.array([[-9.0, -np.inf, -5.5]])
    assert_allclose(signed_rank_test(inside, outside)[0], brute_force(inside[0], outside[0]))


def test_everything_tied_says_nothing():
    for value in (0.0, -np.inf):
        equal = np.full((2, 5), value)
        assert signed_rank_test(equal, equal)[0].tolist() == [1, 1]


@pytest.mark.parametrize("pairs", [59, 61, 150])
def test_many_ties_make_no_false_discovery(pairs):
    values = np.random.default_rng(3).normal(size=(2, 4000, pairs))
    p, _ = signed_rank_test(*np.where(values < -1.5, -1.0, 0.0))
    for level in (0.05, 1e-2, 1e-3):
        assert np.count_nonzero(p <= level) <= 4000 * level + 4 * np.sqrt(4000 * level) + 1


def test_ties_broken_against_the_finding_give_no_smaller_p(monkeypatch):
    values = np.round(np.random.default_rng(4).normal(0.2, size=(2, 300, 12)), 1)
    p, _ = signed_rank_test(*values)
    monkeypatch.setattr(rank_tests, "MOST_TIED_PAIRS", 11)
    broken, exact = signed_rank_test(*values)
    assert exact
    assert (broken >= p - 1e-12).mean() > 0.95
    assert (broken > p).any()


def test_beyond_counting_a_normal_approximation():
    difference = np.random.default_rng(2).normal(size=(300, 700))
    p, exact = signed_rank_test(difference, np.zeros_like(difference))
    assert not exact
    assert kstest(p, "uniform").pvalue > 0.01
    expected = wilcoxon(
        difference, axis=1, alternative="greater", method="asymptotic", correction=True
    ).pvalue
    assert_allclose(p, expected, rtol=1e-9)
