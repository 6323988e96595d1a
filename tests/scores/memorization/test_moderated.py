"""The moderated test on tables of log-likelihoods: what it finds, its level, its refusals."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare, hypergeom

import byrote
from byrote.plans import IN, design_of
from byrote.runs.table import Table
from byrote.scores.memorization.comparisons import comparisons
from byrote.scores.memorization.moderated import moderated_test
from byrote.scores.memorization.sensitivity import WIDER, held_out_spread
from byrote.stats.memberships import other_members
from byrote.stats.moderated_test import two_sample_contrast
from byrote.stats.multiple_testing import q_values
from discovery import EFFECTS, NOISES, PLANS, simulated, trial


def table_of(plan, n=300, seed=0, effect=12.0):
    """Normal noise; the first record rises where it is trained on."""
    design = design_of(plan, n, seed)
    rows = design.scored
    values = np.random.default_rng(seed).normal(size=(design.fits, len(rows)))
    table = Table(design, rows, values)
    values[:, 0] += effect * (table.roles()[:, 0] == IN)
    values[table.roles() == 0] = np.nan
    return table


FINDING = {
    "folds": byrote.KFold(3, repeats=4),
    "halves": byrote.KFold(2, repeats=6),
    "one repeat of many folds": byrote.KFold(30, repeats=1),
    "subsets": byrote.Subset(0.7, fits=12),
    "probes": byrote.Probes(200, fits=8, bystanders=0),
    "pairs": byrote.Probes(200, fits=16, pairs=True, bystanders=0),
    "coins": byrote.Probes(200, fits=12, coins=True, bystanders=0),
    "leave-one-out": byrote.LeaveOneOut(repeats=5),
    "a matrix": byrote.Membership(
        np.random.default_rng(1).permuted(np.tile(np.arange(10) < 5, (300, 1)), axis=1).T,
        randomized=True,
    ),
}


@pytest.mark.parametrize("plan", FINDING)
def test_one_record_is_found_and_no_other(plan):
    discovery = moderated_test(table_of(FINDING[plan]), 0)
    assert discovery.reason == ""
    assert discovery.source == "permuted memberships"
    p = discovery.p_value
    assert np.nanargmin(p) == 0
    assert p[0] <= 0.05 / len(p)
    assert np.nanmedian(p) == pytest.approx(0.5, abs=0.12)


REFUSED = {
    "two fits": (table_of(byrote.KFold(2, repeats=1)), "enough fits to estimate a variance"),
    "one pair": (
        table_of(byrote.Probes(200, fits=2, pairs=True, bystanders=0)),
        "2 pairs of fits",
    ),
    "a matrix that may not be random": (
        table_of(byrote.Membership(np.random.default_rng(1).random((10, 300)) < 0.5)),
        "not known to be random",
    ),
    "few records": (table_of(byrote.KFold(3, repeats=4), n=9), "fewer than 10 records"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_where_it_cannot_be_had_the_reason_is_given(case):
    table, reason = REFUSED[case]
    discovery = moderated_test(table, 0)
    assert np.isnan(discovery.p_value).all()
    assert discovery.control is None
    assert reason in discovery.reason
    assert discovery.detectable(0.01) == np.inf


def test_records_without_spread_or_with_densities_of_zero_are_left_out():
    table = table_of(byrote.KFold(3, repeats=4))
    table.log_prob[:, 5] = -7.0
    table.log_prob[3, 6] = -np.inf
    left_out = np.flatnonzero(np.isnan(moderated_test(table, 0).p_value))
    assert left_out.tolist() == [5, 6]


def test_values_far_from_normal_are_refused():
    """In one fit of ten, not the same of each record, values drop by thousands."""
    table = table_of(byrote.KFold(10, repeats=2), n=400, effect=0.0)
    rare = np.random.default_rng(3).random(table.log_prob.shape) < 0.02
    table.log_prob[rare] -= 1e6
    discovery = moderated_test(table, 0)
    assert discovery.reason == "" or "far from normal" in discovery.reason
    assert not (q_values(discovery.p_value) <= 0.05).any()


def test_what_all_records_of_a_fit_share_does_not_matter():
    table = table_of(byrote.KFold(5, repeats=4))
    before = moderated_test(table, 0)
    table.log_prob[:] += 50 * np.random.default_rng(2).normal(size=(20, 1))
    after = moderated_test(table, 0)
    assert after.p_value == pytest.approx(before.p_value, rel=1e-6)


def test_fits_that_scatter_more_weigh_less():
    """With the true precisions as weights least squares is best; they are recovered."""
    plan = byrote.Probes(400, fits=10)
    table = table_of(plan, n=400, effect=0.0)
    scale = np.exp(np.random.default_rng(1).normal(size=10))
    table.log_prob[:] *= scale[:, None]
    found = moderated_test(table, 0).standard_error
    members = table.roles().T == IN

    def errors(weight, row):
        contrast = two_sample_contrast(table.log_prob[:, row][None], members[row], weight[None])
        return np.sqrt(contrast.variance / contrast.precision)

    plain, best = (
        np.concatenate([errors(weight, row) for row in range(400)])
        for weight in (np.ones(10), scale**-2)
    )
    assert np.median(found) == pytest.approx(np.median(best), rel=0.25)
    assert np.median(found) < 0.7 * np.median(plain)


def test_the_same_seed_gives_the_same_bits():
    table = table_of(byrote.Probes(200, fits=16, bystanders=0))
    first, again, other = (moderated_test(table, seed).p_value for seed in (1, 1, 2))
    assert np.array_equal(first, again, equal_nan=True)
    assert not np.array_equal(first, other, equal_nan=True)


def test_bystanders_are_the_control():
    generator = np.random.default_rng(0)
    plan = byrote.Probes(range(500), fits=8, bystanders=1000)
    table = simulated(plan, NOISES["normal"], generator, EFFECTS)
    discovery = moderated_test(table, 0)
    assert discovery.source == "bystanders"
    assert len(discovery.p_value) == 500
    assert len(discovery.control) == 70 * 1000  # each membership once


@pytest.mark.parametrize("counts", [[(3, 2)] * 2, [(6, 1)], [(2, 1), (4, 2)]])
def test_few_other_memberships_are_in_the_control_once(counts):
    """Against every way to choose as many members in each group."""
    group = np.repeat(np.arange(len(counts)), [c for c, _ in counts])
    member = np.concatenate([np.arange(c) < k for c, k in counts])
    every = {
        choice
        for choice in product([False, True], repeat=len(member))
        if all(np.array(choice)[group == g].sum() == k for g, (_, k) in enumerate(counts))
    }
    found = other_members(member, group, 1000, np.random.default_rng(0))
    assert len(found) == len(every) - 1
    assert {tuple(row) for row in found.tolist()} == every - {tuple(member.tolist())}


def test_many_other_memberships_are_drawn():
    member, group = np.arange(24) % 3 > 0, np.repeat(np.arange(8), 3)
    found = other_members(member, group, 3000, np.random.default_rng(0))
    assert (found.reshape(-1, 8, 3).sum(axis=2) == 2).all()
    assert found.mean(axis=0) == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.parametrize("members", [1, 400, 1100, 2199])
def test_among_many_fits_all_memberships_are_equally_likely(members):
    """The members among any fixed fits have the hypergeometric distribution."""
    generator = np.random.default_rng(members)
    member, chosen = np.arange(2200) < members, generator.permutation(2200) < 800
    drawn = other_members(member, np.zeros(2200, int), 4000, generator)
    assert (drawn.sum(axis=1) == members).all()
    law = hypergeom(2200, members, 800)
    cuts = np.unique(law.ppf(np.linspace(0.1, 0.9, 9)))
    expected = len(drawn) * np.diff(law.cdf([-1, *cuts, 2200]))
    counts = np.bincount(
        np.searchsorted(cuts, drawn[:, chosen].sum(axis=1)), minlength=len(expected)
    )
    kept = expected > 0
    assert chisquare(counts[kept], expected[kept]).pvalue > 1e-3


@pytest.mark.parametrize(
    "plan",
    [
        byrote.KFold(3, repeats=2),
        byrote.Probes(40, fits=6, bystanders=0),
        byrote.Probes(40, fits=8, pairs=True, bystanders=0),
    ],
)
def test_the_control_is_the_test_with_the_membership_of_another_record(plan):
    table = table_of(plan, n=40)
    generator = np.random.default_rng(0)
    values = comparisons(table)
    parts = [part for cut in values.cuts for part in values.null_of_cut(cut, 1000, generator)]
    owners, null = joined(parts)
    order, inside = generator.permutation(40), table.roles() == IN
    permuted = replace(table, log_prob=table.log_prob[:, order])
    for record, effect in zip(*joined([*comparisons(permuted).contrasts()]), strict=True):
        if (inside[:, record] != inside[:, order[record]]).any():
            of_record = null[owners == order[record]]
            assert np.abs(of_record - effect).min() < 1e-9


def joined(parts):
    """Places of records, as often as each has contrasts, and the effects of these."""
    effects = [contrast.effect for _, contrast in parts]
    places = [
        records.repeat(len(effect) // len(records))
        for (records, _), effect in zip(parts, effects, strict=True)
    ]
    return np.concatenate(places), np.concatenate(effects)


def test_records_that_are_found_leave_the_control():
    """Many of them would hide a weaker one."""
    table = table_of(byrote.KFold(3, repeats=4), n=400, effect=0.0)
    table.log_prob[:, 50:150] += 15.0 * (table.roles()[:, 50:150] == IN)
    discovery = moderated_test(table, 0)
    found = q_values(discovery.p_value) <= 0.05
    assert found[50:150].all()
    per_record = 3**4 - 1
    assert len(discovery.control) <= (400 - 100) * per_record


LEVELS = {
    "3 folds, 2 times": ("left exponential", "all three"),
    "3 folds, 6 times": ("near records",),
    "10 folds, 1 times": ("left exponential",),
    "5 folds, 2 times": ("t, 4 degrees", "log-logistic"),
    "10 folds, 2 times": ("left exponential", "unequal fits"),
    "probes, 8 fits": ("normal", "all three"),
    "pairs, 12 fits": ("log-logistic",),
    "coins, 12 fits": ("left exponential",),
}


@pytest.mark.parametrize("plan", LEVELS)
def test_the_false_discovery_rate_holds(plan):
    """16 runs of each; the whole table is that of benchmarks/discovery.py."""
    for noise in LEVELS[plan]:
        results = [trial(PLANS[plan], NOISES[noise], (3, run), EFFECTS)[0] for run in range(16)]
        rate, below_5, below_1, _, *power = np.mean(results, axis=0)
        assert rate <= 0.05 + 2.5 * 0.12 / np.sqrt(16)
        assert below_5 <= 0.06
        assert below_1 <= 0.015
        assert power[-1] > 0.5


def test_eight_fits_of_probes_find_what_the_exact_test_cannot():
    results = np.mean(
        [
            trial(PLANS["probes, 8 fits + bystanders"], NOISES["normal"], (4, run), EFFECTS)
            for run in range(15)
        ],
        axis=0,
    )
    moderated, exact = results
    assert moderated[5] >= 0.9  # of 6 standard deviations
    assert moderated[0] <= 0.07
    assert not exact[4:].any()


def test_simultaneous_limits_miss_no_record_but_in_the_share_of_runs_asked_for():
    """At 10 % for each end, over 40 runs; skewed noise, in which Student's limits would miss."""
    missed = np.zeros(2)
    for seed in range(40):
        generator = np.random.default_rng(seed)
        plan = byrote.KFold(5, repeats=4)
        table = simulated(plan, NOISES["left exponential"], generator, np.repeat(5.0, 30))
        discovery = moderated_test(table, seed, control_values=100)
        (low, high), truth = discovery.limits(0.1), planted_effects(table, seed)
        missed += [(low > truth).any(), (high < truth).any()]
        assert np.nanmax(low) <= discovery.largest_is_above(0.1)[0] < truth.max()
    assert (missed <= 40 * 0.1 + 2.6 * np.sqrt(40 * 0.1 * 0.9)).all()


