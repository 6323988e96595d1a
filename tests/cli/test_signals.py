"""However the command is told to end, and wherever its output goes: an exit code and a sentence."""

import contextlib
import errno
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import byrote

from estimators import KnownVariance
from forks import ENDING, ended, forked, has_ended

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of fork in a process with threads
]


@pytest.fixture
def under_way(tmp_path):
    """A run of slow fits, begun so far that its folder is there."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(200, 2)))
    words = ["score", "x.npy", "--model", "estimators:Slow", "--set", "seconds=30"]
    words += ["--folds", "2", "--repeats", "1", "--out", "run"]
    started = []

    def start(**how):
        started.append(forked(*words, folder=tmp_path, **how))
        until = time.monotonic() + 180  # on a busy machine
        while not (tmp_path / "run" / "run.lock").exists():
            assert time.monotonic() < until
            assert not has_ended(started[-1])
            time.sleep(0.02)
        return started[-1]

    yield start
    for child in started:
        with contextlib.suppress(ChildProcessError):  # it was waited for, its number is free
            has_ended(child)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def test_every_signal_that_asks_to_end_is_heard_as_ctrl_c(under_way, tmp_path):
    for number in ENDING:
        child = under_way()
        os.kill(child, number)
        assert ended(child, tmp_path) == (130, "byrote: interrupted; no fit was finished\n"), number
        assert (tmp_path / "stdout").read_text() == ""
        assert not list((tmp_path / "run").rglob(".*"))
        assert not (tmp_path / "run" / "run.lock").exists()


def test_what_nohup_says_to_ignore_is_ignored(under_way):
    child = under_way(ignoring=[signal.SIGHUP])
    os.kill(child, signal.SIGHUP)
    time.sleep(0.5)
    assert not has_ended(child)


@pytest.fixture
def run(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 2))
    plan = byrote.KFold(2, repeats=2)
    byrote.score_memorization(KnownVariance(), x, plan=plan, out=tmp_path / "run")
    return tmp_path / "run"


NO_SPACE = "byrote: standard output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs an always full device")
@pytest.mark.parametrize("options", [[], ["--csv"], ["--json"]])
def test_standard_output_that_is_full(options, run, tmp_path):
    child = forked("show", run, *options, folder=tmp_path, stdout="/dev/full")
    assert ended(child, tmp_path) == (4, NO_SPACE)


def test_files_beside_the_run_that_cannot_be_written(byrote_, run, monkeypatch):
    def refuse(*args, **how):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for words in (
        ["check", run, "--max-q999", "100", "--junit", "gate.xml"],
        ["prune", run, "--top", "5%", "--out", "kept.csv"],
        ["figures", run],
    ):
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", refuse)
            code, _, err = byrote_(*words)
        assert code == 4, words
        *notes, last = err.splitlines()
        assert last.startswith("byrote: cannot write ")
        assert all(note.startswith("byrote: no figure") for note in notes)
        assert "No space left on device" in err


def test_a_path_that_no_file_can_have(byrote_):
    code, _, err = byrote_("score", "digits", "--out", "a" * 300)
    assert code == 2
    assert "File name too long" in err
    assert err.count("\n") == 1
