"""One handle for a run: everything is opened once, whatever is asked of it."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

import byrote
import tiny_mitigations
import tiny_studies
from byrote.runs import fit_file
from byrote.studies import kinds
from byrote.studies.findings import extraction

from estimators import Keepable, Steps
from languages import Ngram

pytestmark = pytest.mark.usefixtures("unrendered")
X = np.random.default_rng(0).random((40, 3))
TEXT = [f"line {k} of few\n" for k in range(30)]


def opened_by(action, folder):
    """How often each file in a folder is opened while something is done."""
    opened = Counter()
    real = io.open

    def counting(file, *args, **options):
        if isinstance(file, str | Path) and Path(file).resolve().is_relative_to(folder.resolve()):
            opened[Path(file).resolve().relative_to(folder.resolve()).as_posix()] += 1
        return real(file, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "open", counting)
        patch.setattr("builtins.open", counting)
        action()
    return opened


def opened_twice(action, folder):
    """How often each file in the folders within a folder is opened, where more than once."""
    opened = opened_by(action, folder)
    assert any("/fits/" in name for name in opened)
    return {name: times for name, times in opened.items() if times > 1 and "/" in name}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of every kind: tracked, by coins, kept, with canaries; of records in a file."""
    folder = tmp_path_factory.mktemp("runs")
    np.save(folder / "x.npy", X)
    np.save(folder / "fresh.npy", X[::-1] / 2)
    records = byrote.load(folder / "x.npy")
    plan = byrote.KFold(3, repeats=2)
    for name, seed in (("tracked", 0), ("other", 1)):
        byrote.score_memorization(
            Steps(3, noise=0.1), records, plan=plan, out=folder / name, track=[1, 2], seed=seed
        )
    coins = byrote.Probes(20, fits=9, coins=True)
    byrote.score_memorization(
        KernelDensity(bandwidth=0.1), records, plan=coins, out=folder / "coins"
    )
    byrote.score_memorization(
        Keepable(), records, plan=plan, out=folder / "kept", keep_models="release"
    )
    byrote.score_exposure(
        Ngram(order=3, epochs=2), TEXT, byrote.Canary("pin {digits:2}"), insertions=[1, 4],
        canaries_per_level=2, controls=4, references=20, fits=2, track=[1],
        keep_models="release", out=folder / "canaries",
    )  # fmt: skip
    return folder


COMMANDS = {
    "show": ["show", "tracked"],
    "show an epoch": ["show", "tracked", "--epoch", "1", "--json"],
    "show canaries": ["show", "canaries"],
    "figures": ["figures", "tracked", "--against", "other", "--names", "a,b"],
    "figures of canaries": ["figures", "canaries"],
    "epsilon": ["epsilon", "coins"],
    "epsilon of canaries": ["epsilon", "canaries"],
    "check": ["check", "coins", "--max-significant", "50%", "--max-q999", "50", "--max-auc", "0.9",
              "--max-epsilon-proven", "9"],
    "check canaries": ["check", "canaries", "--max-exposure", "5", "--max-epsilon-proven", "5",
                       "--max-auc", "0.9"],
    "compare": ["compare", "tracked", "other", "--match-ids"],
    "prune": ["prune", "tracked", "--top", "10%"],
    "neighbors": ["neighbors", "kept", "--model", "estimators:Keepable", "--validation",
                  "fresh.npy"],
    "extract": ["extract", "canaries", "--model", "languages:Ngram", "--set", "order=3", "--set",
                "epochs=2"],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_opens_each_file_of_a_run_once(command, runs, byrote_, monkeypatch):
    monkeypatch.chdir(runs)
    codes = []
    opened = opened_by(lambda: codes.append(byrote_(*COMMANDS[command])[0]), runs)
    assert codes[0] in (0, 3, 4)
    assert opened
    twice = {name: times for name, times in opened.items() if times > 1 and "/" in name}
    assert twice == {}
    if command == "show":
        assert sum("/fits/" in name for name in opened) == 6


@pytest.mark.parametrize("repeats", [2, 3])
def test_a_run_that_resumes_or_is_extended_opens_each_file_once(
    repeats, byrote_, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    score = ["score", "x.npy", "--model", "estimators:Keepable", "--folds", "3"]
    score += ["--keep-models", "release", "--out", "runs/x", "--repeats"]
    codes = [byrote_(*score, "2")[0]]
    twice = opened_twice(lambda: codes.append(byrote_(*score, str(repeats))[0]), tmp_path / "runs")
    assert (codes, twice) == ([0, 0], {})


@pytest.mark.parametrize("name", ["exposure-by-insertions", "onion"])
def test_a_study_that_resumes_opens_each_file_once(name, byrote_, tmp_path, monkeypatch):
    tiny = tiny_mitigations.tiny if name == "onion" else tiny_studies.tiny
    study = tiny(name, 1)
    if name != "onion":
        shorter = study.small.model_copy(update={"characters": 4_000})
        runs = [{**run, "insertions": run["insertions"][-2:]} for run in study.run]
        study = study.model_copy(update={"small": shorter, "run": tuple(runs)})
    monkeypatch.setattr(kinds, "load_study", lambda name: study)
    monkeypatch.setattr(extraction, "QUERIES", 20)
    monkeypatch.chdir(tmp_path)
    words = ["study", name, "--out", "run"]
    codes = [byrote_(*words)[0]]
    twice = opened_twice(lambda: codes.append(byrote_(*words)[0]), tmp_path / "run")
    assert (codes, twice) == ([0, 0], {})


def test_larger_files_are_read_again_rather_than_held(runs, monkeypatch):
    expected = byrote.open_run(runs / "tracked").memorization().score
    monkeypatch.setattr(fit_file, "CACHED_BYTES", 0)
    monkeypatch.setattr(fit_file.FitCache.__init__, "__defaults__", (0,))
    opened = opened_by(lambda: byrote.open_run(runs / "tracked").trajectory(), runs)
    assert opened["tracked/fits/fit-000000.parquet"] > 1
    assert (byrote.open_run(runs / "tracked").memorization().score == expected).all()


def test_results_are_computed_once(runs):
    run = byrote.open_run(runs / "coins")
    for method in (run.memorization, run.trajectory, run.membership, run.epsilon, run.table):
        assert method() is method()
    assert byrote.open_run(run) is run


def test_a_run_says_what_it_is(runs):
    run = byrote.open_run(runs / "tracked")
    assert repr(run) == f"Run({str(runs / 'tracked')!r}: 6 of 6 fits of Steps, kfold)"
    assert (run.missing, run.incomplete, run.has_canaries) == ((), "", False)
    assert run.finished == tuple(range(6))
    assert (run.fact("seconds") >= 0).all()
    assert np.isnan(run.fact("test_loss")).all()
    assert byrote.open_run(runs / "canaries").has_canaries
    assert run.guarantee is None
