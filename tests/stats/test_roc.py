"""The true-positive rate at few false alarms: its interval against a truth that is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score

from byrote.stats.roc import (
    Cells,
    alarm_limits,
    auc,
    lower_on_the_other_side,
    tpr_interval_at,
)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30))
def test_lower_scores_are_counted_one_by_one(cells):
    score, member = np.array([c[0] for c in cells], float), np.array([c[1] for c in cells])
    score[score == 3], score[score == -3] = np.inf, -np.inf
    other = member[:, None] != member
    expected = (other & (score < score[:, None])).sum(axis=1) + (
        other & (score == score[:, None])
    ).sum(axis=1) / 2
    assert lower_on_the_other_side(score, member).tolist() == expected.tolist()
    if member.any() and not member.all():
        finite = np.clip(score, -9, 9)
        assert auc(score, member) == pytest.approx(roc_auc_score(member, finite))


@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_the_interval_holds_the_rate_at_a_threshold_that_is_not_known(effect):
    """Independent scores N(effect, 1) of members, N(0, 1) of others, 600 of each."""
    generator, runs = np.random.default_rng(0), 300
    true = norm.sf(norm.isf(0.01) - effect)
    outside, naive = np.zeros(2, int), 0
    for _ in range(runs):
        member = np.arange(1200) < 600
        score = generator.normal(size=1200) + effect * member
        record = np.arange(1200)
        _, share, (low, high) = tpr_interval_at(
            Cells(score, member, record, record), 0.01, level=0.95
        )
        assert low <= share <= high
        outside += [low > true, high < true]
        spread = np.sqrt(share * (1 - share) / 600)
        naive += abs(share - true) > 2 * spread
    assert (outside <= binom(runs, 0.025).ppf(0.999)).all()
    assert naive > 2 * 0.05 * runs  # what goes wrong with the threshold taken as known


def test_thresholds_around_the_one_asked_for_are_exact_binomial_limits():
    few, many = alarm_limits(600, 600.0, 0.01, 0.975)
    assert binom(600, 0.01).cdf(few) <= 0.0125 < binom(600, 0.01).cdf(few + 1)
    assert binom(600, 0.01).sf(many - 1) <= 0.0125 < binom(600, 0.01).sf(many - 2)
    assert alarm_limits(50, 50.0, 0.01, 0.975)[0] == -1
