"""Moments of cyclic windows against every window cut out, and what lies outside of them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byrote.stats.lira import window_moments
from byrote.stats.memorization import Side


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 25))
def test_every_window_as_if_cut_out(seed, rows):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rows, 4)) * np.exp(3 * generator.normal(size=(rows, 4)))
    width = int(generator.integers(1, rows + 1))
    mean, squares = window_moments(values, width)
    for row, column in np.ndindex(rows, 4):
        window = np.tile(values[:, column], 2)[row : row + width]
        scale = np.abs(values[:, column]).max()
        expected = window.mean(), ((window - window.mean()) ** 2).sum()
        assert mean[row, column] == pytest.approx(expected[0], rel=1e-9, abs=1e-12 * scale)
        assert squares[row, column] == pytest.approx(expected[1], rel=1e-9, abs=1e-12 * scale**2)


def test_values_outside_a_window_leave_no_trace_in_it():
    """A difference of running sums would keep nothing of a spread of 1e-3 beside 1e12."""
    values = 1e-3 * np.random.default_rng(0).normal(size=(40, 1))
    values[7] = 1e12
    mean, squares = window_moments(values, 10)
    clear = [row for row in range(40) if (7 - row) % 40 >= 10]
    for row in clear:
        window = values[(row + np.arange(10)) % 40, 0]
        assert mean[row, 0] == pytest.approx(window.mean(), rel=1e-9)
        assert squares[row, 0] == pytest.approx(np.var(window) * 10, rel=1e-9)


def test_means_without_a_unit_take_no_more_room_than_the_values():
    """And are those of what is left: a matrix of 20,000 units by as many values would be 3 GB."""
    values, unit = np.random.default_rng(1).normal(size=(1, 20_000)), np.arange(20_000)[::-1]
    tracemalloc.start()
    found = Side(values, unit).mean_without(20_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e7
    for left_out in (0, 7, 19_999):
        assert found[0, left_out] == pytest.approx(values[0, unit != left_out].mean(), abs=1e-12)


def test_means_without_a_unit_of_several_values_and_densities_of_zero():
    values = np.array([[1.0, 2.0, 4.0, 8.0], [1.0, -np.inf, 3.0, 5.0]])
    found = Side(values, np.array([0, 1, 0, 3])).mean_without(4)
    assert found[0].tolist() == [5.0, pytest.approx(13 / 3), 3.75, pytest.approx(7 / 3)]
    assert found[1].tolist() == [-np.inf, 3.0, -np.inf, -np.inf]
    assert np.isnan(Side(values[:, :1], np.array([0])).mean_without(2)[0, 0])
