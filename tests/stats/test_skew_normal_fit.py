"""Maximum likelihood against scipy's, simulation, and curves that must not be trusted."""

import warnings
from functools import cache

import numpy as np
import pytest
from scipy.stats import chi2, skewnorm

from byrote.stats import skew_normal_fit
from byrote.stats.skew_normal import log_lower_tail
from byrote.stats.skew_normal_fit import (
    LIMIT,
    fit,
    jacobian,
    standard_error,
    to_centred,
    to_direct,
)


def draw(shape, n, seed=0, location=30.0, scale=2.0):
    return np.sort(skewnorm.rvs(shape, location, scale, size=n, random_state=seed))


def direct(found):
    return found.location, found.scale, found.shape


@pytest.mark.parametrize("n", [1000, 10_000])
@pytest.mark.parametrize("shape", [0.0, 0.5, -1.0, 3.0, -8.0, 30.0])
def test_the_likelihood_is_scipys_or_better(shape, n):
    x = draw(shape, n, seed=1)
    found = fit(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = skewnorm.logpdf(x, *skewnorm.fit(x)).sum()
    assert found.reason == ""
    own = skewnorm.logpdf(x, found.shape, found.location, found.scale).sum()
    assert found.log_likelihood == pytest.approx(own, rel=1e-12)
    assert found.log_likelihood >= theirs - 1e-5
    assert found.log_likelihood == pytest.approx(theirs, rel=1e-6)


def test_bins_lose_nothing(monkeypatch):
    x = draw(-4.0, 50_000)
    binned = fit(x)
    monkeypatch.setattr(skew_normal_fit, "BINS", len(x))  # so many that each value stands alone
    alone = fit(x)
    assert direct(binned) == pytest.approx(direct(alone), rel=1e-4)
    assert binned.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-5)
    np.testing.assert_allclose(binned.covariance, alone.covariance, rtol=1e-3, atol=1e-12)


def test_values_far_out_do_not_spoil_the_bins():
    x = np.sort(np.append(draw(2.0, 20_000), [60.0, 61.0]))
    found = fit(x)
    theirs = skewnorm.logpdf(x, *skewnorm.fit(x, found.shape, loc=30, scale=2)).sum()
    assert found.log_likelihood == pytest.approx(theirs, rel=1e-6)


def test_unit_and_origin_do_not_matter():
    x = draw(3.0, 5000)
    first, second = fit(x), fit(1000 * x - 7e4)
    expected = (1000 * first.location - 7e4, 1000 * first.scale, first.shape)
    assert direct(second) == pytest.approx(expected, rel=1e-5)


def test_a_symmetric_sample_is_no_trap():
    half = np.random.default_rng(0).normal(size=1000)
    x = np.sort(np.concatenate([half, -half]))
    found = fit(x)
    flat = skewnorm.logpdf(x, 0, x.mean(), x.std()).sum()  # where the likelihood is stationary
    assert found.log_likelihood > flat


@cache
def fits(shape):
    return [fit(draw(shape, 2000, seed)) for seed in range(60)]


@pytest.mark.parametrize("shape", [0.0, -1.5, 4.0])
def test_standard_errors_are_those_of_simulation(shape):
    centred = np.array([to_centred(*direct(one)) for one in fits(shape)])
    centred[:, 2] = LIMIT * np.tanh(centred[:, 2])
    claimed = np.mean([np.diag(one.covariance) for one in fits(shape)], axis=0) ** 0.5
    np.testing.assert_allclose(claimed, centred.std(axis=0), rtol=0.25)


def test_the_error_of_an_exposure_is_that_of_simulation():
    """Found out: errors that are too small by a factor of 1.3."""
    at = np.array([24.0, 15.0])
    truth = log_lower_tail(at, 30.0, 2.0, -1.5)
    distance = [
        (log_lower_tail(at, *direct(one)) - truth)
        / standard_error(lambda p: log_lower_tail(at, *p), direct(one), one.covariance)
        for one in fits(-1.5)
    ]
    assert (np.square(distance).sum(axis=0) < chi2(60).ppf(0.99)).all()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.random.default_rng(0).exponential(size=3000), "the shape diverges"),
        (np.abs(np.random.default_rng(0).normal(size=3000)), "the shape diverges"),
        (-np.abs(np.random.default_rng(0).normal(size=3000)), "the shape diverges"),
        (np.full(1000, 0.1), "all references have the same log-perplexity"),
    ],
)
def test_estimates_that_are_none_say_so(values, reason):
    assert fit(np.sort(values)).reason == reason


@pytest.mark.parametrize("shape", [-90.0, -2.0, -0.05, 0.05, 1.0, 90.0])
def test_centred_parameters_are_the_moments_and_back(shape):
    direct = np.array([3.0, 2.0, shape])
    theta = to_centred(*direct)
    mean, variance, skewness = skewnorm.stats(shape, 3.0, 2.0, moments="mvs")
    expected = [mean, np.log(variance) / 2, skewness]
    np.testing.assert_allclose([*theta[:2], LIMIT * np.tanh(theta[2])], expected, rtol=1e-9)
    np.testing.assert_allclose(to_direct(theta), direct, rtol=1e-6)
    steps = np.diag([1e-5, 1e-5, 1e-5])
    inverse = [to_centred(*(direct + h)) - to_centred(*(direct - h)) for h in steps]
    np.testing.assert_allclose(jacobian(theta) @ np.transpose(inverse) / 2e-5, np.eye(3), atol=1e-4)
