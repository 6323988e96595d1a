"""Clopper-Pearson bounds: published value, scipy's limits, brute force, known mechanisms."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom, norm

from byrote.privacy import epsilon_from_rates, epsilon_from_scores, gaussian_epsilon
from byrote.stats import gaussian_dp
from byrote.stats.estimate import clopper_pearson


def bound(tp, p, fp, n, **options):
    return epsilon_from_rates(
        true_positives=tp, members=p, false_positives=fp, non_members=n, **options
    )


def test_published_value():
    assert bound(500, 500, 0, 500, significance=0.01).epsilon == pytest.approx(4.5419, abs=5e-5)


@pytest.mark.parametrize("delta", [0.0, 1e-3, 0.1])
def test_both_directions(delta):
    found = bound(90, 100, 5, 100, delta=delta)
    low, high = found.true_positive_rate[0], found.false_positive_rate[1]
    right, wrong = np.log((low - delta) / high), np.log((1 - high - delta) / (1 - low))
    assert found.epsilon == pytest.approx(max(right, wrong))
    assert found.mu == pytest.approx(norm.ppf(low) - norm.ppf(high))
    mirrored = bound(95, 100, 10, 100, delta=delta)
    assert mirrored.epsilon == pytest.approx(found.epsilon)


def test_an_attack_that_is_no_better_than_guessing_proves_nothing():
    for found in (bound(50, 100, 50, 100), bound(0, 10, 10, 10), bound(1, 1, 0, 1)):
        assert found.epsilon == 0
        assert found.mu == 0
    assert np.isnan(found.threshold)
    assert found.to_dict()["members"] == 1


@pytest.mark.parametrize("delta", [0.0, 0.05])
def test_best_threshold_is_the_best_of_all(delta):
    generator = np.random.default_rng(0)
    for _ in range(10):
        inside, outside = generator.normal(1.5, 1, 25).round(1), generator.normal(0, 1, 30).round(1)

        def proven(t, inside=inside, outside=outside):
            hits, alarms = int((inside > t).sum()), int((outside > t).sum())
            low, _ = clopper_pearson(hits, 25, level=0.9)
            _, high = clopper_pearson(alarms, 30, level=0.9)
            return gaussian_dp.epsilon_from_rates(float(low), float(high), delta)

        chosen = gaussian_dp.best_threshold(inside, outside, delta=delta, level=0.9)
        every = [-np.inf, *inside, *outside]
        assert proven(chosen) == pytest.approx(max(map(proven, every)))


MECHANISMS = {
    "randomized response": (lambda g, n: g.random(n) < 0.25, lambda g, n: g.random(n) < 0.75, 0.0),
    "laplace": (lambda g, n: g.laplace(size=n), lambda g, n: 1 + g.laplace(size=n), 0.0),
    "gaussian": (lambda g, n: g.normal(size=n), lambda g, n: 1 + g.normal(size=n), 0.01),
    "null": (lambda g, n: g.normal(size=n), lambda g, n: g.normal(size=n), 0.0),
}
EPSILON = {
    "randomized response": np.log(3),
    "laplace": 1.0,
    "gaussian": gaussian_epsilon(1.0, 0.01),
    "null": 0.0,
}


@pytest.mark.parametrize("name", MECHANISMS)
def test_never_above_the_epsilon_of_known_mechanisms(name):
    outside, inside, delta = MECHANISMS[name]
    generator, runs = np.random.default_rng(3), 150
    found = [
        epsilon_from_scores(
            inside(generator, 200).astype(float),
            outside(generator, 200).astype(float),
            delta=delta,
            seed=seed,
        )
        for seed in range(runs)
    ]
    assert sum(f.epsilon > EPSILON[name] for f in found) <= binom(runs, 0.05).ppf(0.99)
    if name == "gaussian":
        assert sum(f.mu > 1 for f in found) <= binom(runs, 0.05).ppf(0.99)
    if name != "null":
        assert np.mean([f.epsilon for f in found]) > 0.15 * EPSILON[name]


def test_limits_hold_together_exactly():
    """The chance of a bound above the true epsilon, summed over all counts."""
    p, q, n = 0.7, 0.3, 30
    total = 0.0
    for tp, fp in itertools.product(range(n + 1), repeat=2):
        if bound(tp, n, fp, n).epsilon > np.log(p / q) + 1e-12:
            total += binom(n, p).pmf(tp) * binom(n, q).pmf(fp)
    assert total <= 0.05


def test_halves_are_disjoint_and_seeded():
    inside, outside = np.arange(10.0) + 100, np.arange(11.0)
    one, same = (epsilon_from_scores(inside, outside, seed=1) for _ in range(2))
    assert one == same
    assert (one.members, one.non_members) == (5, 6)
    assert one.true_positives == 5
    assert one.false_positives <= 6
    thresholds = {epsilon_from_scores(inside, outside, seed=s).threshold for s in range(20)}
    assert len(thresholds) > 1
