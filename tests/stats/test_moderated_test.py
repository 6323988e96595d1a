"""The moderated t-test against least squares, scipy, and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import polygamma

from byrote.stats.moderated_test import (
    Contrast,
    VariancePrior,
    detectable_effect,
    fit_prior,
    inverse_trigamma,
    one_sample_contrast,
    sign_contrasts,
    split_contrasts,
    student_p_values,
    two_sample_contrast,
)

NO_PRIOR = VariancePrior(1.0, 0.0)


def drawn(m, c, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(m, c)) * generator.lognormal(size=(m, 1)) - 300
    return values, np.arange(c) < c // 3 + 1, generator.lognormal(size=(m, c))


def test_without_prior_and_weights_it_is_students_test():
    values, member, _ = drawn(30, 9)
    found = student_p_values(two_sample_contrast(values, member, np.ones((30, 9))), NO_PRIOR)
    expected = stats.ttest_ind(values[:, member], values[:, ~member], axis=1, alternative="greater")
    assert found == pytest.approx(expected.pvalue)


def test_of_differences_it_is_students_test_of_one_sample():
    values, _, _ = drawn(30, 7)
    values += 300
    found = student_p_values(one_sample_contrast(values, np.ones((30, 7))), NO_PRIOR)
    assert found == pytest.approx(stats.ttest_1samp(values, 0, axis=1, alternative="greater")[1])


@pytest.mark.parametrize("block", [[0] * 8, [0, 1, 2, 0, 1, 2, 0, 1]])
def test_effects_and_errors_are_those_of_least_squares(block):
    values, member, weight = drawn(20, 8)
    block = np.array(block)
    found = two_sample_contrast(values, member, weight, block)
    blocks = block[:, None] == np.unique(block)
    for row in range(20):
        root = np.sqrt(weight[row])
        columns = np.column_stack([member, blocks]) * root[:, None]
        beta, squares, *_ = np.linalg.lstsq(columns, values[row] * root)
        covariance = np.linalg.inv(columns.T @ columns)
        assert found.effect[row] == pytest.approx(beta[0])
        assert found.variance[row] == pytest.approx(squares[0] / found.degrees[row])
        assert 1 / found.precision[row] == pytest.approx(covariance[0, 0])
        assert found.degrees[row] == 8 - blocks.shape[1] - 1


def test_splits_and_signs_are_tested_each_by_itself():
    values, _, weight = drawn(5, 8, seed=7)
    generator = np.random.default_rng(7)
    members = generator.permuted(np.tile(np.arange(8) < 3, (4, 1)), axis=1)
    signs = generator.choice([-1.0, 1.0], size=(4, 8))
    splits, signed = split_contrasts(values, members, weight), sign_contrasts(values, signs, weight)
    for number in range(4):
        alone = two_sample_contrast(values, members[number], weight)
        flipped = one_sample_contrast(values * signs[number], weight)
        for name in ("effect", "precision", "variance", "degrees"):
            assert getattr(splits, name)[number::4] == pytest.approx(getattr(alone, name))
            assert getattr(signed, name)[number::4] == pytest.approx(getattr(flipped, name))


def test_equal_and_infinite_values_have_no_variance():
    values = np.array([[-1e5] * 6, [1.0, 2.0, -np.inf, 0.0, 0.0, 1.0], [0.1 + 0.2, 0.3] * 3])
    found = two_sample_contrast(values, np.arange(6) < 3, np.ones((3, 6)))
    assert not (found.variance[:2] > 0).any()


@given(st.floats(1e-6, 1e6))
def test_the_inverse_of_trigamma(value):
    assert float(polygamma(1, inverse_trigamma(value))) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("degrees", [2.0, 5.0, 20.0])
def test_the_prior_is_that_of_the_draws(degrees):
    generator = np.random.default_rng(3)
    true = 0.25 * degrees / generator.chisquare(degrees, size=50_000)
    prior = fit_prior(true * generator.chisquare(7, size=50_000) / 7, np.full(50_000, 7.0))
    assert prior.degrees == pytest.approx(degrees, rel=0.08)
    assert prior.variance == pytest.approx(0.25, rel=0.03)


def test_equal_variances_are_pooled_whole():
    prior = VariancePrior(4.0, np.inf)
    contrast = Contrast(np.array([4.0]), np.array([1.0]), np.array([1.0]), np.array([3.0]))
    variance, degrees = prior.moderate(contrast)
    assert (variance, degrees) == (4.0, np.inf)
    assert student_p_values(contrast, prior) == pytest.approx(stats.norm.sf(2.0))


def test_moderated_p_values_are_uniform_where_the_prior_holds():
    """Ordinary t-tests would be, too; these have the degrees of freedom of both."""
    generator = np.random.default_rng(5)
    scale = np.sqrt(8 / generator.chisquare(8, size=(20_000, 1)))
    values = scale * generator.normal(size=(20_000, 6))
    contrast = two_sample_contrast(values, np.arange(6) < 3, np.ones((20_000, 6)))
    p = student_p_values(contrast, fit_prior(contrast.variance, contrast.degrees))
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_a_detectable_effect_is_found_as_often_as_asked():
    generator = np.random.default_rng(2)
    effect = detectable_effect(0.01, 4, 0.8)
    t = (generator.normal(size=40_000) + effect) / np.sqrt(generator.chisquare(4, 40_000) / 4)
    assert (t >= stats.t.isf(0.01, 4)).mean() == pytest.approx(0.8, abs=0.01)
    assert detectable_effect(0.0, 4, 0.8) == np.inf
    for degrees, critical in ((4, 1e-3), (12, 1e-5), (1e6, 1e-6)):
        effect = detectable_effect(critical, degrees, 0.8)
        power = stats.nct.sf(stats.t.isf(critical, degrees), degrees, effect)
        assert power == pytest.approx(0.8, abs=0.002)
    assert np.isfinite(detectable_effect(1e-30, 2, 0.8))  # where the noncentral t has no series
