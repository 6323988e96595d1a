"""Nearest neighbours against brute force in float64, on data made to mislead float32."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from byrote.stats.nearest import nearest
from byrote.stats.rows import Rows


def normal(n, d, seed):
    return np.random.default_rng(seed).normal(size=(n, d))


def near_copies(offset, size=1.0):
    """Queries and references; some references nearly equal one another and some queries."""
    queries, references = normal(40, 6, 0) * size + offset, normal(70, 6, 1) * size + offset
    references[30:60] = references[7] + 1e-6 * size * normal(30, 6, 2)
    queries[:10] = references[7] + 1e-7 * size * normal(10, 6, 3)
    return queries, references


def one_far_away():
    queries, references = normal(40, 6, 0) * 1e-3, normal(70, 6, 1) * 1e-3
    references[3], queries[5] = 1e6, -1e9
    return queries, references


DATA = {
    "plain": lambda: (normal(50, 5, 0), normal(33, 5, 1)),
    "one column": lambda: (normal(50, 1, 0), normal(33, 1, 1)),
    "one reference": lambda: (normal(5, 3, 0), normal(1, 3, 1)),
    "float32": lambda: (normal(50, 5, 0).astype("f4"), normal(33, 5, 1).astype("f4")),
    "float32, offset": lambda: tuple(a.astype("f4") for a in near_copies(1e4)),
    "near copies": lambda: near_copies(0.0),
    "offset": lambda: near_copies(1e6),
    "large": lambda: near_copies(0.0, 1e60),
    "small": lambda: near_copies(0.0, 1e-60),
    "one far away": one_far_away,
    "queries far away": lambda: (normal(20, 4, 0) + 1e25, normal(30, 4, 1)),
    "all the same": lambda: (np.ones((9, 3)), np.ones((20, 3))),
    "two clusters": lambda: (
        np.repeat([[0.0], [1e7]], 20, axis=0) + normal(40, 3, 0),
        np.repeat([[0.0], [1e7]], 35, axis=0) + normal(70, 3, 1),
    ),
    "integers": lambda: tuple(
        np.random.default_rng(s).integers(0, 3, (60, 3)).astype(np.uint8) for s in (0, 1)
    ),
}


def brute_force(queries, references, k, exclude=None):
    distances = cdist(queries.astype(float), references.astype(float))
    if exclude is not None:
        distances[np.arange(len(queries)), exclude] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


@pytest.mark.parametrize("blocks", [(4096, 1024), (7, 9), (64, 1), (1, 64)])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", DATA)
def test_as_brute_force(name, k, blocks):
    queries, references = DATA[name]()
    k = min(k, len(references))
    found = nearest(queries, references, k, query_block=blocks[0], reference_block=blocks[1])
    expected, order = brute_force(queries, references, k)
    assert_allclose(found[0], expected, rtol=1e-12, atol=0)
    if name != "queries far away":  # from where all are equally far
        assert_array_equal(found[1], order)


@pytest.mark.parametrize("blocks", [(4096, 1024), (7, 9)])
def test_own_row_left_out(blocks):
    x = np.concatenate([normal(40, 4, 0), normal(40, 4, 0)[:5]])  # five records twice
    own = np.arange(len(x))
    found = nearest(x, x, 2, exclude=own, query_block=blocks[0], reference_block=blocks[1])
    expected = brute_force(x, x, 2, own)
    assert_allclose(found[0], expected[0], rtol=1e-12)
    assert_array_equal(found[1], expected[1])
    assert_array_equal(found[1][:5, 0], np.arange(40, 45))
    assert (found[0][:5, 0] == 0).all()


def test_own_row_left_out_where_all_are_equal():
    x = np.ones((20, 3))
    distances, indices = nearest(x, x, 1, exclude=np.arange(20))
    assert (distances == 0).all()
    assert_array_equal(indices[:, 0], [1, *[0] * 19])


def test_fewer_references_than_neighbours():
    distances, indices = nearest(normal(4, 2, 0), normal(2, 2, 1), 3)
    assert np.isinf(distances[:, 2]).all()
    assert (indices[:, 2] == -1).all()
    assert np.isfinite(distances[:, :2]).all()


def test_every_query_has_its_own_distance():
    """The authors' code took all distances of a batch from the batch's first row."""
    queries, references = np.arange(10.0)[:, None] * 3, np.arange(10.0)[:, None] * 3 + 1
    queries[4] = 100
    distances, _ = nearest(queries, references, query_block=5)
    assert_allclose(distances[:, 0], [1, 1, 1, 1, 72, 1, 1, 1, 1, 1])


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12)),
    size=st.floats(-20, 20),
    offset=st.floats(-20, 20),
    k=st.integers(1, 4),
)
def test_any_scale_any_offset(seed, shape, size, offset, k):
    generator = np.random.default_rng(seed)
    queries = generator.normal(size=(shape[0], shape[2])) * 10**size + 10**offset
    references = generator.normal(size=(shape[1], shape[2])) * 10**size + 10**offset
    references[generator.integers(len(references))] = queries[0]
    k = min(k, len(references))
    found, _ = nearest(queries, references, k, query_block=16, reference_block=11)
    expected, _ = brute_force(queries, references, k)
    assert_allclose(found, expected, rtol=1e-12, atol=0)
    assert found[0, 0] == 0


def test_rows_are_changed_block_by_block(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (50, 4, 6, 3)).astype(np.uint8)
    np.save(tmp_path / "x.npy", images)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    sizes = []

    def halve(block):
        sizes.append(len(block))
        return block[:, ::2, ::2] / np.float32(255)

    rows = Rows(mapped, np.float32, halve)
    found = nearest(rows, rows, 1, exclude=np.arange(50), query_block=8, reference_block=8)
    flat = (images[:, ::2, ::2] / np.float32(255)).reshape(50, -1)
    expected = brute_force(flat, flat, 1, np.arange(50))
    assert_allclose(found[0], expected[0], rtol=1e-12)
    assert_array_equal(found[1], expected[1])
    assert max(sizes) <= 8
