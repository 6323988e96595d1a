"""Side by side: exposure of probes by its definition, errors of means, attacks of one fit."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from byrote import KFold, LeaveOneOut, Probes, Subset
from byrote.plans import design_of
from byrote.plans.design import IN, OUT
from byrote.privacy import infer_membership
from byrote.report.privacy import sample_of
from byrote.runs import table as table_module
from byrote.runs.table import Table
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.summary import distribution
from byrote.scores.privacy.evidence import Bound
from byrote.scores.privacy.measures import exposures, record_measures
from byrote.scores.privacy.membership import ATTACKS, attack_table, measure_attack
from byrote.stats.estimate import from_error
from evidence_tables import balanced, coins, gaussian, silent, table_of

ZERO = Bound("one-run", 0.0, 0.0, 0.05)


def test_exposure_of_probes_by_its_definition():
    table = table_of(coins(12, 5), 20, 3, gaussian)
    roles, values = table.roles(), table.log_prob - table.log_prob.mean(axis=0)
    expected = []
    for fit in range(5):
        outside = [values[fit, r] for r in range(12) if roles[fit, r] == OUT]
        for record in range(12):
            if roles[fit, record] == IN and outside:
                rank = 1 + sum(value >= values[fit, record] for value in outside)
                expected.append((fit, record, np.log2(len(outside)) - np.log2(rank)))
    found = []
    for fit, (bits, of_records) in enumerate(exposures(table)):
        members = np.flatnonzero(roles[fit] == IN)
        found += [(fit, record, of_records[record]) for record in members]
        assert sorted(bits) == pytest.approx(sorted(of_records[members]))
        assert not of_records[roles[fit] == OUT].any()
    assert np.array(found) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("plan", [coins(80, 6), balanced(80, 6), KFold(4, repeats=2)])
def test_exposure_without_memorization_is_the_null_mean(plan):
    misses, values, runs = 0, [], 30
    for seed in range(runs):
        table = table_of(plan, 80, seed, silent)
        attacks = (attack_table(table, "loss"),)
        _, found, _, _ = record_measures(table, attacks, ZERO)
        values.append(found.estimate.value - found.null)
        misses += not found.estimate.low <= found.null <= found.estimate.high
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(runs)
    assert misses <= binom(runs, 0.09).ppf(0.99)  # K-fold's fits are few and not independent


def test_of_many_records_a_sample_is_attacked(monkeypatch):
    monkeypatch.setattr(table_module, "ENOUGH", 100)
    table = table_of(Subset(0.5, fits=12), 1000, 3, gaussian)
    sample = table.sampled()
    assert sample.log_prob.shape == (12, 100)
    assert (np.diff(sample.rows.astype(int)) > 0).all()
    assert len(set(sample.rows % 10)) == 10  # every tenth record may be of a class
    np.testing.assert_array_equal(table.sampled().rows, sample.rows)
    np.testing.assert_array_equal(sample.roles(), table.roles()[:, sample.rows])
    for attack in ATTACKS:
        found = attack_table(table, attack)
        expected = infer_membership(sample.log_prob, sample.included(), attack=attack)
        assert (found.auc, found.interval) == (expected.auc, expected.interval)
        of_all = infer_membership(table.log_prob, table.included(), attack=attack)
        np.testing.assert_array_equal(found.scores, of_all.scores)
        assert found.interval[0] < of_all.auc < found.interval[1]
        assert found.attacked == 100 == found.to_dict()["attacked"]
        assert found.included.shape == (12, 1000)
    said = "Attacks and exposure: of 100 of 1,000 records, drawn at random."
    assert sample_of([found]) == said
    assert sample_of([of_all]) == ""
    assert said in found._repr_html_()


def test_exposure_of_a_unit_shift_is_that_of_independent_draws():
    """FACTS: N(1, 1) for members, N(0, 1) otherwise: 3.219736 bits beside all references."""
    table = table_of(coins(2000, 40), 2001, 0, gaussian, common=0.0)
    _, found, attack, _ = record_measures(table, (attack_table(table, "lira"),), ZERO)
    generator = np.random.default_rng(1)
    above = generator.binomial(1000, norm.sf(generator.normal(1, 1, 200_000)))
    expected = (np.log2(1000) - np.log2(above + 1)).mean()
    assert 3.1 < expected < 3.219736
    assert found.estimate.value == pytest.approx(
        expected, rel=0.025
    )  # means of 40 fits are no levels
    assert attack.estimate.value == pytest.approx(norm.cdf(np.sqrt(0.5)), abs=0.03)
    assert found.detail["references"] == pytest.approx(1000, rel=0.02)


def test_densities_of_zero_have_no_mean_memorization_and_no_interval_of_it():
    def copies(generator, included):
        return np.where(included, 0.0, -np.inf)

    table = table_of(KFold(2, repeats=8), 20, 0, copies)
    found, *_ = record_measures(table, (attack_table(table, "loss"),), ZERO)
    assert np.isnan([found.estimate.value, *found.estimate.interval]).all()
    assert "density of zero" in found.estimate.reason


def test_records_with_one_value_on_a_side_leave_the_error_of_the_mean_to_the_others():
    design = design_of(Probes(list(range(40)), fits=7, coins=True), 50, 1)
    rows = design.scored
    member = np.array([design.trained_on(fit)[rows] for fit in range(7)])
    values = np.random.default_rng(0).normal(size=(7, len(rows)))
    table = Table(design, rows, values)
    two = np.minimum(member.sum(axis=0), (~member).sum(axis=0)) >= 2
    assert 20 < two.sum() < 40
    means = distribution(evaluate(table), "mean_log")["mean"]
    known = np.flatnonzero(two)
    assert means.standard_error == pytest.approx(_by_sides(values, member, known))
    assert not np.isnan(means.standard_error)


def _by_sides(values, member, known):
    """Each side by itself: how the mean over records changes where a fit's value is left out."""
    total = np.zeros(7)
    for record in known:
        for side, sign in ((member[:, record], 1), (~member[:, record], -1)):
            fits = np.flatnonzero(side)
            own = values[fits, record]
            left = (own.sum() - own) / (len(own) - 1)
            total[fits] += sign * (left - left.mean())
    mean = total / len(known)
    return np.sqrt(6 / 7 * ((mean - mean.mean()) ** 2).sum())


