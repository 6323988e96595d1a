"""Large tables are computed in ranges of records, in threads: neither changes what comes out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from byrote import seeds
from byrote.plans import IN, KFold, Probes, Subset, design_of
from byrote.runs.table import Table
from byrote.scores.memorization import in_out, moderated
from byrote.scores.memorization.comparisons import comparisons
from byrote.scores.memorization.control_values import ControlValues
from byrote.scores.memorization.evaluation import estimates_without, evaluate
from byrote.scores.memorization.held_out import mean_log_prob
from byrote.stats import threads
from byrote.stats.moderated_test import moderated_t
from byrote.stats.negative_control import upper_tail

PLANS = {
    "subset": Subset(0.4, fits=12),
    "folds": KFold(3, repeats=4),
    "pairs": Probes(300, fits=16, pairs=True, bystanders=0),
}


def table_of(plan, *, zeros=False):
    """Log-likelihoods of 300 records, of which ten are memorized and some have zero densities."""
    generator, design = np.random.default_rng(2), design_of(plan, 300)
    log_prob = -100 + generator.normal(size=(design.fits, 300))
    table = Table(design, design.scored, log_prob)
    log_prob[:, :10] += 9 * (table.roles()[:, :10] == IN)
    if zeros:
        log_prob[:, 20:40] = np.where(generator.random((design.fits, 20)) < 0.3, -np.inf, -100)
    return table


def numbers(table):
    """All that is computed of a table by range of records."""
    evaluation = evaluate(table, 5)
    discovery = evaluation.discovery
    means = [mean_log_prob(table, side) for side in ("in", "out")]
    half = np.arange(table.design.fits) % 4 < 2
    return [
        *evaluation.estimate.values(),
        *evaluation.standard_error.values(),
        evaluation.degrees,
        evaluation.interval,
        evaluation.p_value_exact,
        *(evaluation.n_in, evaluation.n_out, evaluation.log_prob_in, evaluation.log_prob_out),
        *estimates_without(table, half).values(),
        *(discovery.effect, discovery.standard_error, discovery.degrees),
        *evaluation.jackknifed.values(),
        *evaluation.change_sums.values(),
        *((mean.value, mean.changes) for mean in means),
    ]


def flat(found):
    return [
        np.asarray(part)
        for each in found
        for part in (each if isinstance(each, tuple) else (each,))
    ]


def in_ranges(monkeypatch, values):
    monkeypatch.setattr(in_out, "_BLOCK", values)


def in_threads(monkeypatch, count):
    monkeypatch.setattr(threads, "_LEAST", 0)
    monkeypatch.setattr(threads, "usable_threads", lambda: count)


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("plan", PLANS)
def test_numbers_do_not_depend_on_the_ranges(plan, zeros, monkeypatch):
    """Sums over records alone are added in another order."""
    table = table_of(PLANS[plan], zeros=zeros)
    whole = flat(numbers(table))
    in_ranges(monkeypatch, 16 * 70)
    for first, second in zip(whole, flat(numbers(table)), strict=True):
        assert_allclose(second, first, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("plan", PLANS)
def test_every_bit_is_the_same_with_more_threads(plan, monkeypatch):
    table = table_of(PLANS[plan], zeros=True)
    in_ranges(monkeypatch, 16 * 70)
    results = []
    for count in (1, 3):
        in_threads(monkeypatch, count)
        evaluation = evaluate(table, 5)
        control = evaluation.discovery.control
        results.append([*flat(numbers(table)), evaluation.p_value, control.extremes(100)])
    for first, second in zip(*results, strict=True):
        assert_array_equal(first, second)


def test_errors_of_subsets_are_those_of_fits_left_out_one_by_one():
    table = table_of(PLANS["subset"])
    found, fits = evaluate(table), table.design.fits
    for name in ("score", "mean_log"):
        without = np.array(
            [estimates_without(table, np.arange(fits) == fit)[name] for fit in range(fits)]
        )
        squares = np.zeros(300)
        for side in (table.roles() == IN, table.roles() != IN):
            count = side.sum(axis=0)
            mean = np.where(side, without, 0).sum(axis=0) / count
            deviations = np.where(side, without - mean, 0)
            squares += (deviations**2).sum(axis=0) * (count - 1) / count
        assert_allclose(found.standard_error[name], np.sqrt(squares), rtol=1e-8)


@pytest.mark.parametrize("plan", ["subset", "folds", "pairs"])
def test_p_values_are_shares_of_the_control_without_the_records_found(plan, monkeypatch):
    """Against control values that are all kept, each with its record."""
    table, seed = table_of(PLANS[plan]), 5
    in_ranges(monkeypatch, 16 * 70)
    values, discovery = comparisons(table), moderated.moderated_test(table, seed)
    owners, t, degrees = [], [], []
    draws = moderated._draws(300, 300, moderated.ENOUGH)
    for number, cut in enumerate(values.cuts):
        generator = seeds.generator(seed, seeds.Purpose.CONTROL, number)
        for records, contrast in values.null_of_cut(cut, draws, generator):
            each = moderated_t(contrast, discovery.prior)
            owners.append(records.repeat(len(each[0]) // len(records)))
            t.append(each[0])
            degrees.append(each[1])
    owners, t, degrees = map(np.concatenate, (owners, t, degrees))
    control_p = upper_tail(t, degrees)
    found = moderated.q_values(discovery.p_value) <= moderated.SIGNIFICANCE
    assert found[:10].all()
    ratio = discovery.effect / discovery.standard_error
    p = upper_tail(ratio, discovery.degrees)
    counts = (table.roles() == IN).sum(axis=0)
    for record in (0, 3, 50, 123, 299):
        like = (counts[owners] == counts[record]) & ~found[owners]
        as_small = np.count_nonzero(control_p[like] <= p[record] * (1 + 1e-10))
        share = (1 + as_small) / (1 + np.count_nonzero(like))
        assert_allclose(discovery.p_value[record], max(p[record], share), rtol=1e-6)
    assert len(discovery.control) == np.count_nonzero(~found[owners])


def test_the_control_stays_whole_where_nearly_all_records_are_found():
    table = table_of(PLANS["subset"])
    values = comparisons(table)
    everyone = np.ones(300, np.bool_)
    prior = moderated.moderated_test(table, 0).prior
    null = ControlValues.of_records(values, prior, np.zeros(300, np.intp), everyone, 10, 0)
    [(_, whole)], [(_, same)] = null.controls(~everyone), null.controls(everyone)
    some = np.arange(300) < 100
    [(_, rest)] = null.controls(some)
    owners = [
        records.repeat(len(contrast.effect) // len(records))
        for cut in values.cuts
        for records, contrast in values.null_of_cut(cut, 10, np.random.default_rng(0))
    ]
    assert len(whole) == len(same) == sum(map(len, owners))
    assert len(rest) == np.count_nonzero(~some[np.concatenate(owners)])
