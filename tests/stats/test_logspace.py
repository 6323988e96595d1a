import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy.special import logsumexp as scipy_logsumexp

from byrote.stats.memorization import logmeanexp, logmeanexp_without, logsumexp

LOGS = st.one_of(st.floats(-800, 800), st.just(-np.inf))


@settings(max_examples=50)
@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=LOGS))
def test_logsumexp_agrees_with_scipy(values):
    assert_allclose(logsumexp(values), scipy_logsumexp(values, axis=-1), rtol=1e-12, atol=1e-12)


@settings(max_examples=50)
@given(arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 6)), elements=LOGS), st.data())
def test_without_agrees_with_leaving_out(values, data):
    units = 4
    unit = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=values.shape[1], max_size=values.shape[1]))
    )
    found = logmeanexp_without(values, unit, units)
    for u in range(units):
        rest = values[:, unit != u]
        if rest.shape[1] == 0:
            assert np.isnan(found[:, u]).all()
        else:
            assert_allclose(found[:, u], logmeanexp(rest), rtol=1e-9, atol=1e-9)


def test_without_a_dominant_value_is_exact():
    values = np.array([[1000.0, -50.0, -50.0]])
    found = logmeanexp_without(values, np.arange(3), 3)
    assert_allclose(found[0, 0], -50.0, rtol=1e-15)


def test_a_constant_shifts_through():
    values = np.random.default_rng(0).normal(size=(5, 7))
    assert_allclose(logmeanexp(values + 3), logmeanexp(values) + 3, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 9])
def test_zero_density_everywhere(size):
    assert logmeanexp(np.full((1, size), -np.inf))[0] == -np.inf
