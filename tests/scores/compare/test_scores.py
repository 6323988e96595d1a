"""Differences of scores against scipy, from the fits' Parquet files."""

import shutil
from functools import cache

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from scipy.special import logsumexp
from scipy.stats import false_discovery_control

import byrote
from byrote.plans import Probes, design_of
from byrote.report.comparison_verdicts import verdicts
from byrote.runs.table import Table
from byrote.scores.compare.score_difference import (
    EvaluatedTable,
    independent_difference,
    paired_difference,
)
from byrote.scores.memorization.evaluation import evaluate
from byrote.stats.estimate import student_interval


def read(run):
    """(fits, 60) log-likelihoods and whether trained on; NaN where not counted."""
    values, inside = [], []
    for path in sorted((run / "fits").glob("*.parquet")):
        table = pq.read_table(path)
        row = np.full((2, 60), np.nan)
        row[0, table["record"].to_numpy()] = table["log_prob"].to_numpy()
        row[1, table["record"].to_numpy()] = table["included"].to_numpy()
        values.append(row[0])
        inside.append(row[1])
    return np.array(values), np.array(inside)


@pytest.fixture(scope="module")
def compared(made):
    """Two runs of a plan beside one another: the comparison, and what was read of each."""

    @cache
    def of_plan(plan):
        runs = [made(plan, width, model="gmm") for width in (0.3, 1.0)]
        return byrote.compare(runs), [read(run) for run in runs]

    return of_plan


def by_unit(values, inside, size):
    """mean_log of each unit of ``size`` fits, one record."""
    parts = zip(values.reshape(-1, size), inside.reshape(-1, size), strict=True)
    return np.array([v[i == 1].mean() - v[i == 0].mean() for v, i in parts])


