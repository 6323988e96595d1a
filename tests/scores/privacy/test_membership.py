"""Membership inference: LiRA written out, scikit-learn's curves, and models that leak nothing."""

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import chi2, norm
from sklearn.metrics import roc_auc_score, roc_curve

from byrote.privacy import infer_membership
from byrote.stats.estimate import clopper_pearson
from byrote.stats.lira import log_ratio


def noise(generator, fits, records, *, share=0.5, effect=0.0, common=0.0, alike=False):
    """Log-likelihoods of records that differ in level and spread; ``common`` shifts whole fits.

    alike: records are in one or the other of two numbers of fits, which takes less time than coins.
    """
    included = generator.random((fits, records)) < share
    if alike:
        count = round(share * fits) + np.where(np.arange(records) % 2, 1, -1)
        included = generator.permuted(np.arange(fits)[:, None] < count, axis=0)
    spread, level = np.exp(generator.normal(size=records) / 2), 3 * generator.normal(size=records)
    values = level + spread * generator.normal(size=(fits, records)) + effect * included
    return values + common * generator.normal(size=(fits, 1)), included


def written_out(values, included, fit, record, enough):
    """LiRA of one value; the standard deviations are the record's own from ``enough`` on."""
    fits = len(values)
    order = [(fit + 1 + k) % fits for k in range(fits - 1)]

    def taken(r, side):
        count = min(included[:, r].sum(), (~included[:, r]).sum()) - 1
        return [values[f, r] for f in order if included[f, r] == side][: max(count, 0)]

    def normal(side):
        own = taken(record, side)
        deviation = np.std(own, ddof=1)
        if len(own) < enough:
            every = [taken(r, side) for r in range(values.shape[1])]
            every = [v for v in every if len(v) >= 2]
            squares = sum(np.var(v) * len(v) for v in every)
            deviation = np.sqrt(squares / sum(len(v) - 1 for v in every))
        return norm(np.mean(own), deviation).logpdf(values[fit, record])

    return normal(True) - normal(False)


@pytest.mark.parametrize("enough", [2, 4, 100])
def test_lira_is_the_likelihood_ratio_written_out(enough):
    values, included = noise(np.random.default_rng(0), 9, 7)
    included[:, 0], included[:, 1] = True, np.arange(9) < 2  # too few references
    found = log_ratio(values, included, enough=enough)
    assert np.isnan(found[:, :2]).all()
    for fit in range(9):
        for record in range(2, 7):
            if min(included[:, record].sum(), (~included[:, record]).sum()) < 3:
                assert np.isnan(found[fit, record])
                continue
            expected = written_out(values, included, fit, record, enough)
            assert found[fit, record] == pytest.approx(expected)


@pytest.mark.parametrize("attack", ["lira", "loss"])
def test_curves_are_scikit_learns(attack):
    generator = np.random.default_rng(1)
    values, included = noise(generator, 12, 1100, effect=1.5)
    values = values.round(1)  # ties
    found = infer_membership(values, included, attack=attack)
    there = ~np.isnan(found.scores)
    truth, scores = included[there], found.scores[there]
    assert found.auc == pytest.approx(roc_auc_score(truth, scores))
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    for hit in found.hits:
        assert hit.false_positive_rate <= hit.asked
        assert hit.true_positive_rate == pytest.approx(true[false <= hit.asked].max())
        assert hit.interval[0] <= hit.true_positive_rate <= hit.interval[1]
    if attack == "loss":
        assert (found.scores == values).all()


def scatter(found, truth):
    """How far areas lie from the truth in half-widths of their intervals, squared, on average.

    0.26 where Gaussian errors are measured without bias, of 95 % intervals.
    """
    low, high = logit([each.interval for each in found]).T
    distance = logit([each.auc for each in found]) - logit(truth)
    return np.mean((distance / ((high - low) / 2)) ** 2)


@pytest.mark.parametrize("attack", ["lira", "loss"])
@pytest.mark.parametrize(("fits", "share"), [(8, 0.5), (20, 0.8)])
def test_a_model_that_leaks_nothing_has_an_area_of_one_half(attack, fits, share):
    """Found out: areas that are off by 0.015, and errors that are too small by a factor of 1.7."""
    generator, runs = np.random.default_rng(2), 15
    options = {"share": share, "common": 1.0, "alike": True}
    found = [
        infer_membership(*noise(generator, fits, 400, **options), attack=attack)
        for _ in range(runs)
    ]
    areas = [each.auc for each in found]
    error = np.std(areas) / np.sqrt(runs)
    assert np.mean(areas) == pytest.approx(0.5, abs=3 * error + 1 / 400)
    assert scatter(found, 0.5) <= chi2(runs).ppf(0.99) / runs / norm.ppf(0.975) ** 2


