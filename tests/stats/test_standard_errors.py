"""Standard errors against their closed forms."""

import numpy as np
from numpy.testing import assert_allclose

from byrote.stats.standard_errors import jackknife_error


def test_of_a_mean_is_the_textbook_error():
    x = np.random.default_rng(0).normal(size=(5, 12))
    replicates = (x.sum(axis=1, keepdims=True) - x) / 11
    assert_allclose(jackknife_error(replicates), x.std(axis=1, ddof=1) / np.sqrt(12), rtol=1e-12)


def test_none_where_it_cannot_be():
    assert np.isnan(jackknife_error(np.zeros((3, 1)))).all()
    assert np.isnan(jackknife_error(np.array([[1.0, np.inf]]))).all()
    assert np.isnan(jackknife_error(np.array([[1.0, np.nan]]))).all()
