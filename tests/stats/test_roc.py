"""The true-positive rate at few false alarms: its interval against a truth that is known."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import binom, norm
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from byrote.stats import cell_order, threads
from byrote.stats.cells import Cells
from byrote.stats.ranks import lower_than
from byrote.stats.roc import (
    alarm_limits,
    area,
    auc_interval,
    tpr,
    tpr_interval_at,
)

SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=15)


@given(SCORES, SCORES)
@settings(max_examples=50)
def test_lower_scores_are_counted_one_by_one(first, second):
    ends = {3: np.inf, -3: -np.inf}
    scores, ordered = (np.array([ends.get(x, x) for x in sorted(each)]) for each in (first, second))
    below, equal = ordered < scores[:, None], ordered == scores[:, None]
    assert lower_than(scores, ordered).tolist() == (below + equal / 2).sum(axis=1).tolist()
    score, member = np.array(first + second), np.arange(len(first + second)) < len(first)
    found = area(Cells(score[None], member[None], np.zeros(1, int)))
    assert found == pytest.approx(roc_auc_score(member, score))


@given(st.integers(0, 1000))
def test_errors_of_the_area_are_those_of_influences_cell_by_cell(seed):
    """The influence of a score: the share of the other side that it is right about, less the area;
    summed by record and by unit of fits, of scores on both sides."""
    generator = np.random.default_rng(seed)
    score, member = generator.integers(0, 6, size=(5, 8)) / 2, generator.random((5, 8)) < 0.5
    score[generator.random((5, 8)) < 0.2] = np.nan
    unit = np.array([0, 0, 1, 2, 3])
    value, (low, high) = auc_interval(Cells(score, member, unit), level=0.9)
    fit, record = np.nonzero(~np.isnan(score))
    values, inside = score[fit, record], member[fit, record]
    assume(0 < inside.sum() < len(inside) and not np.isnan(low))
    right = (values[:, None] > values) + (values[:, None] == values) / 2
    right = np.where(inside[:, None], right, 1 - right)
    share = np.where(inside, right[:, ~inside].mean(axis=1), right[:, inside].mean(axis=1))
    assert value == pytest.approx(share[inside].mean())
    assume(0 < value < 1)
    influence = (share - value) / np.where(inside, inside.sum(), (~inside).sum())
    error, clusters = clustered_by_hand(influence, (record, unit[fit]), inside)
    width = 2 * student.isf(0.05, clusters - 1) * error / (value * (1 - value))
    assert np.subtract(*logit([high, low])) == pytest.approx(width)


def clustered_by_hand(influence, clusters, inside):
    """Cameron, Gelbach & Miller (2011), by records and by fits."""
    numbers = [min(len({*c[inside]}), len({*c[~inside]})) for c in clusters]
    variances = [
        sum(influence[c == each].sum() ** 2 for each in {*c}) * k / (k - 1)
        for c, k in zip(clusters, numbers, strict=True)
    ]
    return np.sqrt(max(sum(variances) - (influence**2).sum(), *variances)), min(numbers)


@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_the_interval_holds_the_rate_at_a_threshold_that_is_not_known(effect):
    """Independent scores N(effect, 1) of members, N(0, 1) of others, 600 of each."""
    generator, runs = np.random.default_rng(0), 200
    true = norm.sf(norm.isf(0.01) - effect)
    outside, naive = np.zeros(2, int), 0
    for _ in range(runs):
        member = np.arange(1200) < 600
        score = generator.normal(size=1200) + effect * member
        cells = Cells(score[None], member[None], np.zeros(1, int))
        _, share, (low, high) = tpr_interval_at(cells, 0.01, level=0.95)
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


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize(("of_range", "block"), [(10, 3), (40, 7), (1 << 21, 1 << 17)])
@pytest.mark.parametrize("different", [3, 50, 10**9])
def test_counts_do_not_depend_on_ranges_blocks_and_threads(
    different, of_range, block, cores, monkeypatch
):
    """Scores of few different values, and of many; every count compared with a plain one."""
    for module, name, value in (
        (cell_order, "_RANGE", of_range),
        (cell_order, "_BLOCK", block),
        (threads, "cores", lambda: cores),
        (threads, "_LEAST", 0),
    ):
        monkeypatch.setattr(module, name, value)
    generator = np.random.default_rng(different)
    score, member = generator.integers(different, size=(6, 25)) / 4, generator.random((6, 25)) < 0.4
    score[generator.random((6, 25)) < 0.1] = np.nan
    score[0, :2], unit = [np.inf, -np.inf], np.array([0, 1, 1, 2, 3, 3])
    cells, known = Cells(score, member, unit), ~np.isnan(score)
    inside, outside = score[known & member], np.sort(score[known & ~member])
    assert cells.sizes == (len(inside), len(outside))
    assert [cells.other(place) for place in range(len(outside))] == outside.tolist()
    for threshold in outside[:: len(outside) // 4]:
        for members, side in ((True, known & member), (False, known & ~member)):
            for equal, high in ((False, score > threshold), (True, score >= threshold)):
                by_record, by_unit = cells.above(threshold, members=members, equal=equal)
                assert by_record.tolist() == (high & side).sum(axis=0).tolist()
                assert by_unit.tolist() == [(high & side)[unit == u].sum() for u in range(4)]
    right = (inside[:, None] > outside) + (inside[:, None] == outside) / 2
    assert area(cells) == pytest.approx(right.mean(), rel=1e-14)
    assert tpr(cells, 0.1) == (inside > cells.threshold(0.1)).mean()
    _, interval = auc_interval(cells, level=0.95)
    monkeypatch.undo()
    _, whole = auc_interval(Cells(score, member, unit), level=0.95)
    assert interval == pytest.approx(whole, rel=1e-12)
