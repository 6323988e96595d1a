"""The paper's bound on the memorization score: coverage, and histograms that are private or not."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from byrote.models import LaplaceHistogram
from byrote.privacy import epsilon_from_density, one_run_epsilon

RECORDS = np.repeat([[0.1], [0.6]], [1, 3], axis=0)  # the first is alone in its half


def histograms(epsilon, fits, *, replaced):
    """(fits, 1) log-densities of the first record, and in which fits it was trained on."""
    others = np.vstack([[[0.7]], RECORDS[1:]]) if replaced else RECORDS[1:]
    included = np.arange(fits) % 2 == 0
    found = [
        LaplaceHistogram(bins=2, epsilon=epsilon, random_state=seed)
        .fit(RECORDS if inside else others)
        .score_samples(RECORDS[:1])
        for seed, inside in enumerate(included)
    ]
    return np.array(found), included[:, None]


@pytest.mark.parametrize(("epsilon", "replaced"), [(0.5, True), (2.0, True), (2.0, False)])
def test_scores_of_a_private_histogram_stay_below_epsilon(epsilon, replaced):
    log_prob, included = histograms(epsilon, 1000, replaced=replaced)
    promise = epsilon if replaced else epsilon / 2
    found = epsilon_from_density(log_prob, included, epsilon=promise)
    assert 0 < found.score[0] < promise
    assert found.lower[0] <= promise
    assert not found.contradicted
    assert found.exceeding == 0


def test_a_histogram_with_too_little_noise_is_found_out():
    log_prob, included = histograms(20.0, 200, replaced=True)  # claims 0.5
    found = epsilon_from_density(log_prob, included, epsilon=0.5)
    assert found.contradicted
    assert found.exceeding == 1
    assert 0.5 < found.epsilon == pytest.approx(found.lower[0])
    assert found.to_dict()["records"] == 1


@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0, 5.0])
def test_nothing_is_proven_of_noise(spread):
    generator, positive, runs = np.random.default_rng(1), 0, 60
    counts = np.repeat([9, 13], 15)  # as of coins, but few different ones take less time
    for _ in range(runs):
        included = generator.permuted(np.arange(24)[:, None] < counts, axis=0)
        log_prob = spread * generator.normal(size=(24, 30))
        positive += epsilon_from_density(log_prob, included).epsilon > 0
    assert positive <= binom(runs, 0.05).ppf(0.99)


def e_value(log_prob, included, epsilon):
    """What a gambler ends with who stakes what he has on each pair of one record's fits."""
    inside, outside = log_prob[included], log_prob[~included]
    pairs = min(len(inside), len(outside))

    def blocks(values):
        return [values[np.arange(len(values)) * pairs // len(values) == j] for j in range(pairs)]

    inside, outside, holds = blocks(inside), blocks(outside), 1.0
    for j in range(1, pairs):
        earlier = np.sort(np.concatenate(inside[: 2 ** int(np.log2(j))]))
        scale = earlier[len(earlier) // 2]
        if np.isfinite(scale):
            x, y = (np.exp(np.minimum(v[j] - scale, 0)).mean() for v in (inside, outside))
            holds *= 1 + np.exp(-epsilon) * x - y
    return holds


def test_the_bound_is_where_the_mean_of_what_gamblers_hold_comes_down_to_twenty():
    generator = np.random.default_rng(0)
    included = generator.random((60, 12)) < 0.4
    log_prob = -900 + generator.normal(size=(60, 12)) + 2 * included
    log_prob[generator.random((60, 12)) < 0.05] = -np.inf
    log_prob[::3, 0], log_prob[5, 1], included[:, 2] = -np.inf, np.nan, True

    def hold(epsilon):
        known = ~np.isnan(log_prob)
        return [
            e_value(log_prob[k, r], included[k, r], epsilon)
            for r, k in enumerate(known.T)
            if not included[:, r].all()
        ]

    found = epsilon_from_density(log_prob, included)
    assert found.epsilon > 0.3
    assert np.sum(hold(found.epsilon)) + 1 == pytest.approx(20 * 12)  # one holds what he had
    assert found.unscored == 1
    alone = [brentq(lambda e, r=r: hold(e)[r] - 20, 0, 9) if hold(0)[r] > 20 else 0 for r in (3, 4)]
    assert found.lower[[4, 5]] == pytest.approx(alone, abs=1e-9)


def test_the_score_is_the_log_ratio_of_mean_densities():
    generator = np.random.default_rng(2)
    density = generator.exponential(size=(9, 3))
    density[0, 1] = density[:4, 2] = 0.0
    included = np.arange(9)[:, None] < [[4, 4, 4]]
    with np.errstate(divide="ignore"):
        found = epsilon_from_density(np.log(density), included).score
        expected = np.log(density[:4].mean(axis=0)) - np.log(density[4:].mean(axis=0))
    assert found == pytest.approx(expected)
    nothing = epsilon_from_density(np.full((6, 2), -np.inf), np.arange(6)[:, None] % 2 == [[0, 2]])
    assert np.isnan(nothing.score).all()
    assert nothing.unscored == 1
    assert nothing.epsilon == nothing.provable == 0


@pytest.mark.parametrize("pairs", [2, 5, 6, 11, 101])
def test_what_could_be_proven_is_proven_of_records_that_are_impossible_without_training(pairs):
    """As much as so many guesses that are all right prove, but for the pair that sets the scale."""
    included = np.broadcast_to(np.arange(2 * pairs)[:, None] % 2 == 0, (2 * pairs, 4))
    found = epsilon_from_density(np.where(included, 3.0, -np.inf), included)
    guesses = {"canaries": pairs - 1, "guesses": pairs - 1, "correct": pairs - 1}
    assert found.epsilon == pytest.approx(one_run_epsilon(**guesses), abs=1e-9)
    assert found.provable == pytest.approx(found.epsilon)
    assert found.pairs == pairs
    assert (found.epsilon > 0) == (pairs >= 6)


def test_folds_are_set_beside_the_fits_of_their_own_repeat():
    """Three of four fits trained on each record; those of a repeat share a factor."""
    included = np.arange(80)[:, None] % 4 != np.arange(4)
    factor = np.random.default_rng(0).normal(size=20)
    found = epsilon_from_density(np.where(included, factor.repeat(4)[:, None], -np.inf), included)
    scale = [
        np.sort(factor[: 2 ** int(np.log2(j))])[2 ** int(np.log2(j)) // 2] for j in range(1, 20)
    ]
    stakes = np.exp(np.minimum(factor[1:] - scale, 0))
    assert np.prod(1 + np.exp(-found.epsilon) * stakes) == pytest.approx(20)
    assert found.pairs == 20
