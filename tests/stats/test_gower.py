"""Gower's distance in blocks, against a loop over pairs and columns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from byrote.stats import gower
from byrote.stats.gower import MixedRows, gower_distances, nearest_mixed, paired_distances


def brute(first, second):
    """Column by column, pair by pair."""
    distances = np.zeros((len(first), len(second)))
    for i in range(len(first)):
        for j in range(len(second)):
            for a, b in zip(first.numbers[i], second.numbers[j], strict=True):
                gaps = int(np.isnan(a)) + int(np.isnan(b))
                distances[i, j] += (0, 1, 0)[gaps] if gaps else abs(a - b)
            distances[i, j] += sum(first.codes[i] != second.codes[j])
    return distances / first.width


def rows(generator, n, p, q, gaps=0.0):
    numbers = generator.random((n, p))
    numbers[generator.random((n, p)) < gaps] = np.nan
    return MixedRows(numbers, generator.integers(-1, 3, (n, q)))


def whole(queries, references):
    return np.concatenate([part.copy() for _, part in gower_distances(queries, references)])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.3, 1.0]),
)
def test_distances_are_those_of_a_loop(seed, sizes, p, q, gaps):
    if p + q == 0:
        return
    generator = np.random.default_rng(seed)
    first, second = (rows(generator, n, p, q, gaps) for n in sizes)
    expected = brute(first, second)
    assert np.allclose(whole(first, second), expected, rtol=0, atol=1e-14)
    assert np.array_equal(whole(second, first), whole(first, second).T)
    least = min(sizes)
    pairs = first.take(slice(0, least)), second.take(slice(0, least))
    assert np.allclose(paired_distances(*pairs), np.diag(expected)[:least], rtol=0, atol=1e-14)


@pytest.mark.parametrize("k", [1, 2, 5, 40])
@pytest.mark.parametrize("block", [1, 64, 1 << 17])
def test_nearest_are_those_of_a_full_sort_with_ties_by_index(k, block, monkeypatch):
    monkeypatch.setattr(gower, "_BLOCK", block)
    generator = np.random.default_rng(0)
    queries, references = rows(generator, 23, 1, 3), rows(generator, 30, 1, 3)
    queries.numbers[:] = queries.numbers.round(0)
    references.numbers[:] = references.numbers.round(0)
    distances, indices = nearest_mixed(queries, references, k)
    full = whole(queries, references)
    order = np.argsort(full, axis=1, kind="stable")[:, :k]
    found = min(k, 30)
    assert np.array_equal(indices[:, :found], order)
    assert np.array_equal(distances[:, :found], np.take_along_axis(full, order, axis=1))
    assert (indices[:, found:] == -1).all()
    assert np.isinf(distances[:, found:]).all()


def test_a_row_left_out_is_not_its_own_neighbour():
    x = rows(np.random.default_rng(1), 20, 2, 1)
    full = whole(x, x)
    np.fill_diagonal(full, np.inf)
    distances, indices = nearest_mixed(x, x, exclude=np.arange(20))
    assert np.array_equal(distances[:, 0], full.min(axis=1))
    assert (indices[:, 0] != np.arange(20)).all()
    alone = x.take(slice(0, 1))
    assert nearest_mixed(alone, alone, exclude=np.zeros(1, int))[1].tolist() == [[-1]]


def test_half_of_one_hot_columns_makes_the_l1_distance_gowers():
    generator = np.random.default_rng(2)
    x = rows(generator, 25, 2, 3)
    one_hot = [x.numbers, *(np.equal.outer(codes, np.arange(-1, 3)) / 2 for codes in x.codes.T)]
    encoded = np.concatenate(one_hot, axis=1)
    assert np.allclose(whole(x, x), cdist(encoded, encoded, "cityblock") / 5)
