"""What "auto" stands for is settled when a run begins, and never again."""

import json

import numpy as np
import pytest

import byrote
from byrote import KFold
from byrote.models import VAE
from byrote.report.memorization import render
from byrote.runs.job import Job, Task
from byrote.runs.kinds.arrays import ArrayContent
from byrote.runs.sharing import InMemory
from byrote.runs.worker import run_job

from estimators import KnownVariance, Settles

X = np.random.default_rng(0).normal(size=(120, 2))


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(Settles, "used", [])
    return lambda name: monkeypatch.setattr(Settles, "machine", name)


def score(store, repeats=1, model=None):
    return byrote.score_memorization(
        model or Settles(), X, plan=KFold(3, repeats=repeats), out=store
    )


def test_settled_once_and_kept(tmp_path, machine):
    result = score(tmp_path / "run")
    described = manifest(tmp_path / "run")
    assert described["settled"] == {"precision": "bfloat16", "compile": True}
    assert described["model"]["parameters"]["precision"] == "auto"
    assert "compiled, precision bfloat16" in printed(result)
    assert Settles.used == [("bfloat16", True)] * 3
    machine("float32")  # resumed elsewhere: the fits are asked for what was settled, and refuse
    with pytest.raises(byrote.IncompleteRun, match="3 failed.*RuntimeError"):
        score(tmp_path / "run", repeats=2)
    assert Settles.used == [("bfloat16", True)] * 6
    machine("bfloat16")
    assert len(score(tmp_path / "run", repeats=2).missing) == 0
    assert (
        json.loads((tmp_path / "run" / "run.json").read_text())["settled"] == described["settled"]
    )


def test_parameters_are_compared_as_asked(tmp_path, machine):
    score(tmp_path / "run")
    asked = Settles(precision="bfloat16", compile=True)
    with pytest.raises(byrote.RunMismatch, match="model compile 'auto' there, True here"):
        score(tmp_path / "run", model=asked)


class Unsettled(KnownVariance):
    def __init__(self, how="raise", size=None):
        self.how = how
        self.size = size

    def settled(self, shape, fits):
        if self.how == "raise":
            raise OSError("no compiler")
        return Unsettled(self.how, size=np.arange(3))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "settled\\(\\) of Unsettled must work on this machine; it raised OSError"),
        ("array", "give size as"),
    ],
)
def test_a_model_that_cannot_be_settled_is_refused(tmp_path, how, message):
    with pytest.raises(byrote.InvalidInput, match=message):
        score(tmp_path / "run", model=Unsettled(how))
    assert not (tmp_path / "run").exists()


def test_a_worker_without_the_compiler_of_the_run_says_so(monkeypatch):
    monkeypatch.setattr("byrote.models.arithmetic.can_compile", lambda device: False)
    task = Task(VAE(compile=True), InMemory(np.zeros((20, 4))), ArrayContent)
    failure = run_job(task, Job(0, 20, np.arange(2, dtype=np.uint32), None, 0, 0, 0)).failure
    assert failure.type == "NoCompiler"
    assert "compile=True needs a C++ compiler" in str(failure)


def manifest(run):
    return json.loads((run / "run.json").read_text())


def printed(result):
    from rich.console import Console

    console = Console(width=120)
    with console.capture() as captured:
        console.print(render(result))
    return captured.get()
