"""The private histogram: its noise against the closed form, its density against integration."""

import numpy as np
import pytest
from scipy.stats import chisquare, laplace

from byrote import InvalidInput
from byrote.models import LaplaceHistogram, contract
from byrote.models.weights import weights_of, with_weights


def rounded(k, scale):
    """P(rint(Laplace) = k)."""
    return laplace.cdf(k + 0.5, scale=scale) - laplace.cdf(k - 0.5, scale=scale)


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 4.0])
def test_one_record_changes_probabilities_of_counts_by_at_most_half_of_epsilon(epsilon):
    """Each count's noise has this promise, and replacing a record touches two counts."""
    k = np.arange(-30, 2)  # the upper tail is the mirror image
    ratio = np.log(rounded(k, 2 / epsilon)) - np.log(rounded(k - 1, 2 / epsilon))
    assert np.abs(ratio).max() == pytest.approx(epsilon / 2)


def test_noise_is_laplace_of_that_scale_rounded():
    epsilon = 1.0
    noise = _noise(epsilon, 3000)
    edges = np.arange(-4, 5)
    observed = [np.sum(noise <= edges[0]), *(np.sum(noise == k) for k in edges[1:-1])]
    observed.append(np.sum(noise >= edges[-1]))
    tail = laplace.cdf(edges[0] + 0.5, scale=2 / epsilon)
    expected = np.array([tail, *rounded(edges[1:-1], 2 / epsilon), tail]) * len(noise)
    assert chisquare(observed, expected).pvalue > 1e-3


def _noise(epsilon, cells):
    """The noise of many cells with 1,000 records each, from the densities alone.

    Noisy counts are whole numbers, so their common factor is the density per record.
    """
    x = np.repeat((np.arange(cells) + 0.5) / cells, 1000)[:, None]
    model = LaplaceHistogram(bins=cells, epsilon=epsilon, random_state=5).fit(x)
    density = np.exp(model.log_density_)
    scale = density.mean() / 1000  # first guess of the density of one record
    for _ in range(50):  # the total is 1000 cells + sum of noise: settle it
        counts = np.rint(density / scale)
        scale = density.sum() / counts.sum()
    assert np.abs(density / scale - counts).max() < 1e-6
    return counts - 1000


@pytest.mark.parametrize("features", [1, 2, 3])
def test_density_integrates_to_one(features):
    x = np.random.default_rng(0).normal(size=(200, features))
    model = LaplaceHistogram(bins=4, range=(-2, 3), epsilon=0.7, random_state=3).fit(x)
    draws = np.random.default_rng(1).uniform(-2, 3, size=(4**features * 50, features))
    grid = (np.indices((4,) * features).reshape(features, -1).T + 0.5) / 4 * 5 - 2
    assert np.exp(model.score_samples(grid)).mean() * 5**features == pytest.approx(1)
    assert set(model.score_samples(draws)) <= set(model.score_samples(grid))
    assert model.score_samples(np.full((1, features), 3.001)) == -np.inf
    assert model.score_samples(np.full((1, features), -2.0)) > -np.inf


def test_much_epsilon_gives_the_plain_histogram():
    x = np.random.default_rng(0).random((1000, 2))
    model = LaplaceHistogram(bins=5, epsilon=1e6).fit(x)
    expected, *_ = np.histogram2d(*x.T, bins=5, range=[(0, 1), (0, 1)], density=True)
    assert np.exp(model.log_density_) == pytest.approx(expected)


def test_each_feature_may_have_a_range_of_its_own():
    x = np.random.default_rng(0).random((500, 2))
    units = [100.0, 1e5]
    model = LaplaceHistogram(bins=5, random_state=0)
    expected = model.fit(x).score_samples(x) - np.log(units).sum()
    model.set_params(range=[(0, unit) for unit in units]).fit(x * units)
    np.testing.assert_allclose(model.score_samples(x * units), expected)
    drawn = model.sample(100)
    assert (drawn.max(axis=0) <= units).all()
    assert drawn[:, 1].max() > 100


def test_a_range_without_records_is_refused_before_any_fit():
    with pytest.raises(InvalidInput, match="range must hold records; all are outside"):
        LaplaceHistogram().check_input(np.full((5, 2), 7.0))


def test_records_outside_the_range_leave_no_trace():
    x = np.random.default_rng(0).random((20, 1))
    one = LaplaceHistogram(random_state=1).fit(x)
    other = LaplaceHistogram(random_state=1).fit(np.vstack([x, [[7.0]], [[-1.0]]]))
    assert (one.log_density_ == other.log_density_).all()


def test_samples_follow_the_density():
    x = np.random.default_rng(0).beta(2, 2, size=(500, 1))
    model = LaplaceHistogram(bins=4, epsilon=2.0).fit(x)
    drawn = model.sample(4000)
    assert drawn.shape == (4000, 1)
    expected = np.exp(model.log_density_) / 4 * 4000
    assert chisquare(np.histogram(drawn, bins=4, range=(0, 1))[0], expected).pvalue > 1e-3


def test_is_a_model_that_runs_can_keep():
    contract.check_model(LaplaceHistogram())
    x = np.random.default_rng(0).random((30, 2))
    model = LaplaceHistogram(bins=3, random_state=4).fit(x)
    again = with_weights(LaplaceHistogram(bins=3), weights_of(model))
    assert (again.score_samples(x) == model.score_samples(x)).all()
    same = LaplaceHistogram(bins=3, random_state=4).fit(x)
    assert (same.log_density_ == model.log_density_).all()
    other = LaplaceHistogram(bins=3, random_state=5).fit(x)
    assert (other.log_density_ != model.log_density_).any()


X = np.zeros((3, 2))
REFUSED = {
    "bins": ({"bins": 0}, X, "bins must be an integer of at least 1; got 0"),
    "epsilon": ({"epsilon": 0.0}, X, "epsilon must be a number above 0"),
    "range": (
        {"range": (1, 0)},
        X,
        r"range must be \(low, high\) with low < .* got \(1, 0\)",
    ),
    "number": ({"range": 3}, X, "range must be"),
    "seed": ({"random_state": -1}, X, "random_state must be an integer"),
    "cells": ({"bins": 1025}, X, "bins must give at most 1,048,576 cells; got 1025 bins in each"),
    "vector": ({}, X[0], r"X must be numbers, shape \(n, d\); got float64 \(2,\)"),
    "nan": ({}, X + np.nan, "X must be finite; NaN in row 0"),
}


@pytest.mark.parametrize(("settings", "x", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_in_a_sentence(settings, x, message):
    with pytest.raises(InvalidInput, match=message):
        LaplaceHistogram(**settings).check_input(x)
    with pytest.raises(InvalidInput, match=message):
        LaplaceHistogram(**settings).fit(x)


def test_refused_once_fitted():
    model = LaplaceHistogram(bins=2).fit(X)
    with pytest.raises(InvalidInput, match="X must have the 2 features of training; got 1"):
        model.score_samples(X[:, :1])
    with pytest.raises(InvalidInput, match="weights must be log_density with 3 bins"):
        LaplaceHistogram(bins=3).set_weights(model.get_weights())
