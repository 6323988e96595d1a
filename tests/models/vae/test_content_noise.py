"""The fixed binary draw of a record: a function of its content and the seed, and fair."""

import numpy as np
import pytest
from scipy.stats import binom, chisquare, kstest

from byrote.models.spaces import content_uniforms


def binarized(x, seed):
    return (content_uniforms(x, seed) < x).astype(np.float32)


def grey(n, d, seed=0):
    return np.random.default_rng(seed).random((n, d), dtype=np.float32)


def half(n, d, seed=0):
    """Records that all differ, by less than matters, with probabilities of one half."""
    return (0.5 + 1e-4 * (grey(n, d, seed) - 0.5)).astype(np.float32)


def correlations(bits, other):
    """Product of standardized bits of probability one half, as a z-score per column."""
    return ((2 * bits - 1) * (2 * other - 1)).sum(axis=0) / np.sqrt(len(bits))


def test_zeros_and_ones_are_kept():
    x = np.random.default_rng(0).integers(0, 2, (200, 50)).astype(np.float32)
    for seed in range(20):
        np.testing.assert_array_equal(binarized(x, seed), x)


def test_it_is_binary_and_leaves_its_input_alone():
    x = grey(100, 30)
    before = x.copy()
    found = binarized(x, 0)
    assert found.dtype == np.float32
    assert found.shape == x.shape
    assert set(np.unique(found)) == {0, 1}
    np.testing.assert_array_equal(x, before)


def test_a_row_does_not_depend_on_the_others():
    x = grey(5000, 8)  # more rows than are drawn at a time
    whole = binarized(x, 7)
    order = np.random.default_rng(1).permutation(len(x))
    np.testing.assert_array_equal(binarized(x[order], 7), whole[order])
    np.testing.assert_array_equal(binarized(x[4090:4100], 7), whole[4090:4100])
    np.testing.assert_array_equal(binarized(x[::7], 7), whole[::7])
    np.testing.assert_array_equal(binarized(np.asfortranarray(x), 7), whole)
    for row in (0, 4095, 4096, 4999):
        np.testing.assert_array_equal(binarized(x[row : row + 1], 7)[0], whole[row])


def test_identical_records_get_the_same_draw():
    x = np.repeat(grey(1, 100), 3, axis=0)
    x[2, 4] = np.nextafter(x[2, 4], np.float32(1))
    first, second, other = binarized(x, 0)
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_a_zero_has_no_sign():
    x = grey(1, 100)
    x[0, :3] = 0
    minus = x.copy()
    minus[0, :3] = -0.0
    np.testing.assert_array_equal(binarized(x, 0), binarized(minus, 0))


def test_the_mean_over_seeds_is_the_probability():
    x = np.concatenate([grey(3, 30), np.full((1, 30), 1e-3, np.float32)])
    seeds = 3000
    total = sum(binarized(x, seed).astype(int) for seed in range(seeds))
    tail = np.minimum(binom.cdf(total, seeds, x), binom.sf(total - 1, seeds, x))
    assert tail.min() > 1e-5


@pytest.mark.parametrize("seed", range(4))
def test_the_uniforms_are_uniform(seed):
    x = grey(4000, 25, seed=100 + seed)
    on = binarized(x, seed) == 1
    # u < x = p, where p is uniform: p given on has the density 2p, p given off 2(1 - p).
    assert kstest(x[on], lambda p: p**2).pvalue > 1e-4
    assert kstest(x[~on], lambda p: 1 - (1 - p) ** 2).pvalue > 1e-4


@pytest.mark.parametrize("p", [2.0**-10, 0.01, 0.3, 0.5, 0.9, 1 - 2.0**-10])
def test_counts_per_record_and_per_pixel_are_binomial(p):
    n, d = 3000, 40
    x = (p * (1 - 1e-5 * grey(n, d))).astype(np.float32)  # records that differ
    bits = binarized(x, 5)
    for axis, trials in ((0, n), (1, d)):
        counts = bits.sum(axis=axis)
        tail = np.minimum(binom.cdf(counts, trials, p), binom.sf(counts - 1, trials, p))
        assert tail.min() > 1e-7
    spread = bits.sum(axis=1).var() / (d * p * (1 - p))  # 1 if pixels are independent
    assert spread == pytest.approx(1, abs=0.15 if 0.005 < p < 0.995 else 0.4)


def test_patterns_of_neighbouring_pixels_are_equally_frequent():
    bits = binarized(half(20000, 64), 3).astype(int)
    for lag in (1, 2, 8, 32):
        pattern = 2 * bits[:, :-lag] + bits[:, lag:]
        assert chisquare(np.bincount(pattern.reshape(-1), minlength=4)).pvalue > 1e-4
    triple = 4 * bits[:, :-2] + 2 * bits[:, 1:-1] + bits[:, 2:]
    assert chisquare(np.bincount(triple.reshape(-1), minlength=8)).pvalue > 1e-4


@pytest.mark.parametrize("how", ["one bit", "one pixel", "every pixel", "two swapped", "shifted"])
def test_nearly_identical_records_are_independent(how):
    x = half(20000, 32)
    near = x.copy()
    if how == "one bit":
        near[:, 31] = np.nextafter(x[:, 31], np.float32(1))
    elif how == "one pixel":
        near[:, 0] += np.float32(1e-3)
    elif how == "every pixel":
        near = np.nextafter(x, np.float32(1))
    elif how == "two swapped":
        near[:, [3, 4]] = x[:, [4, 3]]
    else:
        near = np.roll(x, 1, axis=1)
    a, b = binarized(x, 11), binarized(near, 11)
    assert np.abs(correlations(a, b)).max() < 5
    for lag in (1, 2):  # nor one draw delayed by a pixel
        assert np.abs(correlations(a[:, lag:], b[:, :-lag])).max() < 5
        assert np.abs(correlations(a[:, :-lag], b[:, lag:])).max() < 5


def test_records_that_differ_by_a_step_of_grey_are_independent():
    """An 8-bit ladder: content hashes of such records lie on a lattice."""
    x = np.full((256 * 16, 32), 0.5, dtype=np.float32)
    steps = np.arange(256 * 16)
    x[:, 0], x[:, 1] = (steps % 256) / np.float32(255), (steps // 256) / np.float32(255)
    bits = binarized(x, 2)[:, 2:]
    for apart in (1, 2, 256):
        assert np.abs(correlations(bits[apart:], bits[:-apart])).max() < 5
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(len(x))
    assert len(np.unique(bits, axis=0)) > 0.999 * len(bits)


def test_seeds_are_independent():
    x = half(5000, 40)
    draws = [binarized(x, seed) for seed in (0, 1, 2, 2**31, 2**32 + 1)]
    for i, a in enumerate(draws):
        for b in draws[:i]:
            assert np.abs(correlations(a, b)).max() < 5
            assert (a != b).any(axis=1).all()