def test_limits_hold_where_counts_of_values_differ_between_records():
    """At 10 % for each end; where records of many memberships weigh more, 25 %."""
    missed, runs = np.zeros(3), 50
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        plan = byrote.Subset(0.8, fits=14)
        table = simulated(plan, NOISES["left exponential"], generator, np.zeros(0))
        discovery = moderated_test(table, seed, control_values=50)
        low, high = discovery.limits(0.1)
        missed += [(low > 0).any(), (high < 0).any(), discovery.largest_is_above(0.1)[0] > 0]
    assert (missed <= runs * 0.1 + 2.6 * np.sqrt(runs * 0.1 * 0.9)).all()


@pytest.mark.parametrize("plan", ["3 folds, 2 times", "10 folds, 1 times", "subsets, 12 fits"])
@pytest.mark.parametrize("noise", ["normal", "left exponential", "wider held out"])
def test_values_that_vary_more_held_out_are_seen_and_others_are_not(plan, noise):
    """Twice as much; an average over records of a part of their squares understates it."""
    table = simulated(PLANS[plan], NOISES[noise], np.random.default_rng(0), EFFECTS)
    ratio = held_out_spread(table)
    if plan == "10 folds, 1 times":  # one value held out does not vary
        assert ratio is None
    elif noise == "wider held out":
        assert WIDER < 1.4 < ratio < 2.1
    else:
        assert ratio == pytest.approx(1, abs=0.15)


