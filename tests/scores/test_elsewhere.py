"""A run from a table in memory, and what a fit of a run trains on."""

import gc
import shutil

import numpy as np
import pytest

import byrote
from byrote.errors import InvalidInput
from byrote.scores.elsewhere import accidents_of
from numpy_trainer import InProcess, some_data

X = some_data(60)
IDS = np.array([f"r{row}" for row in range(60)])


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A run that byrote made, of all records in random halves."""
    folder = tmp_path_factory.mktemp("scored") / "run"
    plan = byrote.Subset(0.5, fits=8)
    byrote.score_memorization(InProcess(), X, ids=IDS, plan=plan, out=folder)
    return byrote.open_run(folder)


def table_of(run):
    design = run.design
    included = np.array([design.trained_on(fit) for fit in range(design.fits)])
    return run.table().log_prob, included


def test_a_table_has_the_scores_of_the_run_that_it_is_from(scored):
    log_prob, included = table_of(scored)
    run = byrote.run_from_table(log_prob, included, ids=IDS, randomized=True)
    expected, result = scored.memorization().to_frame(), run.memorization().to_frame()
    columns = ["id", "score", "matched", "mean_log", "n_in", "n_out"]
    assert result[columns].equals(expected[columns])
    membership, expected = run.membership(), scored.membership()
    assert membership.auc == expected.auc
    assert accidents_of(run) == accidents_of(scored) == []


def test_membership_that_was_not_drawn_at_random_has_no_p_values(scored):
    run = byrote.run_from_table(*table_of(scored))
    assert np.isnan(run.memorization().p_value).all()


def test_values_that_do_not_count_are_left_out(scored):
    log_prob, included = table_of(scored)
    log_prob = log_prob.copy()
    log_prob[2, 5] = log_prob[0, :30] = np.nan
    run = byrote.run_from_table(log_prob, included)
    result, known = run.memorization(), ~np.isnan(log_prob)
    assert result.n_in.tolist() == (known & included).sum(axis=0).tolist()
    assert result.n_out.tolist() == (known & ~included).sum(axis=0).tolist()
    inside = np.where(included, log_prob, np.nan)
    outside = np.where(included, np.nan, log_prob)
    known = (result.n_in > 0) & (result.n_out > 0)
    difference = np.nanmean(inside[:, known], axis=0) - np.nanmean(outside[:, known], axis=0)
    assert np.allclose(result.mean_log[known], difference)
    assert np.isnan(result.mean_log[~known]).all()


def test_the_folder_lives_as_long_as_the_run(scored, tmp_path):
    run = byrote.run_from_table(*table_of(scored))
    folder = run.path
    assert folder.exists()
    del run
    gc.collect()
    assert not folder.exists()
    kept = byrote.run_from_table(*table_of(scored), ids=IDS, out=tmp_path / "kept")
    assert byrote.open_run(tmp_path / "kept").memorization().ids.tolist() == IDS.tolist()
    assert kept.missing == ()
    with pytest.raises(InvalidInput, match="out must name a new folder"):
        byrote.run_from_table(*table_of(scored), ids=IDS, out=tmp_path / "kept")


def test_training_rows_are_those_of_the_fit_in_its_order(tmp_path):
    plan = byrote.Probes(20, fits=4, pairs=True)
    byrote.score_memorization(InProcess(), X, plan=plan, out=tmp_path / "run")
    run = byrote.open_run(tmp_path / "run")
    for fit in range(4):
        rows = byrote.training_rows(tmp_path / "run", fit)
        assert sorted(rows) == np.flatnonzero(run.design.trained_on(fit)).tolist()
    first, second = (byrote.training_rows(run, fit) for fit in (0, 1))
    same = first == second  # records that are not probes keep their places
    assert 30 <= same.sum() < 50
    shutil.rmtree(tmp_path / "run" / "fits")


TABLE = np.zeros((3, 4))
HALF = np.ones((3, 4), dtype=bool)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TABLE[0], HALF), "log_prob must have shape (fits, records); got (4,)"),
        ((np.zeros((0, 4)), HALF), "log_prob must have shape (fits, records); got (0, 4)"),
        ((TABLE, HALF.T), "included must be booleans of the shape of log_prob, (3, 4); got bool"),
        ((TABLE, HALF * 1.0), "included must be booleans of the shape of log_prob"),
        ((TABLE + np.inf, HALF), "log_prob must not be +inf; fit 0 gives it to record 0"),
        ((TABLE * np.nan, HALF), "log_prob must have a number in every fit; fit 0 has only NaN"),
        (([["a"]], HALF), "log_prob must be real numbers"),
        ((TABLE, ~HALF), "every fit a record to train on; row 0 has none"),
        ((TABLE, HALF, {"ids": [1, 1, 2, 3]}), "ids must all differ"),
        ((TABLE, HALF, {"ids": [1, 2]}), "ids must have one entry for each of 4 records"),
        ((TABLE, HALF, {"labels": [1, 2]}), "labels must have one entry for each of 4 records"),
        ((TABLE, HALF, {"randomized": "yes"}), "randomized must be True or False"),
        ((TABLE, HALF, {"seed": -1}), "seed must be an integer of at least 0"),
        ((TABLE, HALF, {"out": 7}), "out must be a path; got 7"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(arguments, message):
    *arrays, options = arguments if len(arguments) == 3 else (*arguments, {})
    with pytest.raises(InvalidInput) as error:
        byrote.run_from_table(*arrays, **options)
    assert message in str(error.value)


@pytest.mark.parametrize("fit", [-1, 8, 1.5, "0"])
def test_a_fit_that_the_run_does_not_have_is_refused(scored, fit):
    with pytest.raises(InvalidInput, match="fit"):
        byrote.training_rows(scored, fit)


def test_a_gate_passes_no_run_whose_sides_are_swapped(scored):
    log_prob, included = table_of(scored)
    swapped = byrote.run_from_table(log_prob, ~included, randomized=True)
    gate = byrote.check(swapped, max_significant="50%")
    assert gate.exit_code == 4
    assert "less likely in training than held out" in gate.thresholds[0].reason
    assert byrote.check(swapped, max_significant="0.1%").exit_code in (3, 4)
