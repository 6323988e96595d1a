import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import false_discovery_control

from byrote.stats.discovery import q_values


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=30))
def test_agrees_with_scipy(p_values):
    p = np.array(p_values)
    assert_allclose(q_values(p), false_discovery_control(p), rtol=1e-12)


def test_records_without_p_value_do_not_count():
    p = np.array([0.001, np.nan, 0.5, np.nan])
    assert_allclose(q_values(p)[[0, 2]], false_discovery_control([0.001, 0.5]))
    assert np.isnan(q_values(p)[[1, 3]]).all()


def test_none_at_all():
    assert np.isnan(q_values(np.full(3, np.nan))).all()
