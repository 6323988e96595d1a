"""Many tests at once, against scipy, closed testing by its definition, and in simulation."""

from fractions import Fraction
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import ndtri
from scipy.stats import binomtest, combine_pvalues, false_discovery_control

from byrote.stats.multiple_testing import (
    combined_p_value,
    exceeded_by_at_least,
    exceeded_by_fewer_than,
    false_hypotheses,
    q_values,
)


@settings(max_examples=50)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_q_values_are_those_of_the_definition_to_the_threshold(counts):
    """P-values of rank tests are fractions: a q-value of exactly 0.05 is a discovery."""
    p = [Fraction(count, 40) for count in counts]
    scaled = [value * len(p) / sum(other <= value for other in p) for value in p]
    exact = [min(s for s, other in zip(scaled, p, strict=True) if other >= value) for value in p]
    q = q_values(np.array(counts) / 40)
    assert_allclose(q, [float(min(1, value)) for value in exact], rtol=1e-12)
    assert (q <= 0.05).tolist() == [value <= Fraction(1, 20) for value in exact]


def test_records_without_p_value_do_not_count():
    p = np.array([0.001, np.nan, 0.5, np.nan])
    assert_allclose(q_values(p)[[0, 2]], false_discovery_control([0.001, 0.5]))
    assert np.isnan(q_values(p)[[1, 3]]).all()
    assert np.isnan(q_values(np.full(3, np.nan))).all()


@settings(max_examples=50)
@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=50))
def test_combined_p_values_are_scipys(p_values):
    expected = combine_pvalues(p_values, method="fisher").pvalue
    assert combined_p_value(p_values) == pytest.approx(expected, rel=1e-9)


def test_unknown_ones_are_left_out():
    assert combined_p_value([0.2, np.nan, 0.3]) == combined_p_value([0.2, 0.3])
    assert np.isnan(combined_p_value([np.nan]))
    assert np.isnan(combined_p_value([]))


def test_an_impossible_one_decides():
    assert combined_p_value([0.0, 1.0]) == 0


def test_groups_of_dependent_ones_count_once():
    assert combined_p_value([0.2, 0.1, 0.6], ["a", "b", "a"]) == combined_p_value([0.8, 0.1])
    assert combined_p_value([0.9, 0.8], ["a", "a"]) == 1
    assert combined_p_value([0.2, np.nan], ["a", "a"]) == pytest.approx(0.2)


def test_copies_of_a_p_value_do_not_make_it_small():
    """Each of three tests is made four times: the combined level must hold all the same."""
    drawn = np.repeat(np.random.default_rng(0).random((2000, 3)), 4, axis=1)
    groups = np.repeat(np.arange(3), 4)
    for level in (0.05, 0.2):
        assert np.mean([combined_p_value(row, groups) <= level for row in drawn]) <= level
        naive = np.mean([combined_p_value(row) <= level for row in drawn])
        assert naive > 1.2 * level


def rejected(p, significance):
    """Simes' test of an intersection."""
    p = np.sort(p)
    return (p <= significance * np.arange(1, len(p) + 1) / len(p)).any()


def by_definition(p, significance):
    """n less the size of the largest set of hypotheses that Simes does not reject."""
    sets = (c for size in range(len(p), 0, -1) for c in combinations(p, size))
    return len(p) - next((len(c) for c in sets if not rejected(c, significance)), 0)


@given(st.lists(st.sampled_from([1e-4, 0.004, 0.01, 0.02, 0.03, 0.05, 0.2, 1.0]), max_size=8))
@settings(max_examples=100)
def test_false_hypotheses_are_those_of_closed_testing(p):
    assert false_hypotheses(np.array(p), 0.05) == by_definition(p, 0.05)


def test_no_p_value_is_no_evidence():
    assert false_hypotheses(np.array([np.nan, 0.001, np.nan]), 0.05) == 1
    assert false_hypotheses(np.array([]), 0.05) == 0


def limit(estimates, sign, tail):
    return estimates + sign * ndtri(tail)


@pytest.mark.parametrize("truth", [np.zeros(300), np.r_[np.zeros(297), [8.0, 8.5, 30.0]]])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_limits_of_an_order_statistic_are_seldom_wrong(truth, count):
    generator, runs, wrong = np.random.default_rng(count), 400, np.zeros(2, dtype=int)
    value = np.sort(truth)[-count]
    for _ in range(runs):
        estimates = truth + generator.normal(size=len(truth))
        low = exceeded_by_at_least(partial(limit, estimates, +1), len(truth), count, 0.025)
        high = exceeded_by_fewer_than(partial(limit, estimates, -1), len(truth), count, 0.025)
        wrong += [low > value, high < value]
    for errors in wrong.tolist():
        assert binomtest(errors, runs, 0.025, alternative="greater").pvalue > 1e-3


def test_many_weak_limits_show_together_what_none_shows_alone():
    limits = np.full(300, 3.0)  # each p is 0.0013, no single one below 0.025 / 299
    assert exceeded_by_at_least(lambda tail: limits + ndtri(tail), 300, 2, 0.025) > 0.9
