"""Bounds and intervals where nothing is memorized: tied, infinite, heavy-tailed, shared by a fit.

The full table, with each measure under each of these, is in docs/levels.md.
"""

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import binomtest

from byrote import KFold, Probes
from byrote.plans import IN, design_of
from byrote.privacy import audit_one_run, epsilon_from_density
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import evaluate, zero_spread
from levels import MEASURES, NULLS, errors, raised

RUNS = 30
CHEAP = [
    "guesses about coins: `audit_one_run`, 1,000 coins",
    "trials of one record: `epsilon_from_scores`, 60 fits",
    "mean densities: `KFold(3, repeats=12)`",
    "ranks of secrets: 6 canaries, 2 fits",
    "exposure of a secret, sampled",
]


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("measure", CHEAP)
def test_errors_are_as_seldom_as_allowed_whatever_the_noise(measure, null):
    wrong, said = errors(measure, null, RUNS)
    allowed = MEASURES[measure][0]
    assert said == RUNS or (measure.startswith("exposure") and null == "10 % infinite")
    assert not said or binomtest(wrong, said, allowed, alternative="greater").pvalue > 1e-3


@pytest.mark.parametrize("value", [0.0, 3.5, -np.inf, np.inf])
@pytest.mark.parametrize("members_first", [True, False])
def test_scores_that_are_all_equal_prove_nothing_in_any_order(value, members_first):
    included = (np.arange(1000) < 500) == members_first
    found = audit_one_run(np.full(1000, value), included, guesses=100, delta=1e-5)
    assert (found.epsilon, found.mu, found.correct) == (0, 0, 50)


@pytest.mark.parametrize("seed", range(5))
def test_ties_are_not_broken_by_the_order_of_the_records(seed):
    """Scores of two values that tell nothing, members last: by their order 100 would be right."""
    scores = np.arange(1000) % 2
    found = audit_one_run(scores, np.arange(1000) >= 500, guesses=100, seed=seed)
    assert found.epsilon == 0
    assert 30 < found.correct <= 55


def test_of_draws_among_ties_the_one_with_the_fewest_right_counts():
    """Against the mean and spread of a hypergeometric number of right guesses."""
    generator = np.random.default_rng(0)
    included = generator.random(2000) < 0.5
    scores = np.where(generator.random(2000) < 0.8, included, ~included).astype(float)
    found = [audit_one_run(scores, included, guesses=200, seed=s).correct for s in range(40)]
    assert 200 * 0.8 - 3.5 * np.sqrt(200 * 0.16) < np.mean(found) < 200 * 0.8
    exact = np.sort(scores)[[99, 100, -101, -100]]
    assert exact.tolist() == [0, 0, 1, 1]  # both cuts go through a tie


def test_a_factor_common_to_a_fit_is_no_evidence():
    """Four fits of 500 records that share a factor of 4 at 30 %, and a promise to contradict."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        factor = np.where(generator.random((4, 1)) < 0.3, np.log(4.0), 0.0)
        half = np.broadcast_to(np.repeat([[True], [False]], 2, axis=0), (4, 500))
        included = generator.permuted(half, axis=0)
        found = epsilon_from_density(np.broadcast_to(factor, (4, 500)), included, epsilon=0.1)
        assert found.epsilon == found.exceeding == found.provable == 0
        assert not found.contradicted


def test_equal_values_on_each_side_are_no_error_of_zero():
    """Two repeats of two folds; fits of one value or another, whoever they trained on."""
    design = design_of(KFold(2, repeats=2), 40, 0)
    table = Table(design, np.arange(40, dtype=np.uint32), np.zeros((4, 40)))
    table.log_prob[[0, 2]] = np.log(4.0)
    found = evaluate(table)
    same = np.array([design.trained_on(0) == design.trained_on(2)])[0]
    assert (found.standard_error["mean_log"][same] < 1e-12).all()
    assert np.isnan(found.interval[same]).all()
    assert np.isfinite(found.interval[~same]).all()
    assert (zero_spread(found, 0.05) == same).all()
    higher = found.estimate["mean_log"] > 0  # chance alone makes such values one time in four
    assert not zero_spread(found, 0.5)[higher].any()


def test_a_model_without_chance_has_an_error_of_zero_that_is_known():
    design = design_of(Probes(list(range(20)), fits=8), 20, 0)
    table = Table(design, np.arange(20, dtype=np.uint32), np.zeros((8, 20)))
    table.log_prob[:] = 2.0 * (table.roles() == IN)
    assert evaluate(table).interval == pytest.approx(np.full((20, 2), 2.0))
    table.log_prob[0, 3] += 0.5  # not for every record: but chance would seldom do it
    found = evaluate(table)
    assert np.isfinite(found.interval).all()
    assert found.interval[0] == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize("null", ["fits shifted", "heavy tails"])
def test_the_interval_of_liras_area_is_wide_enough_where_fits_share_their_noise(null):
    """In half-widths areas scatter by 0.51 about their mean where 95 % of the intervals hold it.

    So over 200 runs those of sums of influences alone scatter by 0.6; these, by 0.4 to 0.5.
    """
    area, low, high = logit(raised(null, 15)).T
    scatter = (area - area.mean()) / ((high - low) / 2)
    assert np.sqrt(np.mean(scatter**2)) < 0.6
