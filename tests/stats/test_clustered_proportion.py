"""Proportions of dependent trials: exact where trials are independent, covering where not."""

import numpy as np
import pytest
from scipy.stats import binomtest

from byrote.stats.clustered_proportion import clustered_proportion, proportion_difference
from byrote.stats.estimate import Estimate


def test_independent_trials_give_the_exact_interval():
    hits = np.zeros(4000)
    hits[:1000] = 1
    result = clustered_proportion(hits, np.arange(4000))
    ends = binomtest(1000, 4000).proportion_ci(0.95, method="exact")
    np.testing.assert_allclose(result.interval, (ends.low, ends.high), atol=2e-5)


def test_trials_that_only_repeat_one_another_count_once():
    hits = np.repeat([1.0, 0, 0, 1, 0, 0, 0, 0], 50)
    result = clustered_proportion(hits, np.repeat(np.arange(8), 50))
    once = binomtest(2, 8).proportion_ci(0.95, method="exact")
    assert result.low < once.low < 0.25 < once.high < result.high < once.high + 0.15


def test_clusters_that_are_all_alike_count_each_trial():
    result = clustered_proportion([1, 0, 0] * 20, np.repeat(np.arange(20), 3))
    ends = binomtest(20, 60).proportion_ci(0.95, method="exact")
    assert result.interval == pytest.approx((ends.low, ends.high))


def test_without_hits_the_limit_is_that_of_the_clusters():
    even = clustered_proportion(np.zeros(60), np.repeat(np.arange(20), 3))
    ends = binomtest(0, 20).proportion_ci(0.95, method="exact")
    assert even.interval == pytest.approx((0, ends.high))
    uneven = clustered_proportion(np.zeros(60), np.repeat([0, 1], [59, 1]))
    assert uneven.high > 0.9


def test_intervals_cover_at_their_level():
    generator = np.random.default_rng(0)
    cluster, covered, differ = np.repeat(np.arange(40), 10), [], []
    for _ in range(400):
        sides = []
        for _ in range(2):
            rates = generator.beta(0.6, 5.4, 40)[cluster]  # mean 0.1, with ten trials each
            sides.append(clustered_proportion(generator.random(400) < rates, cluster))
        covered += [side.low <= 0.1 <= side.high for side in sides]
        gap = proportion_difference(*sides)
        differ.append(gap.low <= 0 <= gap.high)
    assert np.mean(covered) > 0.93
    assert np.mean(differ) > 0.93


def test_what_has_no_interval_says_why():
    assert "two texts" in clustered_proportion([1, 0], [0, 0], units="texts").reason
    assert "no trials" in clustered_proportion([], []).reason
    alone = proportion_difference(Estimate(0.5, reason="why"), Estimate(0.25, 0.1, 0.4))
    assert (alone.value, alone.reason) == (0.25, "why")
