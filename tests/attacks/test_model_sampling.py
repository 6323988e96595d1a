"""Intervals of weighted sums of rare events."""

import numpy as np
import pytest
from scipy import stats

from byrote.attacks.model_sampling import effective_count, gamma_interval


@pytest.mark.parametrize("n", [0, 1, 7, 400])
@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_equal_weights_give_the_exact_poisson_interval(n, level, weight):
    low, high = gamma_interval(np.full(n, weight), weight, level=level)
    tail = (1 - level) / 2
    np.testing.assert_allclose(low, weight * (stats.chi2.ppf(tail, 2 * n) / 2 if n else 0))
    np.testing.assert_allclose(high, weight * stats.chi2.ppf(1 - tail, 2 * n + 2) / 2)


def test_coverage_with_unequal_weights():
    generator = np.random.default_rng(0)
    kinds, rates = np.array([1.0, 3.0, 10.0]), np.array([6.0, 3.0, 1.0])
    truth, inside = float(kinds @ rates), 0
    for _ in range(1000):
        weights = np.repeat(kinds, generator.poisson(rates))
        low, high = gamma_interval(weights, 10.0, level=0.9)
        inside += low <= truth <= high
    assert inside > 880  # conservative; sd 9


def test_effective_count():
    assert effective_count(np.full(9, 0.3)) == pytest.approx(9)
    assert effective_count(np.empty(0)) == 0