def test_one_fit_has_the_interval_of_delong():
    """DeLong et al. (1988): variance of the area from the two sides' placement values."""
    generator = np.random.default_rng(1)
    member = np.arange(1, 400)[None, :] % 3 == 0
    scores = generator.normal(size=member.shape) + member
    found = measure_attack(scores, member, "loss", unit=np.zeros(1, int))
    inside, outside = scores[member], scores[~member]
    above = inside[:, None] > outside[None, :]
    variance = above.mean(axis=1).var(ddof=1) / len(inside)
    variance += above.mean(axis=0).var(ddof=1) / len(outside)
    width = 2 * 1.9659 * np.sqrt(variance)
    assert found.interval[1] - found.interval[0] == pytest.approx(width, rel=0.03)
    assert infer_membership(scores, member, attack="loss").interval == found.interval


@pytest.mark.parametrize("correlation", [0.0, 0.95])
def test_twins_mislead_no_attack(correlation):
    """Fits of a pair share their noise: as references they would give areas of about 0.35."""
    design, misses, areas, runs = design_of(Probes(100, fits=16, pairs=True), 100, 0), 0, [], 40
    for seed in range(runs):
        generator = np.random.default_rng(seed)
        common = np.repeat(generator.normal(size=(8, 100)), 2, axis=0)
        own = generator.normal(size=(16, 100))
        values = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
        found = attack_table(Table(design, np.arange(100, dtype=np.uint32), values), "lira")
        areas.append(found.auc)
        misses += not found.interval[0] <= 0.5 <= found.interval[1]
    assert abs(np.mean(areas) - 0.5) < 4 * np.std(areas) / np.sqrt(runs) + 0.005
    assert misses <= binom(runs, 0.05).ppf(0.99)


def test_few_members_are_little_evidence_however_many_others_there_are():
    """Secrets differ in how well they are remembered: the spread over three says little of it."""
    runs, covered = 150, 0
    generator = np.random.default_rng(0)
    member = np.arange(503)[None, :] < 3
    truth = norm.cdf(1 / np.sqrt(1 + 2**2))  # members N(1, 3), others N(0, 2)
    for _ in range(runs):
        spread = np.where(member, np.sqrt(3), np.sqrt(2))
        scores = member + spread * generator.normal(size=member.shape)
        found = measure_attack(scores, member, "loss")
        covered += found.interval[0] <= truth <= found.interval[1]
    assert covered >= binom(runs, 0.93).ppf(0.01)
    assert np.isnan(measure_attack(scores[:, 2:], member[:, 2:], "loss").interval).all()
    perfect = measure_attack(member * 1.0, member, "loss")
    assert perfect.auc == 1
    assert perfect.interval[0] == pytest.approx(0.025 ** (1 / 3))  # three of three


def test_members_of_one_fit_have_no_interval_that_speaks_of_other_fits():
    """Leave-one-out, once: what the only fit on all records shares is not seen."""
    design = design_of(LeaveOneOut(), 30)
    values = np.random.default_rng(0).normal(size=(31, 30))
    for shift in (1.0, 9.0):
        values[0] += shift  # by chance: it says nothing of other such fits
        found = attack_table(Table(design, np.arange(30, dtype=np.uint32), values), "loss")
        assert found.auc > 0.6
        assert np.isnan(found.interval).all()


def test_attacks_that_cannot_be_made_say_why():
    values = np.zeros((2, 3))
    member = np.array([[True, False, True], [False, True, True]])
    assert "three fits" in infer_membership(values, member).reason
    everyone = infer_membership(values, np.ones_like(member), attack="loss")
    nobody = infer_membership(values, np.zeros_like(member), attack="loss")
    assert (everyone.reason, nobody.reason) == (
        "no score of a non-member",
        "no score of a member",
    )
    assert infer_membership(values, member, attack="loss").reason == ""


@pytest.mark.parametrize(
    "plan",
    [
        Subset(0.5, fits=5),
        coins(30, 6),
        balanced(30, 6),
        KFold(3, repeats=4),
        Probes(list(range(30)), fits=6, pairs=True),
    ],
)
def test_mean_memorization_is_that_of_the_summary(plan):
    """Some records lack a side, or have one value on it, where inclusion is by coins."""
    table = table_of(plan, 40, 0, gaussian)
    found, *_ = record_measures(table, (attack_table(table, "loss"),), ZERO)
    whole = evaluate(table)
    values = whole.estimate["mean_log"]
    assert found.estimate.value == pytest.approx(np.nanmean(values), rel=1e-12)
    error = whole.mean_error("mean_log")
    degrees = len(whole.change_sums["mean_log"]) - 1
    expected = from_error(np.nanmean(values), error, degrees, units=table.design.units)
    assert [found.estimate.low, found.estimate.high] == pytest.approx(
        [expected.low, expected.high], rel=1e-12
    )
