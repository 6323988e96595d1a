"""byrote prune and byrote score --only: from a run to its data without what was memorized."""

import json

import numpy as np
import pandas as pd
import pytest

import byrote

RUN = ["score", "x.csv", "--ids", "name", "--model", "kde", "--set", "bandwidth=0.5"]
PLAN = ["--folds", "4", "--repeats", "3"]


@pytest.fixture(autouse=True)
def data(tmp_path):
    x = np.random.default_rng(0).normal(size=(80, 2)) * 2
    frame = pd.DataFrame(x, columns=["a", "b"])
    frame["name"] = [f"person {row}" for row in range(80)]
    frame.to_csv(tmp_path / "x.csv", index=False)


@pytest.fixture
def run(once):
    assert once(*RUN, *PLAN, "--out", "run")[0] == 0
    return byrote.open_run("run").memorization()


def test_what_stays_is_written_and_what_goes_is_counted(byrote_, run, tmp_path):
    code, out, err = byrote_("prune", "run", "--top", "5%")
    assert (code, err) == (0, "")
    assert "4 of 80 records removed" in out
    assert "76 kept: run/pruned.csv" in out
    assert "person" not in out
    assert "byrote score x.csv --ids name --only run/pruned.csv" in out
    path = tmp_path / "run" / "pruned.csv"
    gone = set(run.ids[run.order()[:4]])
    assert pd.read_csv(path)["id"].tolist() == [i for i in run.ids if i not in gone]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("unrendered")
def test_the_rest_is_audited_under_the_same_ids_and_loaded_again(byrote_, run, tmp_path):
    byrote_("prune", "run", "--top", "0.1")
    code, out, _ = byrote_(*RUN, *PLAN, "--only", "run/pruned.csv", "--out", "rest")
    assert code == 0
    assert "72 of 72 records listed in pruned.csv (--only) scored" in out
    rest = byrote.open_run("rest").memorization()
    assert set(rest.ids) == set(run.ids) - set(run.ids[run.order()[:8]])
    # another prune of the first run changes the file, and not what the second run was made from
    byrote_("prune", "run", "--top", "0.5")
    assert byrote_("figures", "rest")[0] == 0
    assert (tmp_path / "rest" / "figures").is_dir()
    code, _, err = byrote_(*RUN, *PLAN, "--only", "run/pruned.csv", "--out", "rest")
    assert code == 2
    assert "holds another run" in err


def test_json_alone_and_another_place(byrote_, run):
    code, out, err = byrote_("prune", "run", "--top", "5%", "--out", "kept.txt", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["file"] == "kept.txt"
    assert set(found["removed"]) == set(run.ids[run.order()[:4]])
    assert (found["summary"]["kept"], found["summary"]["rule"]) == (76, "top")
    assert len(byrote.load("x.csv", ids="name", only="kept.txt")) == 76


def test_fdr_is_the_verdict_of_the_summary(byrote_, run):
    code, out, _ = byrote_("prune", "run", "--fdr", "0.05", "--json")
    assert code == 0
    removed = json.loads(out)["removed"]
    assert len(removed) == run.summary().significant > 0
    assert set(removed) == set(run.ids[run.q_value <= 0.05])


def test_where_none_goes_no_audit_is_advised(byrote_):
    noise = [*RUN[:-1], "bandwidth=50", *PLAN, "--seed", "1"]  # too broad to learn a record
    assert byrote_(*noise, "--out", "broad")[0] == 0
    found = byrote.open_run("broad").memorization().q_value.min()
    code, out, _ = byrote_("prune", "broad", "--fdr", "0.05", "--out", "all.csv")
    assert code == 0
    assert found > 0.05
    assert "0 of 80 records removed" in out
    assert "What the run could not find stays in." in out
    assert "To audit them" not in out


def test_probe_plans_say_how_many_were_never_scored(byrote_):
    byrote_(*RUN, "--plan", "probes", "--probes", "30", "--fits", "6", "--out", "probed")
    out = byrote_("prune", "probed", "--top", "10%")[1]
    assert "3 of 80 records removed" in out
    assert "50 without a score are kept, not scored by the plan" in out


REFUSED = {
    "no rule": ([], "one of fdr and top"),
    "no share": (["--top", "many"], "--top must be a share such as 5% or 0.05; got 'many'"),
    "all": (["--top", "100%"], "--top must be a share"),
    "another kind of file": (["--top", "5%", "--out", "a.json"], "--out must name a .csv"),
    "no folder": (["--top", "5%", "--out", "none/a.csv"], "folder that exists"),
    "the data": (["--top", "5%", "--out", "x.csv"], "file of the data or the run; got x.csv"),
    "the run": (
        ["--top", "5%", "--out", "run/records.parquet"],
        "must not be a file of the data or the run",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_and_nothing_written(case, byrote_, once, tmp_path):
    options, fragment = REFUSED[case]
    make = byrote_ if case == "the data" else once
    make(*RUN, *PLAN, "--out", "run")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code, out, err = byrote_("prune", "run", *options)
    assert (code, out) == (2, "")
    assert fragment in err
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_an_unfinished_run_is_not_pruned(byrote_, run, tmp_path):
    (tmp_path / "run" / "fits" / "fit-000001.parquet").unlink()
    code, _, err = byrote_("prune", "run", "--top", "5%")
    assert code == 4
    assert "1 of 12 fits are missing" in err
    assert not (tmp_path / "run" / "pruned.csv").exists()
    assert len(run) == 80