def test_keeping_the_attacked_fit_among_its_references_would_show_a_leak_that_is_not_there():
    """What goes wrong otherwise; without this the test above could not fail."""
    generator = np.random.default_rng(3)
    values, included = noise(generator, 8, 600, alike=True)
    enough = np.minimum(included.sum(axis=0), (~included).sum(axis=0)) >= 2
    values, included = values[:, enough], included[:, enough]
    mean = [np.where(side, values, 0).sum(0) / side.sum(0) for side in (included, ~included)]
    naive = (values - mean[1]) ** 2 - (values - mean[0]) ** 2
    assert roc_auc_score(included.ravel(), naive.ravel()) > 0.6
    assert infer_membership(values, included).auc < 0.53


@pytest.mark.parametrize("attack", ["lira", "loss"])
def test_interval_of_the_area_is_wide_enough_with_shared_fits_and_records(attack):
    """Against the mean over runs; scores of a fit and of a record are correlated.

    Found out: errors that are too small by a factor of 1.5.
    """
    generator, runs = np.random.default_rng(4), 25
    options = {"effect": 1.0, "common": 0.5, "alike": True}
    found = [
        infer_membership(*noise(generator, 16, 150, **options), attack=attack) for _ in range(runs)
    ]
    limit = chi2(runs - 1).ppf(0.99) / runs / norm.ppf(0.975) ** 2
    assert scatter(found, np.mean([each.auc for each in found])) <= limit


def test_lira_finds_what_one_threshold_cannot():
    values, included = noise(np.random.default_rng(5), 40, 300, effect=2.0)
    lira, loss = (infer_membership(values, included, attack=name) for name in ("lira", "loss"))
    assert lira.auc > loss.auc + 0.15
    assert lira.hits[1].true_positive_rate > 3 * loss.hits[1].true_positive_rate


def test_perfect_separation_has_an_interval():
    included = np.arange(12)[:, None] % 2 == np.arange(50) % 2
    found = infer_membership(included * 100.0, included, attack="loss")
    assert found.auc == 1
    np.testing.assert_allclose(found.interval, clopper_pearson(50, 50, level=0.95))
    mirrored = infer_membership(included * -100.0, included, attack="loss")
    assert mirrored.auc == 0
    np.testing.assert_allclose(mirrored.interval, clopper_pearson(0, 50, level=0.95))


def test_a_rate_that_the_records_cannot_support_is_refused():
    values, included = noise(np.random.default_rng(6), 50, 999)
    low, high = infer_membership(values, included, attack="loss").hits
    assert np.isnan([low.true_positive_rate, low.false_positive_rate, *low.interval]).all()
    assert low.reason == "0.1 % of 999 records is less than one record"
    assert high.reason == ""
    assert 0 <= high.true_positive_rate <= 1
    few = infer_membership(values[:, :99], included[:, :99], attack="loss").hits[1]
    assert few.reason == "1 % of 99 records is less than one record"
    none = infer_membership(values, np.zeros_like(included), attack="loss")
    assert np.isnan([none.auc, *none.interval]).all()
    assert none.hits[1].reason == "no score of a member"
    assert none.to_dict()["hits"][1]["reason"] == "no score of a member"


def test_what_has_no_score():
    values, included = noise(np.random.default_rng(7), 20, 6)
    values[3, 0], values[4, 1] = -np.inf, np.nan
    lira = infer_membership(values, included)
    assert lira.unscored == 1
    assert np.isnan(lira.scores[:, 0]).all()
    assert np.isnan(lira.scores[:, 1]).sum() == 1
    loss = infer_membership(values, included, attack="loss")
    assert loss.unscored == 0
    assert loss.scores[3, 0] == -np.inf
    assert np.isfinite(loss.auc)


def test_references_that_are_all_equal():
    """A model without chance: every fit with the record gives one value, all others another."""
    included = np.arange(10)[:, None] % 2 == np.arange(20) % 2
    found = infer_membership(np.where(included, 2.0, 1.0), included)
    assert np.isfinite(found.scores).all()
    assert found.auc == 1
