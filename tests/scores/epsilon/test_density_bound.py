"""The paper's bound on the memorization score: coverage, and histograms that are private or not."""

import numpy as np
import pytest
from scipy.stats import binom, ttest_ind

from byrote import epsilon_from_density
from byrote.models import LaplaceHistogram
from byrote.stats.mean_density import log_ratio

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
    log_prob, included = histograms(epsilon, 2000, replaced=replaced)
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
    assert 0.5 < found.epsilon <= found.lower[0] < 20
    assert found.to_dict()["records"] == 1


@pytest.mark.parametrize("spread", [0.1, 0.5])
def test_lower_limits_cover(spread):
    """Densities log-normal about the same mean but for a factor e^0.7."""
    generator = np.random.default_rng(0)
    included = np.arange(40)[:, None] % 2 == 0
    log_prob = generator.normal(-50, spread, size=(40, 2000)) + 0.7 * included
    found = epsilon_from_density(log_prob, np.broadcast_to(included, log_prob.shape), epsilon=0.7)
    assert found.exceeding <= binom(2000, 0.05).ppf(0.99) * 1.15
    assert found.epsilon <= 0.7
    assert found.score.mean() == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0, 5.0])
def test_nothing_is_proven_of_noise(spread):
    generator, positive, runs = np.random.default_rng(1), 0, 200
    for _ in range(runs):
        included = generator.random((24, 30)) < 0.5
        log_prob = spread * generator.normal(size=(24, 30))
        positive += epsilon_from_density(log_prob, included).epsilon > 0
    assert positive <= binom(runs, 0.05).ppf(0.99)


def test_close_values_give_the_t_test_of_densities():
    """For small spread the log of a ratio of means is linear: Welch's statistic."""
    generator = np.random.default_rng(2)
    density = 1 + 1e-5 * generator.normal(size=(9, 1))
    included = np.arange(9)[:, None] < 4
    ratio = log_ratio(np.log(density), included)
    welch = ttest_ind(density[:4, 0], density[4:, 0], equal_var=False)
    assert ratio.freedom[0] == 3
    assert ratio.value[0] / ratio.error[0] == pytest.approx(welch.statistic, rel=1e-3)


def test_what_has_no_score():
    """Constant, one value too few, densities of zero alone, another level, one of four zero."""
    log_prob = np.zeros((8, 5))
    log_prob[7, 1], log_prob[5:7, 1] = np.nan, np.nan
    log_prob[4:, 2] = -np.inf
    log_prob[:4, 3] = 1.0
    log_prob[0, 4] = -np.inf
    included = np.repeat([[True], [False]], 4, axis=0) & np.ones(5, bool)
    found = epsilon_from_density(log_prob, included)
    assert np.isnan(found.score).tolist() == [False, True, True, False, False]
    # the last: mean 3/4, variance 1/4, so a squared relative error of 1/4 / 4 / (3/4)^2
    expected = [0, 1, np.log(0.75) + 0.25 / 4 / 0.75**2 / 2]
    assert found.score[[0, 3, 4]] == pytest.approx(expected)
    assert found.standard_error[[0, 3]].tolist() == [0, 0]
    assert found.unscored == 2
    assert found.epsilon == pytest.approx(1)
    assert np.isnan(found.claimed)
    assert not found.contradicted
    assert epsilon_from_density(log_prob[:, 1:3], included[:, 1:3]).epsilon == 0


def test_the_margin_is_how_far_the_typical_limit_lies_below_its_score():
    generator = np.random.default_rng(0)
    included = np.arange(20)[:, None] % 2 == np.zeros(9)
    values = 0.1 * generator.normal(size=(20, 9))
    found = epsilon_from_density(values, included)
    joint = epsilon_from_density(values, included, significance=0.05 / 9)
    assert found.margin == pytest.approx(np.median(found.score - joint.lower))
    assert 0.05 < found.margin < 0.3
    few = epsilon_from_density(values[:4], included[:4])  # Student's with one degree
    assert few.margin > 10 * found.margin
