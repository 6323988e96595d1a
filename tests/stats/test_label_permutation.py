"""Tests by permuted labels, against all choices of the labels."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kstest

from byrote.stats.label_permutation import (
    beyond_maximum,
    conformal_p_values,
    excess,
    permutation_p_values,
)


def choices(rows, members):
    for chosen in combinations(range(rows), members):
        yield np.isin(np.arange(rows), chosen)


@pytest.mark.parametrize("members", [2, 4, 7])
def test_p_values_are_shares_of_all_choices(members):
    generator = np.random.default_rng(0)
    values = generator.integers(0, 5, (2, 9)).astype(float)
    included = np.arange(9) < members
    sums = np.array([values[:, choice].sum(axis=1) for choice in choices(9, members)])
    exact = (sums[:, None] <= sums).mean(axis=1)  # the first choice is what was observed
    p, p_of_all = permutation_p_values(values, included, draws=1999, seed=1)
    assert np.allclose(p, exact[0], atol=0.03)
    ordered = [tuple(sorted(each)) for each in exact]
    assert p_of_all == pytest.approx(np.mean([each <= ordered[0] for each in ordered]), abs=0.03)
    again, _ = permutation_p_values(values, included, draws=1999, seed=1)
    assert np.array_equal(p, again)


def test_the_p_value_of_all_keeps_its_level_and_loses_little_of_it_to_equal_choices():
    generator, draws, runs = np.random.default_rng(2), 19, 1000
    values = generator.normal(size=(3, 12))
    rejected = np.zeros(3)
    for seed in range(runs):
        included = generator.permutation(12) < 6
        _, p_of_all = permutation_p_values(values, included, draws=draws, seed=seed)
        rejected += p_of_all <= np.array([1, 4, 10]) / (1 + draws)
    levels = np.array([1, 4, 10]) / (1 + draws)
    assert np.all(np.abs(rejected / runs - levels) < 4 * np.sqrt(levels * (1 - levels) / runs))


def test_sums_that_differ_by_rounding_are_equal():
    values = np.zeros((1, 3000))
    values[0, :30] = 0.1
    p, _ = permutation_p_values(values, np.arange(3000) < 2990, draws=199, seed=0)
    assert p[0] > 0.8  # nearly all choices hold all thirty


def test_of_rows_beyond_all_others_the_p_value_counts_all_choices():
    values = np.array([9.0, 8.0, 7.0, 1.0, 5.0, 0.0, 2.0])
    included = np.array([True, True, True, True, False, False, False])
    count, p = beyond_maximum(values, included)
    as_many = [beyond_maximum(values, choice)[0] >= count for choice in choices(7, 4)]
    assert count == 3
    assert p == pytest.approx(np.mean(as_many))
    assert beyond_maximum(values, ~included) == (0, 1.0)
    assert beyond_maximum(np.zeros(7), included) == (0, 1.0)


def test_conformal_p_values_are_uniform_where_rows_are_alike():
    generator = np.random.default_rng(3)
    included = np.arange(400) < 100
    p = [conformal_p_values(generator.normal(size=400), included)[0] for _ in range(400)]
    assert kstest(p, "uniform").pvalue > 0.01
    assert conformal_p_values(np.zeros(400), included).max() == 1


def test_the_excess_is_the_share_that_was_planted():
    generator = np.random.default_rng(4)
    missed = 0
    for _ in range(200):
        included = np.arange(700) < 500
        due = generator.multinomial(700, np.full(700, 1 / 700))
        copies = np.bincount(generator.integers(0, 500, 300), minlength=700)
        estimate = excess((due + copies).astype(float), included)
        missed += not estimate.low <= 0.3 <= estimate.high
    assert missed <= 20  # of 10 expected


def test_the_excess_allows_for_copies_that_are_divided():
    generator = np.random.default_rng(5)
    missed = 0
    for _ in range(200):
        group = generator.integers(0, 300, 700)  # equal rows
        included = np.arange(700) < 500
        size = np.bincount(group, minlength=300)
        copied = group[generator.integers(0, 500, 300)]
        due = group[generator.integers(0, 700, 700)]
        counts = np.bincount(np.concatenate([copied, due]), minlength=300) / np.maximum(size, 1)
        of_copy = (np.bincount(group, included, 300) / np.maximum(size, 1))[group[:500]].mean()
        estimate = excess(counts[group], included, float(of_copy))
        missed += not estimate.low <= 0.3 <= estimate.high
    assert missed <= 20  # of 10 expected
    assert not excess(counts[group], included).high >= 0.3  # as if a copy went to one row alone


def test_an_excess_without_an_interval_says_why():
    values = np.array([1.0, 2.0, 0.0, 0.0])
    included = np.array([True, True, False, False])
    assert excess(values, included).value == 1
    assert excess(values, ~included).value == -1
    assert excess(values, included).reason == "all are on one side"
    assert excess(np.zeros(4), included).reason == "no synthetic row counts"
    assert excess(values, included, of_copy=0.5).reason == "training and holdout rows are equal"
