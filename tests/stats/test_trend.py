"""Slopes against scipy's, and against a jackknife that leaves out one pair at a time."""

import numpy as np
import pytest
from scipy import stats

from byrote.stats.trend import slope


def test_a_slope_is_that_of_least_squares_with_the_error_of_the_jackknife():
    generator = np.random.default_rng(0)
    x = generator.integers(0, 6, 30).astype(float)
    y = 0.3 * x + generator.normal(size=30) * (1 + x)
    without = [np.polyfit(np.delete(x, k), np.delete(y, k), 1)[0] for k in range(30)]
    error = np.sqrt(29 * np.var(without))
    half = stats.t.ppf(0.975, 28) * error
    found = slope(x, y)
    assert found.value == pytest.approx(stats.linregress(x, y).slope)
    assert found.interval == pytest.approx((found.value - half, found.value + half))


def test_the_interval_covers_the_slope_also_where_the_spread_changes():
    generator = np.random.default_rng(1)
    x = np.repeat(np.arange(7.0), 8)
    covered = 0
    for _ in range(1000):
        found = slope(x, 0.5 * x + generator.normal(size=56) * x)
        covered += found.low <= 0.5 <= found.high
    assert 0.93 <= covered / 1000 <= 0.97


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1, 1], [0, 1], "a slope needs texts with different x"),
        ([], [], "a slope needs texts with different x"),
        ([0, 1], [0, 1], "an interval needs more texts"),
        ([0, 0, 1], [0, 1, 1], "an interval needs more texts"),
        ([0, 1, 2], [0, np.inf, 1], "some values are infinite or unknown"),
        ([0, 1, 2, 3], [0, 0, 0, 0], "all texts have the same value"),
    ],
)
def test_what_has_no_slope_or_no_interval_says_why(x, y, reason):
    found = slope(x, y, units="texts")
    assert found.reason == reason
    assert np.isnan(found.low)
