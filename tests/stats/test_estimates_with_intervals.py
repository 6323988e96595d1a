"""Estimates and their intervals against scipy's, closed forms and simulation."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest

from byrote.stats.estimate import (
    Estimate,
    clopper_pearson,
    difference,
    from_error,
    mean,
    proportion,
    spearman,
    student_interval,
)
from byrote.stats.standard_errors import Jackknifed, jackknife_error


@pytest.mark.parametrize("n", [2, 3, 40])
def test_mean_of_independent_values_is_scipys(n):
    values = np.random.default_rng(n).normal(3, 2, n)
    expected = stats.t.interval(0.9, n - 1, values.mean(), stats.sem(values))
    for clusters in (None, np.arange(n)):
        estimate = mean(values, clusters, level=0.9)
        np.testing.assert_allclose(estimate.interval, expected)
        assert estimate == Estimate(values.mean(), *estimate.interval, level=0.9)


def test_clusters_are_covered_and_single_values_would_not_be():
    generator = np.random.default_rng(0)
    clusters, covered, naive = np.repeat(np.arange(12), 3), 0, 0
    for _ in range(2000):
        values = generator.normal(size=12)[clusters] + 0.5 * generator.normal(size=36)
        low, high = mean(values, clusters).interval
        covered += low <= 0 <= high
        low, high = mean(values).interval
        naive += low <= 0 <= high
    assert covered / 2000 == pytest.approx(0.95, abs=0.02)
    assert naive / 2000 < 0.85


def test_two_way_clusters_are_covered():
    """Values with an effect of their record and of their fit, 12 by 12."""
    generator, covered = np.random.default_rng(1), 0
    record, fit = (axis.ravel() for axis in np.indices((12, 12)))
    for _ in range(1000):
        effects = generator.normal(size=(2, 12))
        values = effects[0][record] + effects[1][fit] + generator.normal(size=144)
        low, high = mean(values, (record, fit)).interval
        covered += low <= 0 <= high
    assert covered / 1000 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(
    ("values", "clusters", "value", "reason"),
    [
        ([], None, np.nan, "none of the secrets has a value"),
        ([1.0], None, 1.0, "an interval needs two secrets or more"),
        ([1.0, 2.0], ["a", "a"], 1.5, "an interval needs two secrets or more"),
        ([1.0, np.inf], None, np.inf, "some values are infinite or unknown"),
        ([-np.inf, np.inf], None, np.nan, "some values are infinite or unknown"),
        ([1.0, np.nan], None, np.nan, "some values are infinite or unknown"),
    ],
)
def test_means_without_an_interval_give_a_reason(values, clusters, value, reason):
    estimate = mean(values, clusters, units="secrets")
    np.testing.assert_equal(estimate.value, value)
    assert np.isnan(estimate.interval).all()
    assert (estimate.reason, estimate.sign) == (reason, 0)


def jackknifed(values):
    replicates = (values.sum() - values) / (len(values) - 1)
    return Jackknifed(values.mean(), replicates - values.mean(), len(values) - 1)


def test_differences_are_welchs_and_the_paired_t_tests():
    generator = np.random.default_rng(3)
    first, second = generator.normal(1, 2, 9), generator.normal(0, 1, 9)
    pair = jackknifed(first), jackknifed(second)
    welch = stats.ttest_ind(first, second, equal_var=False)
    np.testing.assert_allclose(difference(*pair).interval, welch.confidence_interval())
    paired = stats.ttest_rel(first, second).confidence_interval()
    np.testing.assert_allclose(difference(*pair, paired=True).interval, paired)


def test_differences_without_an_interval_give_a_reason():
    known, unknown = jackknifed(np.arange(4.0)), Jackknifed(1.0, np.empty(0), 0)
    reason = difference(known, unknown, units="repeats").reason
    assert reason == from_error(1.0, np.nan, 3, units="repeats").reason
    assert reason == "an interval needs more repeats"
    infinite = Jackknifed(np.inf, np.zeros(3), 2)
    assert difference(infinite, known).reason == "some values are infinite or unknown"


def test_no_width_without_an_error_and_no_interval_without_degrees():
    assert student_interval(2.0, 0.0, np.nan).tolist() == [2.0, 2.0]
    assert np.isnan(student_interval(2.0, 1.0, 0.0)).all()


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 7), (3, 7), (450, 1000), (3, 10**6)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_proportions_are_scipys(k, n, level):
    test = binomtest(k, n)
    wilson = test.proportion_ci(level, method="wilson")
    share = proportion(k, n, level=level)
    assert share.value == k / n
    np.testing.assert_allclose(share.interval, wilson)
    exact = test.proportion_ci(level, method="exact")
    np.testing.assert_allclose(clopper_pearson(k, n, level=level), exact, rtol=1e-6)
    assert proportion(0, 0).reason


def test_exact_limits_of_effective_trials_lie_between_those_of_whole_ones():
    between = clopper_pearson([2.2, 2.5], [20.4, 20.5])
    for row in (0, 1):
        assert (np.diff([clopper_pearson(2, 20)[row], *between[row]]) > 0).all()
    assert clopper_pearson(0.0, 3.3)[0] == 0
    assert clopper_pearson(3.3, 3.3)[1] == 1


def test_correlations_cover():
    generator = np.random.default_rng(0)
    cover = 0
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's of a normal pair with correlation 0.6
    for _ in range(400):
        x = generator.normal(size=80)
        low, high = spearman(x, 0.6 * x + 0.8 * generator.normal(size=80)).interval
        cover += low <= truth <= high
    assert binomtest(cover, 400, 0.95).pvalue > 1e-3


def test_correlations_of_the_pairs_that_are_known():
    x, y = np.array([1.0, np.nan, 3, np.inf, 2, 0]), np.array([2.0, 5, 3, 9, np.nan, 1])
    assert spearman(x, y) == Estimate(1.0, 1.0, 1.0)
    assert np.isnan(spearman(x[:4], y[:4]).value)
    assert spearman(np.ones(9), np.arange(9.0)).reason


def test_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(5).normal(size=30)
    assert jackknifed(values).error == pytest.approx(stats.sem(values))
    assert np.isnan(jackknife_error(np.empty(0)))