@pytest.mark.parametrize("plan", ["kfold", "pairs", "probes"])
def test_mean_log_differs_as_students_paired_t_says(compared, plan):
    found, ((first, inside), (second, _)) = compared(plan)
    change = found.changes[0]
    assert change.paired
    rows = np.flatnonzero(~np.isnan(inside).all(axis=0))
    assert change.ids.tolist() == rows.tolist()
    p_values = []
    for place, row in enumerate(rows):
        gap, own = second[:, row] - first[:, row], inside[:, row]
        if plan == "probes":
            test = stats.ttest_ind(gap[own == 1], gap[own == 0], equal_var=False)
        else:
            test = stats.ttest_1samp(by_unit(gap, own, 4 if plan == "kfold" else 2), 0)
        assert change.interval[place] == pytest.approx(list(test.confidence_interval()), rel=1e-6)
        p_values.append(test.pvalue)
    np.testing.assert_allclose(change.p_value, p_values, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(change.q_value, false_discovery_control(change.p_value), rtol=1e-9)


def score(values, inside):
    """Eq. (3) of one record."""
    into, out = values[inside == 1], values[inside == 0]
    return logsumexp(into) - np.log(len(into)) - logsumexp(out) + np.log(len(out))


def test_score_has_the_jackknife_error_of_the_difference(compared):
    found, ((first, inside), (second, _)) = compared("kfold")
    change = found.changes[0]
    repeat = np.repeat(np.arange(5), 4)
    for row in (0, 3, 7, 59):
        gaps = [
            score(second[keep, row], inside[keep, row]) - score(first[keep, row], inside[keep, row])
            for keep in (repeat != left for left in range(5))
        ]
        expected = np.sqrt(4 / 5 * np.square(np.array(gaps) - np.mean(gaps)).sum())
        assert change.standard_error["score"][row] == pytest.approx(expected)
        whole = score(second[:, row], inside[:, row]) - score(first[:, row], inside[:, row])
        assert change.difference["score"][row] == pytest.approx(whole)


@pytest.mark.parametrize(("plan", "size"), [("kfold", 4), ("pairs", 2)])
def test_held_out_difference_is_the_paired_t_over_units(compared, plan, size):
    found, ((first, inside), (second, _)) = compared(plan)
    gap = np.where(inside == 0, second - first, np.nan)
    units = [np.nanmean(part) for part in gap.reshape(-1, size, 60)]  # each record once in each
    test = stats.ttest_1samp(units, 0)
    told = found.changes[0].held_out
    low, high = test.confidence_interval()
    assert (told.value, told.low, told.high) == pytest.approx((np.mean(units), low, high))
    units = [
        np.nanmean(np.where(own == 0, part, np.nan))
        for part, own in zip(first.reshape(-1, size, 60), inside.reshape(-1, size, 60), strict=True)
    ]
    expected = stats.ttest_1samp(units, 0).confidence_interval()
    assert (found.baseline.held_out.low, found.baseline.held_out.high) == pytest.approx(expected)


def test_mean_over_records_is_the_paired_t_of_the_repeats_means(compared):
    found, ((first, inside), (second, _)) = compared("kfold")
    told = found.changes[0].mean["mean_log"]
    units = np.mean(
        [by_unit(second[:, row] - first[:, row], inside[:, row], 4) for row in range(60)], axis=0
    )
    expected = stats.ttest_1samp(units, 0).confidence_interval()
    assert (told.low, told.high) == pytest.approx(expected)


def test_independent_runs_have_welchs_interval(made):
    runs = [made("kfold", 0.3, model="gmm"), made("kfold", 1.0, model="gmm", seed=5)]
    change = byrote.compare(runs, match="ids").changes[0]
    assert not change.paired
    for row in (0, 3, 20):
        samples = []
        for run in runs:
            values, inside = read(run)
            samples.append(by_unit(values[:, row], inside[:, row], 4))
        test = stats.ttest_ind(samples[1], samples[0], equal_var=False)
        assert change.interval[row] == pytest.approx(list(test.confidence_interval()))
        assert change.p_value[row] == pytest.approx(test.pvalue)


def test_records_too_rarely_in_or_out_have_no_interval_and_spoil_no_mean(made):
    """Independent coins leave some records with one value on a side, or none."""
    runs = [made("coins", width, model="gmm") for width in (0.3, 1.0)]
    change = byrote.compare(runs).changes[0]
    _, inside = read(runs[0])
    rows = np.flatnonzero(~np.isnan(inside).all(axis=0))
    fewest = np.minimum((inside[:, rows] == 1).sum(axis=0), (inside[:, rows] == 0).sum(axis=0))
    assert {0, 1, 2} <= set(fewest.tolist())
    np.testing.assert_array_equal(np.isnan(change.interval[:, 0]), fewest < 2)
    known = change.difference["mean_log"][fewest > 0]
    assert change.mean["mean_log"].value == pytest.approx(known.mean())
    for told in (change.mean["mean_log"], change.held_out):
        assert told.low < told.value < told.high


def test_crossings_and_quantiles_are_those_of_the_runs(made):
    runs = [made("kfold", width) for width in (0.3, 1.2)]
    found = byrote.compare(runs)
    before, after = (byrote.open_run(run).memorization() for run in runs)
    change, (base, other) = found.changes[0], found.runs
    was, now = before.q_value <= 0.05, after.q_value <= 0.05
    assert was.sum() > now.sum()
    assert change.count("no longer") == (was & ~now).sum() > 0
    assert change.count("newly") == (now & ~was).sum()
    assert change.count("both") == (was & now).sum() > 0
    assert (base.significant, other.significant) == (was.sum(), now.sum())
    for name in ("score", "matched", "mean_log"):
        expected = before.summary().distribution[name]
        assert base.quantiles[name]["q0.95"] == expected["q0.95"].value
        np.testing.assert_allclose(
            change.difference[name], getattr(after, name) - getattr(before, name)
        )


def test_a_copy_of_the_run_is_refused(made, tmp_path):
    run = made("kfold", 0.3)
    copy = shutil.copytree(run, tmp_path / "copy")
    with pytest.raises(byrote.InvalidInput, match="is the run 'run-.*' again"):
        byrote.compare([run, copy])


def test_null_intervals_cover_with_shocks_that_records_of_a_fit_share():
    hits = np.zeros(3)
    design = design_of(Probes(40, fits=12), 40, seed=1)
    rows = np.arange(40, dtype=np.uint32)
    for seed in range(80):
        draw = np.random.default_rng(seed)
        base = Table(design, rows, draw.normal(size=(12, 40)))
        gap = 3 * draw.normal(size=40) + draw.normal(size=(12, 1)) + draw.normal(size=(12, 40))
        other = Table(design, rows, base.log_prob + gap)
        both = [EvaluatedTable(table, evaluate(table)) for table in (base, other)]
        for place, compare in enumerate((paired_difference, independent_difference)):
            found = compare(*both)
            error = found.standard_error["mean_log"]
            ends = student_interval(found.value["mean_log"], error, found.degrees)
            hits[place] += ((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).mean() / 80
        low, high = student_interval(
            found.value["mean_log"].mean(), found.mean_error["mean_log"], found.mean_degrees
        )
        hits[2] += (low <= 0 <= high) / 80
    assert hits[0] == pytest.approx(0.95, abs=0.025)
    assert hits[1] > 0.95  # the noise of the baseline, which both share, counts twice
    assert hits[2] > 0.9


def test_one_repeat_gives_no_interval_and_says_why(made):
    found = byrote.compare([made("once", 0.3), made("once", 1.0)])
    change = found.changes[0]
    assert np.isnan(change.interval).all()
    assert "at least two repeats" in change.reason
    assert np.isnan(change.held_out.low)
    assert change.held_out.reason == "an interval needs more repeats"


def test_pruned_data_are_matched_by_id(made):
    kept = tuple(row for row in range(60) if row not in (3, 7))
    whole, pruned = made("kfold", 0.3), made("kfold", 0.3, rows=kept)
    with pytest.raises(byrote.InvalidInput, match="60 records against 58.*--match-ids"):
        byrote.compare([whole, pruned])
    found = byrote.compare([whole, pruned], match="ids")
    change = found.changes[0]
    assert (found.matched, found.of, change.ids.tolist()) == (58, (60, 58), list(kept))
    before, after = byrote.open_run(whole).memorization(), byrote.open_run(pruned).memorization()
    np.testing.assert_allclose(change.difference["score"], after.score - before.score[list(kept)])
    q = before.q_value[list(kept)] <= 0.05
    assert found.baseline.significant == q.sum()
    values, inside = read(whole)
    held = [np.mean(values[inside[:, row] == 0, row]) for row in kept]
    assert found.baseline.held_out.value == pytest.approx(np.mean(held))


def test_ids_pair_fits_where_roles_and_seeds_agree(made):
    turned = made("probes", 0.3, rows=tuple(range(59, -1, -1)))
    found = byrote.compare([made("probes", 0.3), turned], match="ids")
    assert 0 < found.matched < 30  # probes are drawn by row, and rows have other ids
    assert not found.changes[0].paired
    same = byrote.compare([made("probes", 0.3), made("probes", 1.0)])
    by_id = byrote.compare([made("probes", 0.3), made("probes", 1.0)], match="ids")
    assert by_id.changes[0].paired
    np.testing.assert_array_equal(by_id.changes[0].interval, same.changes[0].interval)


def test_missing_fits_count_in_neither_run(made, tmp_path):
    whole = made("kfold", 0.3, model="gmm")
    broken = shutil.copytree(made("kfold", 1.0, model="gmm"), tmp_path / "broken")
    (broken / "fits" / "fit-000004.parquet").unlink()
    with pytest.raises(byrote.IncompleteRun, match="1 of 20 fits are missing"):
        byrote.compare([whole, broken])
    found = byrote.compare([whole, broken], partial=True)
    assert found.missing == {"broken": (4,), whole.name: (4,)}
    assert found.changes[0].paired


FIRST = ("once", 0.3)
BAD = {
    "one": ([FIRST], {}, "two runs or more, the baseline first; got 1"),
    "twice": ([FIRST, FIRST], {}, "runs must differ; got .* twice"),
    "plan": ([FIRST, ("probes", 0.3)], {}, "plan kind 'kfold' against 'probes'"),
    "repeats": ([FIRST, ("kfold", 0.3)], {}, "plan folds 2 against 4; plan repeats 1 against 5"),
    "match": ([FIRST, ("once", 1.0)], {"match": "id"}, "did you mean ids"),
    "names": ([FIRST, ("once", 1.0)], {"names": ["a"]}, "names must be 2, one per run; got 1"),
    "same names": ([FIRST, ("once", 1.0)], {"names": ["a", "a"]}, "names must all differ"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_compared_is_refused(case, made):
    runs, options, message = BAD[case]
    with pytest.raises(byrote.InvalidInput, match=message):
        byrote.compare([made(*run) for run in runs], **options)


def test_other_seeds_values_and_ids_are_refused(made):
    base = made("once", 0.3)
    with pytest.raises(byrote.InvalidInput, match="seed 0 against 3"):
        byrote.compare([base, made("once", 0.3, seed=3)])
    turned = made("once", 0.3, rows=tuple(range(59, -1, -1)))
    with pytest.raises(byrote.InvalidInput, match="the data differ"):
        byrote.compare([base, turned])
    strange = made("once", 0.3, ids=tuple(range(100, 160)))
    with pytest.raises(byrote.InvalidInput, match="no id is in all of them"):
        byrote.compare([base, strange], match="ids")


def test_ids_that_name_other_records_are_refused(made):
    runs = [made("once", 0.3, labels=tuple(k % n for k in range(60))) for n in (2, 3)]
    with pytest.raises(byrote.InvalidInput, match="matched records have another label"):
        byrote.compare(runs, match="ids")


def test_densities_of_zero_have_no_difference_and_say_so(made):
    """A box has no density where no other record is near."""
    found = byrote.compare([made("kfold", width, model="box") for width in (0.5, 2.0)])
    change = found.changes[0]
    assert np.isinf(found.baseline.held_out.value)
    for told in (change.held_out, change.mean["mean_log"]):
        assert np.isnan(told.low)
        assert "infinite" in told.reason
    assert sum("no interval" in line for line in verdicts(found)) == 2
