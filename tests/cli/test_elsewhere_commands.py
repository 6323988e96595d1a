"""byrote plan --out, rows and collect at the command line; and bad words, one sentence each."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import byrote
from byrote.runs.job import job_of
from numpy_trainer import some_data

PLAN = ("plan", "x.npy", "--plan", "probes", "--probes", "20", "--fits", "4", "--out", "run")


@pytest.fixture
def data(byrote_):
    np.save("x.npy", some_data(60))
    return byrote_


def test_a_plan_is_written_and_says_what_to_do_next(data):
    code, out, err = data(*PLAN)
    assert (code, err) == (0, "")
    assert "run waits for 4 of 4 fits: fit 0 trains on" in out
    for command in ("byrote rows run --fit F", "byrote collect run fit-F.csv", "--script slurm"):
        assert command in out
    assert json.loads(data(*PLAN, "--json")[1]) == {
        "run": "run", "fits": 4, "missing": [0, 1, 2, 3],
    }  # fmt: skip


def test_what_rows_prints_is_the_fits(data):
    data(*PLAN, "--pairs")
    run = byrote.open_run("run")
    for fit in range(4):
        printed = {
            name: data("rows", "run", "--fit", fit, "--print", name)[1].split()
            for name in ("rows", "ids", "score-rows", "score-ids", "seed", "run")
        }
        train = [str(row) for row in byrote.training_rows(run, fit)]
        scored = [str(row) for row in run.design.counted_rows(fit)]
        seed = str(job_of(run.design, fit, 0).training_seed)
        assert printed == {
            "rows": train, "ids": train, "score-rows": scored, "score-ids": scored,
            "seed": [seed], "run": [run.manifest.run_id],
        }  # fmt: skip
    assert job_of(run.design, 0, 0).training_seed == job_of(run.design, 1, 0).training_seed


@pytest.mark.parametrize("name", ["SLURM_ARRAY_TASK_ID", "PBS_ARRAY_INDEX", "SGE_TASK_ID"])
def test_the_task_of_an_array_is_the_fit(data, monkeypatch, name):
    data(*PLAN)
    expected = data("rows", "run", "--fit", "3")[1]
    monkeypatch.setenv("SGE_TASK_ID", "undefined")  # as SGE sets it outside arrays
    monkeypatch.setenv(name, "3")
    assert data("rows", "run")[1] == expected


def test_membership_for_other_languages_is_that_of_the_plan(data):
    data(*PLAN)
    data(*PLAN[:-3], "6", "--out", "run")
    run, table = byrote.open_run("run"), pq.read_table("run/membership.parquet")
    assert table["id"].to_pylist() == list(range(60))
    assert np.flatnonzero(table["scored"]).tolist() == run.design.evaluated.tolist()
    for fit in range(6):
        member = np.flatnonzero(table[f"fit_{fit}"])
        assert member.tolist() == sorted(byrote.training_rows(run, fit))
    facts = json.loads(table.schema.metadata[b"byrote"])
    assert facts["seeds"] == [job_of(run.design, fit, 0).training_seed for fit in range(6)]


def test_a_part_of_the_data_is_named_by_ids(data):
    _, out, _ = data(*PLAN, "--records", "40")
    assert "--print ids > ids.txt" in out
    assert '--print ids > "$work/ids.txt"' in data(*PLAN, "--records", "40", "--script", "slurm")[1]
    code, _, err = data("rows", "run", "--fit", "0")
    assert code == 2
    assert "--print must be ids or score-ids where a run is of a part of the data" in err
    code, out, _ = data("rows", "run", "--fit", "0", "--print", "ids")
    ids = byrote.load("x.npy", records=40).ids
    assert [int(line) for line in out.split()] == ids[byrote.training_rows("run", 0)].tolist()


def test_a_run_made_elsewhere_is_neither_trained_nor_another_plans(data):
    data(*PLAN)
    words = ("score", "x.npy", "--model", "kde", *PLAN[2:])
    code, _, err = data(*words)
    assert code == 2
    assert "run holds another run: model class" in err
    code, _, err = data(*PLAN, "--seed", "1")
    assert (code, "run seed" in err) == (2, True)
    code, _, err = data("show", "run")
    assert code == 4
    assert "4 of 4 fits are missing from run; byrote collect takes them in" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("plan", "x.npy", "--out", "run"),
            "--out needs the plan to write there, --plan",
        ),
        (PLAN[:-2], "--plan is of a chosen plan, which needs --out FOLDER"),
        (("plan", "x.npy", "--fits", "4"), "--fits is of a chosen plan, which needs --out"),
        (("plan", "x.npy", "--script", "slurm"), "--script is of a chosen plan"),
        ((*PLAN, "--model", "vae"), "--model is for proposals, without --out"),
        ((*PLAN, "--for", "se=1"), "--for is for proposals, without --out"),
        ((*PLAN, "--budget", "2h"), "--budget is for proposals, without --out"),
        ((*PLAN, "--set", "a=1"), "--set is for proposals, without --out"),
        ((*PLAN, "--folds", "3"), "--folds is not an option of --plan probes"),
        ((*PLAN, "--probes", "70"), "records must not exceed the data; got 70 probes of 60"),
        ((*PLAN, "--fits", "3"), "fits must be even for probes without coins; got 3"),
        ((*PLAN, "--script", "slurn"), "did you mean slurm?"),
        (("rows", "run"), "run holds no run: the folder does not exist"),
        (("rows", "x.npy"), "x.npy"),
        (("collect", "run", "fit-0.csv"), "run holds no run: the folder does not exist"),
    ],
)
def test_bad_words_are_refused_in_one_sentence_and_nothing_is_written(
    data, tmp_path, words, message
):
    before = sorted(tmp_path.rglob("*"))
    code, out, err = data(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rows", "run"), "--fit must be the number of a fit; got none, and none of SLURM_ARRAY"),
        (("rows", "run", "--fit", "4"), "fit must be 0 to 3, as the run has; got 4; arrays"),
        (("rows", "run", "--fit", "-1"), "fit must be an integer of at least 0; got -1"),
        (("rows", "run", "--fit", "0", "--print", "row"), "did you mean rows?"),
        (("collect", "run", "fit-0.csv"), "fit-0.csv: the file does not exist"),
        (("collect", "run", "x.npy", "x.npy", "--fit", "1"), "--fit needs one file; got 2"),
        (
            ("collect", "run", "x.npy"),
            "x.npy: an array must have one number for each record, 60",
        ),
    ],
)
def test_bad_words_about_a_run_are_refused_in_one_sentence(data, words, message):
    data(*PLAN)
    code, out, err = data(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
