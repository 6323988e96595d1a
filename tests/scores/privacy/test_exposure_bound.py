"""Exposure under differential privacy: published values, and the worst mechanism there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from byrote.privacy import exposure_bound


@pytest.mark.parametrize(("epsilon", "bits"), [(0.65, 2.1805), (1.0, 2.6403), (0.0, 1.442695)])
def test_published_means(epsilon, bits):
    assert exposure_bound(epsilon=epsilon).mean_bits == pytest.approx(bits, abs=5e-5)


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 2.0, 6.0])
def test_the_worst_purely_private_mechanism_attains_the_mean(epsilon):
    """Relative ranks u in (0, 1): density e^epsilon below s, e^-epsilon above, as large as DP lets.

    exposure = -log2 u, s = 1 / (1 + e^epsilon) makes it a density.
    """
    s = 1 / (1 + np.exp(epsilon))
    below = quad(lambda u: -np.log2(u) * np.exp(epsilon), 0, s)[0]
    above = quad(lambda u: -np.log2(u) * np.exp(-epsilon), s, 1)[0]
    assert exposure_bound(epsilon=epsilon).mean_bits == pytest.approx(below + above, rel=1e-6)


@settings(max_examples=30)
@given(st.floats(0, 5, allow_subnormal=False), st.floats(1e-8, 1e-2), st.integers(2, 10**9))
def test_approximate_privacy_costs_the_integral_of_the_tail(epsilon, delta, size):
    bound = exposure_bound(epsilon=epsilon, delta=delta, space_size=size)
    points = np.linspace(0, np.log2(size), 1001)
    integral = np.trapezoid([bound.tail(float(t)) for t in points], points)
    assert integral <= bound.mean_bits + 1e-3
    assert bound.mean_bits <= np.log2(size)


def test_tail_of_the_null_is_exponential():
    bound = exposure_bound(epsilon=0.0)
    assert [bound.tail(bits) for bits in (0, 1, 10)] == pytest.approx([1, 0.5, 2**-10])
    assert exposure_bound(epsilon=2.0).tail(0) == 1
    assert exposure_bound(epsilon=1.0, delta=0.01, space_size=100).tail(30) == pytest.approx(
        np.e * 2**-30 + 0.01
    )


def test_insertions_add_up():
    bound = exposure_bound(epsilon=0.2, delta=1e-6, insertions=4, space_size=10**9)
    assert bound.group_epsilon == pytest.approx(0.8)
    assert bound.group_delta == pytest.approx(1e-6 * (1 + np.exp(0.2) + np.exp(0.4) + np.exp(0.6)))
    whole = exposure_bound(epsilon=0.8, delta=bound.group_delta, space_size=10**9)
    assert bound.mean_bits == pytest.approx(whole.mean_bits)
    assert bound.to_dict()["insertions"] == 4


def test_vacuous_promises_say_so():
    many = exposure_bound(epsilon=9.0, delta=1e-3, insertions=1000, space_size=10**6)
    assert many.group_delta == 1
    assert many.tail(19) == 1
    assert many.mean_bits == pytest.approx(np.log2(10**6))