def test_a_plan_that_holds_out_half_needs_no_spreads_to_be_alike():
    plan, noise = PLANS["probes, 12 fits"], NOISES["wider held out"]
    assert held_out_spread(simulated(plan, noise, np.random.default_rng(0), EFFECTS)) is None


@pytest.mark.parametrize(("tail", "limited"), [(0.1, True), (0.01, False)])
def test_a_record_of_few_memberships_has_no_limits_at_a_small_error(tail, limited):
    """Ten folds once give each record ten memberships, and folds twice a hundred."""
    for repeats, expected in ((1, False), (2, limited)):
        plan = byrote.KFold(10, repeats=repeats)
        table = simulated(plan, NOISES["normal"], np.random.default_rng(0), np.zeros(0))
        low, high = moderated_test(table, 0, control_values=50).limits(tail)
        assert (np.isfinite(low).all(), np.isfinite(high).all()) == (expected, expected)


def planted_effects(table, seed):
    """The effects, in nats, of a table that ``simulated`` made with this seed."""
    generator = np.random.default_rng(seed)
    generator.integers(1 << 31)
    scale = generator.lognormal(0, 0.5, size=table.design.n)
    return np.where(np.arange(table.design.n) < 30, 5.0 * scale, 0.0)


def test_values_need_not_vary_in_training():
    """As of a narrow kernel, whose density at a record of its own is always the same."""
    table = table_of(byrote.KFold(3, repeats=6), effect=0.0)
    table.log_prob[table.roles() == IN] = 12.0
    assert (q_values(moderated_test(table, 0).p_value) <= 0.05).all()
