"""Blocks of records with equal counts, and what is computed on them, against the plain way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from byrote.scores.memorization.in_out import numbered
from byrote.stats import mean_density, two_sides
from byrote.stats.memorization import logmeanexp_without


@given(st.integers(0, 1000), st.integers(1, 6), st.sampled_from([2, 40, 2**31 - 1]))
def test_rows_are_numbered_as_by_unique(seed, columns, most):
    """Also where all counts together need more than 64 bits."""
    rows = np.random.default_rng(seed).integers(0, most, size=(30, columns))
    rows[10:20] = rows[:10]
    assert_array_equal(numbered(rows), np.unique(rows, axis=0, return_inverse=True)[1].ravel())


def test_without_the_unit_of_a_dominant_value_the_others_are_still_there():
    """They are lost beside it: exp(-2000) is no double."""
    values = np.array([[0.0, -2000.0, -2001.0, -5.0], [-np.inf, -np.inf, -3.0, -3.0], [1.0] * 4])
    unit = np.array([0, 1, 2, 0])
    found = logmeanexp_without(values, unit, 3)
    for left_out in range(3):
        rest = values[:, unit != left_out]
        expected = logsumexp(rest, axis=1) - np.log(rest.shape[1])
        assert_allclose(found[:, left_out], expected, rtol=1e-13)


def test_stakes_do_not_depend_on_the_blocks_that_records_are_cut_into(monkeypatch):
    generator = np.random.default_rng(0)
    included = generator.random((9, 50)) < 0.5
    log_prob = np.where(generator.random((9, 50)) < 0.1, np.nan, generator.normal(size=(9, 50)))
    whole = mean_density.stakes(log_prob, included), mean_density.log_ratio(log_prob, included)
    monkeypatch.setattr(two_sides, "_BLOCK", 9 * 2)
    cut = mean_density.stakes(log_prob, included), mean_density.log_ratio(log_prob, included)
    assert_array_equal(whole[1], cut[1])
    for name in ("inside", "outside", "pairs"):
        assert_array_equal(getattr(whole[0], name), getattr(cut[0], name))
