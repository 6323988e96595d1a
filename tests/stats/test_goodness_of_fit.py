"""Distances of fits from values against scipy's and simulation."""

import numpy as np
import pytest
from scipy.stats import beta, kstest, norm

from byrote.stats.goodness_of_fit import ks_distance, ks_p_value, tail_errors, tail_noise


@pytest.mark.parametrize("n", [1, 10, 5000])
def test_kolmogorov_and_smirnov_are_scipys(n):
    x = np.sort(np.random.default_rng(n).normal(0.02, 1, size=n))
    expected = kstest(x, "norm", method="exact")
    assert ks_distance(x, norm.cdf) == pytest.approx(expected.statistic, rel=1e-12)
    assert ks_p_value(expected.statistic, n) == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("worst", [0, 1, 4321, 8766, 8767])
def test_the_largest_deviation_is_found_wherever_it_is(worst):
    x = (np.arange(8768) + 0.5) / 8768
    x[worst:] += 0.01  # one jump
    x[worst + 1 :] -= 0.01
    x = np.sort(x)
    steps = np.arange(8769) / 8768
    expected = max((steps[1:] - x).max(), (x - steps[:-1]).max())
    assert ks_distance(x, lambda at: at) == pytest.approx(expected, rel=1e-12)


def test_tail_errors_are_bits_between_share_and_tail():
    x = norm.ppf((np.arange(100_000) + 1) / 100_001)  # as even as a sample can be
    found = tail_errors(x, norm.logcdf, (1e-2, 1e-3, 1e-4))
    assert list(found) == [1e-2, 1e-3, 1e-4]
    assert max(map(abs, found.values())) < 1e-3
    halved = tail_errors(x, lambda at: norm.logcdf(at) - np.log(2), (1e-2, 1e-3, 1e-4))
    np.testing.assert_allclose(list(halved.values()), 1.0, atol=1e-3)


@pytest.mark.parametrize(("n", "levels"), [(949, []), (1000, [1e-2]), (10_000, [1e-2, 1e-3])])
def test_only_quantiles_of_ten_values_are_judged(n, levels):
    x = np.sort(np.random.default_rng(0).normal(size=n))
    assert list(tail_errors(x, norm.logcdf, (1e-2, 1e-3, 1e-4))) == levels


def test_ties_count_whole():
    found = tail_errors(
        np.repeat([0.0, 1.0], 500), lambda at: np.full(len(at), np.log(0.5)), (0.01,)
    )
    assert found == {0.01: pytest.approx(0.0)}


def test_noise_is_what_sampling_makes():
    n, level = 2000, 0.01
    k = round(level * n)
    tail = beta.rvs(k, n + 1 - k, size=100_000, random_state=0)
    low, high = tail_noise(level, n, confidence=0.9)
    error = np.log2(k / n) - np.log2(tail)
    assert np.mean(error < low) == pytest.approx(0.05, abs=0.004)
    assert np.mean(error > high) == pytest.approx(0.05, abs=0.004)
