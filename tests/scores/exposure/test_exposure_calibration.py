"""Without memorization: means, p-values, intervals and verdicts in simulation."""

import numpy as np
import pytest
from scipy.stats import chisquare, kstest, skewnorm

from byrote.exposure import estimate_exposure
from byrote.stats.exposure import from_rank, null_mean
from byrote.stats.multiple_testing import combined_p_value


def test_sampled_controls():
    generator = np.random.default_rng(0)
    c, n = 5000, 16
    found = estimate_exposure(generator.normal(size=c), generator.normal(size=(c, n)))
    assert found.bits.mean() == pytest.approx(
        null_mean(n, from_references=True), abs=4 * _error(found)
    )
    counts = np.bincount(found.rank.astype(int), minlength=n + 2)[1:]
    assert chisquare(counts).pvalue > 1e-3  # p-values uniform on k/(n + 1)
    for level in (0.06, 0.1, 0.3):
        assert np.mean(found.p_value <= level) <= level + 4 * np.sqrt(level / c)


def test_p_values_stay_valid_with_ties():
    generator = np.random.default_rng(1)
    found = estimate_exposure(generator.integers(0, 4, 5000), generator.integers(0, 4, (5000, 16)))
    for level in (0.06, 0.1, 0.3):
        assert np.mean(found.p_value <= level) <= level + 4 * np.sqrt(level / 5000)


@pytest.mark.parametrize(("canaries", "references"), [(4, 50), (16, 200)])
def test_combined_p_values_bear_shared_references(canaries, references):
    generator = np.random.default_rng(5)
    made = [
        estimate_exposure(generator.normal(size=canaries), generator.normal(size=references))
        for _ in range(1500)
    ]
    found = np.array([combined_p_value(exposure.p_value) for exposure in made])
    assert np.mean(found <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1500)


def test_exact_controls():
    costs = np.random.default_rng(2).normal(size=1000)
    found = estimate_exposure(costs, costs, method="exact")
    assert found.bits.mean() == pytest.approx(1.4363863, abs=5e-8)
    np.testing.assert_allclose(np.sort(found.p_value), np.arange(1, 1001) / 1000)


@pytest.mark.parametrize("rank", [1, 3, 20, 150, 200])
def test_intervals_cover_the_exposure_among_all(rank):
    """References without replacement from a space of 200, the canary at a known rank."""
    size, n, trials = 200, 40, 1500
    generator = np.random.default_rng(rank)
    others = np.delete(np.arange(1, size + 1), rank - 1)
    drawn = generator.permuted(np.tile(others, (trials, 1)), axis=1)[:, :n]
    found = estimate_exposure(np.full(trials, rank), drawn, space_size=size, level=0.9)
    truth = from_rank([rank], size)[0]
    held = (found.low <= truth + 1e-12) & (truth <= found.high + 1e-12)
    assert held.mean() >= 0.9 - 3 * np.sqrt(0.09 / trials)


def test_skew_normal_controls():
    drawn = skewnorm.rvs(2.0, 40, 3, size=30_000, random_state=3)
    found = estimate_exposure(drawn[:2000], drawn[2000:], method="skew_normal")
    assert kstest(found.p_value, "uniform").pvalue > 1e-3
    assert found.bits.mean() == pytest.approx(1 / np.log(2), abs=4 * _error(found))


@pytest.mark.parametrize(("n", "runs"), [(1000, 60), (3000, 40)])
def test_good_curves_are_seldom_refused(n, runs):
    refused = 0
    for seed in range(runs):
        references = skewnorm.rvs(-1.0, 40, 3, size=n, random_state=seed)
        curve = estimate_exposure(20.0, references, method="skew_normal").fits[0]
        refused += not curve.accepted
    assert refused <= 3  # 1 or 2 % are: more than 3 of 60 by chance in 3 % at most


def _error(found):
    return found.bits.std() / np.sqrt(len(found))
