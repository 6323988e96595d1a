"""Gaussian differential privacy against numeric integration, itself, and dp-accounting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from byrote.privacy import gaussian_delta, gaussian_epsilon
from byrote.stats.gaussian_dp import mu_from_rates

PAIRS = [(0.3, 0.1), (1.0, 0.0), (1.0, 1.0), (2.0, 5.0), (5.0, 3.0)]


@pytest.mark.parametrize(("mu", "epsilon"), PAIRS)
def test_delta_is_the_hockey_stick_divergence(mu, epsilon):
    start = mu / 2 + epsilon / mu  # where phi(x - mu) = e^epsilon phi(x)
    expected, _ = quad(lambda x: norm.pdf(x - mu) - np.exp(epsilon) * norm.pdf(x), start, 40)
    assert gaussian_delta(mu, epsilon) == pytest.approx(expected, rel=1e-6)


@given(st.floats(0.05, 8, allow_subnormal=False), st.floats(0.0, 15, allow_subnormal=False))
def test_epsilon_is_the_inverse(mu, epsilon):
    delta = gaussian_delta(mu, epsilon)
    if delta > 1e-250:
        assert gaussian_epsilon(mu, delta) == pytest.approx(epsilon, rel=1e-6, abs=1e-6)


def test_edges():
    assert gaussian_delta(0.0, 0.0) == gaussian_epsilon(0.0, 0.0) == gaussian_epsilon(0.0, 0.1) == 0
    assert gaussian_epsilon(1.0, 0.0) == np.inf
    assert gaussian_epsilon(1.0, 0.9) == 0
    assert gaussian_delta(1.0, 800.0) == 0.0
    assert gaussian_delta(30.0, 0.0) == 1.0


@given(st.floats(0.01, 5, allow_subnormal=False), st.floats(0.001, 0.9, allow_subnormal=False))
def test_mu_of_the_rates_of_a_threshold(mu, false_positive):
    threshold = norm.isf(false_positive)
    assert mu_from_rates(norm.sf(threshold - mu), false_positive) == pytest.approx(mu, rel=1e-6)
    assert mu_from_rates(false_positive, false_positive) == 0


# GaussianPrivacyLoss(standard_deviation=1 / mu).get_delta_for_epsilon(epsilon) of dp-accounting
ACCOUNTED = dict(
    zip(
        PAIRS,
        [
            0.07976985966882022,
            0.3829249225480263,
            0.12693673750664392,
            0.032281984750072865,
            0.9518486101179058,
        ],
        strict=True,
    )
)


@pytest.mark.parametrize(("pair", "delta"), ACCOUNTED.items())
def test_agrees_with_dp_accounting(pair, delta):
    assert gaussian_delta(*pair) == pytest.approx(delta, rel=1e-9)
    assert gaussian_epsilon(pair[0], delta) == pytest.approx(pair[1], abs=1e-8)
