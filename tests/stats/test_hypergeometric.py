"""Limits from samples without replacement against enumeration."""

from math import comb

import pytest

from byrote.stats.hypergeometric import count_limits, order_limits


@pytest.mark.parametrize("population", [7, 12])
def test_limits_of_a_population_invert_the_hypergeometric_distribution(population):
    for sample in range(1, population):
        for low in range(sample + 1):
            for high in range(low, sample + 1):
                limits = count_limits(
                    low, high, sample=sample, population=population, significance=0.1
                )
                assert limits == by_enumeration(low, high, sample, population)


def tail(marked, sample, population, counts):
    ways = sum(comb(marked, k) * comb(population - marked, sample - k) for k in counts)
    return ways / comb(population, sample)


def by_enumeration(low, high, sample, population, significance=0.1):
    least = next(
        marked
        for marked in range(population + 1)
        if tail(marked, sample, population, range(low, sample + 1)) > significance * (1 + 1e-9)
    )
    most = next(
        marked
        for marked in range(population, -1, -1)
        if tail(marked, sample, population, range(high + 1)) > significance * (1 + 1e-9)
    )
    return least, most


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_order_limits_are_the_extreme_counts_that_are_rare(allowed):
    population, sample, significance = 14, 9, 0.1
    few, many = order_limits(
        allowed, sample=sample, population=population, significance=significance
    )
    below = [tail(allowed + 1, sample, population, range(c)) for c in range(sample + 2)]
    above = [tail(allowed, sample, population, range(c, sample + 1)) for c in range(sample + 2)]
    assert few == max(c for c in range(allowed + 2) if below[c] <= significance)
    assert many == min(c for c in range(sample + 2) if above[c] <= significance)
