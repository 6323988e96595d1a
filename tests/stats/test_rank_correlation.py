"""Ranks beside scipy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, spearmanr

from byrote.stats.ranks import midranks, rank_correlation

NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False))


@settings(max_examples=50)
@given(arrays(float, st.tuples(st.integers(0, 4), st.integers(0, 7)), elements=NUMBERS))
def test_ranks_are_scipys(values):
    expected = rankdata(values, axis=1) if values.size else np.empty(values.shape)
    assert midranks(values).tolist() == expected.tolist()


def test_the_correlation_is_spearmans():
    x, y = np.random.default_rng(0).integers(0, 9, size=(2, 50))
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-14)
