"""Fisher's combined p-value against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import combine_pvalues

from byrote.stats.fisher import combined_p_value


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=50))
def test_as_scipy(p_values):
    expected = combine_pvalues(p_values, method="fisher").pvalue
    assert combined_p_value(p_values) == pytest.approx(expected, rel=1e-9)


def test_unknown_ones_are_left_out():
    assert combined_p_value([0.2, np.nan, 0.3]) == combined_p_value([0.2, 0.3])
    assert np.isnan(combined_p_value([np.nan]))
    assert np.isnan(combined_p_value([]))


def test_an_impossible_one_decides():
    assert combined_p_value([0.0, 1.0]) == 0
