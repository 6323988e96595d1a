"""However the command is told to end, and wherever its output goes: an exit code and a sentence."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import byrote

from estimators import KnownVariance

TESTS = str(Path(__file__).parents[1])
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU]


def command(*words, **how):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([TESTS, *sys.path])}
    words = [sys.executable, "-m", "byrote", *map(str, words)]
    return subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True, **how)


@pytest.fixture
def under_way(tmp_path):
    """A run of slow fits, begun so far that its folder is there."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(200, 2)))
    started = []

    def start(**how):
        words = ["score", tmp_path / "x.npy", "--model", "estimators:Slow", "--set", "seconds=30"]
        words += ["--folds", "2", "--repeats", "1", "--out", tmp_path / "run"]
        process = command(*words, stdout=subprocess.PIPE, cwd=tmp_path, **how)
        started.append(process)
        until = time.monotonic() + 180  # imports take long on a busy machine
        while not (tmp_path / "run" / "run.lock").exists():
            assert time.monotonic() < until
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def heeding():
    for number in ENDING:  # whatever a shell told tests in the background to ignore
        signal.signal(number, signal.SIG_DFL)


def test_every_signal_that_asks_to_end_is_heard_as_ctrl_c(under_way, tmp_path):
    for number in ENDING:
        process = under_way(preexec_fn=heeding)
        process.send_signal(number)
        out, err = process.communicate(timeout=180)
        assert process.returncode == 130, number
        assert out == ""
        assert err == "byrote: interrupted; no fit was finished\n"
        assert not list((tmp_path / "run").rglob(".*"))
        assert not (tmp_path / "run" / "run.lock").exists()


def test_what_nohup_says_to_ignore_is_ignored(under_way):
    def ignoring():
        heeding()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = under_way(preexec_fn=ignoring)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None


@pytest.fixture
def run(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 2))
    plan = byrote.KFold(2, repeats=2)
    byrote.score_memorization(KnownVariance(), x, plan=plan, out=tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("options", [[], ["--csv"], ["--json"]])
def test_standard_output_that_is_full(options, run):
    with Path("/dev/full").open("w") as full:
        process = command("show", run, *options, stdout=full)
        _, err = process.communicate(timeout=180)
    assert err == "byrote: standard output: No space left on device\n"
    assert process.returncode == 4


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
        assert err.startswith("byrote: cannot write ")
        assert "No space left on device" in err
        assert err.count("\n") == 1


def test_a_path_that_no_file_can_have(byrote_):
    code, _, err = byrote_("score", "digits", "--out", "a" * 300)
    assert code == 2
    assert "File name too long" in err
    assert err.count("\n") == 1
