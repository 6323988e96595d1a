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


def test_groups_of_dependent_ones_count_once():
    assert combined_p_value([0.2, 0.1, 0.6], ["a", "b", "a"]) == combined_p_value([0.8, 0.1])
    assert combined_p_value([0.9, 0.8], ["a", "a"]) == 1
    assert combined_p_value([0.2, np.nan], ["a", "a"]) == pytest.approx(0.2)


def test_copies_of_a_p_value_do_not_make_it_small():
    """Each of three tests is made four times: the combined level must hold all the same."""
    drawn = np.repeat(np.random.default_rng(0).random((4000, 3)), 4, axis=1)
    groups = np.repeat(np.arange(3), 4)
    for level in (0.05, 0.2):
        assert np.mean([combined_p_value(row, groups) <= level for row in drawn]) <= level
        naive = np.mean([combined_p_value(row) <= level for row in drawn])
        assert naive > 1.2 * level
