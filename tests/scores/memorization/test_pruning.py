"""Pruning, against what pandas selects from the table of scores."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold as Ordered
from sklearn.neighbors import KernelDensity

import byrote
from byrote.errors import IncompleteRun, InvalidInput


def audited(plan, n=60, **options):
    """A narrow kernel density that learns some far records by rote."""
    x = np.random.default_rng(0).normal(size=(n, 2))
    x[[3, 11, 40]] += np.array([[9.0, 0], [0, 9], [-9, -9]])
    ids = np.array([f"r{row}" for row in range(n)])
    return byrote.score_memorization(KernelDensity(bandwidth=0.7), x, plan=plan, ids=ids, **options)


@pytest.fixture(scope="module")
def result():
    return audited(byrote.KFold(5, repeats=4))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 0.98])
def test_top_takes_those_with_the_highest_scores(result, share):
    frame = result.to_frame().sort_values("score", ascending=False, kind="stable")
    count = int(np.ceil(share * len(frame)))
    pruned = byrote.prune(result, top=share)
    assert set(pruned.removed) == set(frame["id"][:count])
    assert pruned.kept.tolist() == [i for i in result.ids if i not in set(pruned.removed)]
    assert pruned.lowest_score == frame["score"].iloc[count - 1]
    table = pruned.to_frame()
    assert table["id"].tolist() == result.ids.tolist()
    assert set(table["id"][table["removed"]]) == set(pruned.removed)


def test_of_equal_scores_the_first_rows_go(result):
    tied = replace(result, score=np.zeros(len(result)))
    assert byrote.prune(tied, top=0.1).removed.tolist() == result.ids[:6].tolist()


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4])
def test_fdr_takes_those_with_small_q_values(result, rate):
    q = result.q_value.copy()
    q[:5] = rate  # at the rate itself: out
    pruned = byrote.prune(replace(result, q_value=q), fdr=rate)
    assert pruned.removed.tolist() == result.ids[q <= rate].tolist()
    assert (pruned.rule, pruned.threshold) == ("fdr", rate)


def test_records_that_were_never_scored_stay_and_are_counted():
    result = audited(byrote.Probes(20, fits=8))
    pruned = byrote.prune(result, top=0.25)
    unscored = result.ids[np.isnan(result.score)]
    assert len(unscored) == 40
    assert set(unscored) <= set(pruned.kept)
    assert len(pruned.removed) == 5
    assert pruned.summary() == {
        "records": 60,
        "scored": 20,
        "never_scored": {"not scored by the plan": 40},
        "kept": 55,
        "removed": 5,
        "rule": "top",
        "threshold": 0.25,
        "lowest_score": np.sort(result.score[~np.isnan(result.score)])[-5],
    }


@pytest.mark.parametrize("kind", ["csv", "txt", "parquet"])
def test_what_is_saved_chooses_the_rest_of_the_data(kind, tmp_path):
    x = np.random.default_rng(1).normal(size=(30, 2))
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "name": [f"n {i}" for i in range(30)]}).to_csv(
        tmp_path / "x.csv", index=False
    )
    records = byrote.load(tmp_path / "x.csv", ids="name")
    plan = byrote.KFold(3, repeats=2)
    run = tmp_path / "run"
    byrote.score_memorization(KernelDensity(), records, plan=plan, out=run)
    pruned = byrote.prune(run, top=0.2)
    pruned.save(tmp_path / f"kept.{kind}")
    assert (tmp_path / f"kept.{kind}").stat().st_mode & 0o777 == 0o600
    rest = byrote.load(tmp_path / "x.csv", ids="name", only=tmp_path / f"kept.{kind}")
    assert rest.ids.tolist() == pruned.kept.tolist()
    again = byrote.score_memorization(KernelDensity(), rest, plan=plan)
    assert set(again.ids) == set(records.ids) - set(pruned.removed)


REFUSED = {
    "no rule": ({}, "got neither"),
    "two rules": ({"fdr": 0.05, "top": 0.05}, "got both"),
    "no rate": ({"fdr": 0.0}, "fdr must be a number between 0 and 1"),
    "all": ({"top": 1.0}, "top must be a number between 0 and 1"),
    "a word": ({"top": "5%"}, "top must be a number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_rules_that_cannot_be_used_are_refused(case, result):
    options, fragment = REFUSED[case]
    with pytest.raises(InvalidInput, match=fragment):
        byrote.prune(result, **options)


def test_a_rate_below_the_smallest_q_is_refused():
    """By the exact test 4 repeats of 5 folds give no p below 5^-4."""
    result = audited(byrote.KFold(5, repeats=4), test="exact")
    with pytest.raises(InvalidInput, match="must be at least 0.0016, the smallest q-value"):
        byrote.prune(result, fdr=0.001)


def test_fdr_needs_a_plan_with_p_values():
    result = audited(Ordered(5))
    with pytest.raises(InvalidInput, match="needs p-values, and this run has none: the plan's"):
        byrote.prune(result, fdr=0.05)
    assert len(byrote.prune(result, top=0.05).removed) == 3


def test_something_must_stay_and_something_must_be_scored(result):
    with pytest.raises(InvalidInput, match="would remove all 60 records"):
        byrote.prune(replace(result, q_value=np.full(60, 0.01)), fdr=0.05)
    with pytest.raises(InvalidInput, match="top=0.99 would remove all 60 records"):
        byrote.prune(result, top=0.99)
    unscored = audited(byrote.Membership(np.ones((3, 60), dtype=bool)))
    with pytest.raises(InvalidInput, match="no record has a score to prune by"):
        byrote.prune(unscored, top=0.1)


def test_fits_must_not_be_missing(tmp_path):
    audited(byrote.KFold(5, repeats=2), out=tmp_path / "run")
    (tmp_path / "run" / "fits" / "fit-000003.parquet").unlink()
    with pytest.raises(IncompleteRun, match="1 of 10 fits"):
        byrote.prune(tmp_path / "run", top=0.05)
