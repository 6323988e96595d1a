"""Student's interval against scipy's, and of values that depend on each other in simulation."""

import numpy as np
import pytest
from scipy import stats

from byrote.stats.intervals import of_mean


@pytest.mark.parametrize("n", [2, 3, 40])
def test_independent_values_are_scipys(n):
    values = np.random.default_rng(n).normal(3, 2, n)
    expected = stats.t.interval(0.9, n - 1, values.mean(), stats.sem(values))
    np.testing.assert_allclose(of_mean(values, 0.9), expected)
    np.testing.assert_allclose(of_mean(values, 0.9, groups=np.arange(n)), expected)


def test_groups_are_covered_and_single_values_would_not_be():
    generator = np.random.default_rng(0)
    groups, held, naive = np.repeat(np.arange(12), 3), 0, 0
    for _ in range(2000):
        values = generator.normal(size=12)[groups] + 0.5 * generator.normal(size=36)
        low, high = of_mean(values, groups=groups)
        held += low <= 0 <= high
        low, high = of_mean(values)
        naive += low <= 0 <= high
    assert held / 2000 == pytest.approx(0.95, abs=0.02)
    assert naive / 2000 < 0.85


@pytest.mark.parametrize(
    ("values", "groups"), [([], None), ([1.0], None), ([1.0, 2.0], ["a", "a"])]
)
def test_one_value_has_no_interval(values, groups):
    assert np.isnan(of_mean(values, groups=groups)).all()
