"""Scores whose values are known exactly (to 1e-9)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.neighbors import KernelDensity

import byrote
from byrote import KFold, LeaveOneOut, Probes

from estimators import Kernel, KnownVariance

EXACT = {"rtol": 0, "atol": 1e-9}


def test_gaussian_of_known_variance_leave_one_out():
    x = np.array([3.0] + [-1 / 3] * 9)[:, None]  # mean 0: the first is at distance 3
    result = byrote.score_memorization(KnownVariance(), x, plan=LeaveOneOut())
    assert_allclose(result.score[0], 1.0555556, atol=5e-8)
    expected = ((10 / 9) ** 2 - 1) * (x[:, 0] - x.mean()) ** 2 / 2
    assert_allclose(result.score, expected, **EXACT)
    assert_allclose(result.matched, expected, **EXACT)
    assert_allclose(result.mean_log, expected, **EXACT)


@settings(max_examples=8)
@given(st.integers(2, 8), st.integers(0, 10_000), st.integers(1, 3))
def test_gaussian_of_any_size(n, seed, repeats):
    x = np.random.default_rng(seed).normal(size=(n, 2))
    result = byrote.score_memorization(KnownVariance(), x, plan=LeaveOneOut(repeats))
    squared = ((x - x.mean(axis=0)) ** 2).sum(axis=1)
    assert_allclose(result.score, ((n / (n - 1)) ** 2 - 1) * squared / 2, **EXACT)


@pytest.mark.parametrize(
    ("distance", "score"), [(0, 0.0), (1, 0.2809298), (2, 1.4337808), (3, 3.8179006)]
)
@pytest.mark.parametrize("model", [Kernel(), KernelDensity(bandwidth=1.0)])
def test_two_points_under_a_kernel(distance, score, model):
    x = np.array([[0.0], [float(distance)]])
    result = byrote.score_memorization(model, x, plan=LeaveOneOut())
    assert_allclose(result.score, np.log((1 + np.exp(distance**2 / 2)) / 2), **EXACT)
    assert_allclose(result.score, score, atol=5e-8)


def test_kernel_leave_one_out_is_never_negative():
    x = np.random.default_rng(0).normal(size=(40, 2))
    assert (byrote.score_memorization(Kernel(), x, plan=LeaveOneOut()).score >= 0).all()


def test_kfold_of_as_many_folds_as_records():
    # Leave-one-out by K-fold, but its in side is the fits without another record, eq. (3).
    x = np.random.default_rng(1).normal(size=(6, 1))
    result = byrote.score_memorization(Kernel(), x, plan=KFold(6, repeats=1))
    kernel = norm.logpdf(x - x.T)
    for i in range(6):
        others = [j for j in range(6) if j != i]
        outside = logsumexp(kernel[i, others]) - np.log(5)
        inside = [logsumexp(np.delete(kernel[i], j)) - np.log(5) for j in others]
        expected = logsumexp(inside) - np.log(5) - outside
        assert_allclose(result.score[i], expected, **EXACT)
        assert_allclose(result.mean_log[i], np.mean(inside) - outside, **EXACT)


def test_two_fold_of_a_kernel_by_hand():
    x = np.array([[0.0], [1.0], [2.5], [4.0]])
    result = byrote.score_memorization(Kernel(), x, plan=KFold(2, repeats=1), seed=3)
    from byrote.plans import design_of

    design = design_of(KFold(2, repeats=1), 4, 3)
    for i in range(4):
        log_p = {}
        for fit in range(2):
            train = design.training_rows(fit)
            values = np.exp(-((x[i] - x[train, 0]) ** 2) / 2) / np.sqrt(2 * np.pi)
            log_p[i in train] = np.log(values.mean())
        assert_allclose(result.score[i], log_p[True] - log_p[False], **EXACT)
        assert_allclose(result.log_prob_in[i], log_p[True], **EXACT)
        assert_allclose(result.log_prob_out[i], log_p[False], **EXACT)


def test_planted_outliers_are_on_top():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(100, 2))
    x[:5] = 12 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1]])
    for plan in (LeaveOneOut(), KFold(5, repeats=3), Probes([*range(5), 40, 60, 80], fits=20)):
        result = byrote.score_memorization(KernelDensity(bandwidth=0.5), x, plan=plan)
        assert set(result.order()[:5]) == set(range(5))
    assert (result.q_value[:5] < 0.05).all()


def test_zero_density_held_out_is_an_infinite_score():
    x = np.array([[0.0], [0.1], [0.2], [9.0]])
    result = byrote.score_memorization(KernelDensity(kernel="tophat"), x, plan=LeaveOneOut())
    assert result.score[3] == np.inf
    assert np.isneginf(result.log_prob_out[3])
    assert result.summary().distribution["score"]["maximum"].value == np.inf
    assert result.order()[0] == 3
