"""Means of ratios under swaps of blocks against brute force, and their intervals in simulation."""

import itertools

import numpy as np
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from scipy.stats import binomtest

from byrote.stats.block_permutation import block_jackknife_interval, swapped_means


def block_distances(train, other, blocks=8):
    parts = np.array_split(cdist(train, other), blocks, axis=1)
    return np.stack([part.min(axis=1) for part in parts])


def test_swapped_means_are_all_of_them():
    above, below = np.abs(np.random.default_rng(0).normal(size=(2, 4, 7))) + 0.1
    expected = []
    for swap in itertools.product([False, True], repeat=4):
        turn = np.array(swap)[:, None]
        top, bottom = np.where(turn, below, above), np.where(turn, above, below)
        expected.append((top.min(axis=0) / bottom.min(axis=0)).mean())
    assert_allclose(swapped_means(above, below), expected, rtol=1e-12)


def test_mean_of_equals_exceeds_one_and_its_interval_and_p_value_know():
    generator = np.random.default_rng(0)
    train = generator.normal(size=(60, 4))
    means, intervals, p = [], [], []
    for _ in range(200):
        above, below = (block_distances(train, generator.normal(size=(50, 4))) for _ in range(2))
        swapped = swapped_means(above, below)
        means.append(swapped[0])
        intervals.append(block_jackknife_interval(above, below))
        p.append((swapped >= swapped[0]).mean())
    truth, intervals = np.mean(means), np.array(intervals)
    assert truth > 1.05  # so that a test against 1 would find memorization where there is none
    covered = int(((intervals[:, 0] <= truth) & (truth <= intervals[:, 1])).sum())
    assert binomtest(covered, 200, 0.95).pvalue > 1e-3
    half = (intervals[:, 1] - intervals[:, 0]).mean() / 2
    assert half < 1.3 * 2.1 * np.std(means)  # and no wider than need be: t of about 14 degrees
    for level in (0.1, 0.5):
        assert binomtest(int((np.array(p) <= level).sum()), 200, level).pvalue > 1e-3
