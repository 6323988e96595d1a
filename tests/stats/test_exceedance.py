"""How many values exceed a limit: closed testing by its definition, enumeration, coverage."""

from functools import partial
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binomtest

from byrote.stats.drawn import limits, order_limits
from byrote.stats.exceedance import at_least, false_hypotheses, fewer_than


def rejected(p, significance):
    """Simes' test of an intersection."""
    p = np.sort(p)
    return (p <= significance * np.arange(1, len(p) + 1) / len(p)).any()


def by_definition(p, significance):
    """n less the size of the largest set of hypotheses that Simes does not reject."""
    sets = (c for size in range(len(p), 0, -1) for c in combinations(p, size))
    return len(p) - next((len(c) for c in sets if not rejected(c, significance)), 0)


@given(st.lists(st.sampled_from([1e-4, 0.004, 0.01, 0.02, 0.03, 0.05, 0.2, 1.0]), max_size=8))
@settings(max_examples=150)
def test_false_hypotheses_are_those_of_closed_testing(p):
    assert false_hypotheses(np.array(p), 0.05) == by_definition(p, 0.05)


def test_no_p_value_is_no_evidence():
    assert false_hypotheses(np.array([np.nan, 0.001, np.nan]), 0.05) == 1
    assert false_hypotheses(np.array([]), 0.05) == 0


def limit(found, sign, tail):
    return found + sign * ndtri(tail)


@pytest.mark.parametrize("truth", [np.zeros(300), np.r_[np.zeros(297), [8.0, 8.5, 30.0]]])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_limits_of_an_order_statistic_are_seldom_wrong(truth, count):
    generator, runs, wrong = np.random.default_rng(count), 400, np.zeros(2, dtype=int)
    value = np.sort(truth)[-count]
    for _ in range(runs):
        found = truth + generator.normal(size=len(truth))
        low = at_least(partial(limit, found, +1), len(truth), count, 0.025)
        high = fewer_than(partial(limit, found, -1), len(truth), count, 0.025)
        wrong += [low > value, high < value]
    for errors in wrong.tolist():
        assert binomtest(errors, runs, 0.025, alternative="greater").pvalue > 1e-3


def test_many_weak_limits_show_together_what_none_shows_alone():
    found = np.full(300, 3.0)  # each p is 0.0013, no single one below 0.025 / 299
    assert at_least(lambda tail: found + ndtri(tail), 300, 2, 0.025) > 0.9


@pytest.mark.parametrize("population", [7, 12])
def test_limits_of_a_population_invert_the_hypergeometric_distribution(population):
    for drawn in range(1, population):
        for low in range(drawn + 1):
            for high in range(low, drawn + 1):
                found = limits(low, high, drawn=drawn, population=population, significance=0.1)
                assert found == by_enumeration(low, high, drawn, population)


def tail(marked, drawn, population, counts):
    ways = sum(comb(marked, k) * comb(population - marked, drawn - k) for k in counts)
    return ways / comb(population, drawn)


def by_enumeration(low, high, drawn, population, significance=0.1):
    least = next(
        marked
        for marked in range(population + 1)
        if tail(marked, drawn, population, range(low, drawn + 1)) > significance * (1 + 1e-9)
    )
    most = next(
        marked
        for marked in range(population, -1, -1)
        if tail(marked, drawn, population, range(high + 1)) > significance * (1 + 1e-9)
    )
    return least, most


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_order_limits_are_the_extreme_counts_that_are_seldom(allowed):
    population, drawn, significance = 14, 9, 0.1
    few, many = order_limits(allowed, drawn=drawn, population=population, significance=significance)
    below = [tail(allowed + 1, drawn, population, range(c)) for c in range(drawn + 2)]
    above = [tail(allowed, drawn, population, range(c, drawn + 1)) for c in range(drawn + 2)]
    assert few == max(c for c in range(allowed + 2) if below[c] <= significance)
    assert many == min(c for c in range(drawn + 2) if above[c] <= significance)
