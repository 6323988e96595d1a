"""What killed processes left is swept, and nothing else."""

import contextlib
import multiprocessing
import os
import re
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

import byrote
from byrote import KFold
from byrote.runs import temporary
from byrote.runs.interrupts import deferred_signals
from byrote.runs.sharing import share_without_name
from kills import in_a_child

from estimators import KnownVariance, Slow
from forks import has_ended

X = np.random.default_rng(0).normal(size=(70, 2))
FORKS = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork beside threads


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def stay(connection):
    with temporary.temporary_folder() as folder:
        (folder / "file").touch()
        connection.send(folder)
        connection.recv()


@pytest.fixture
def another(here):
    """Another process with a temporary folder, and the folder."""
    receiving, sending = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=stay, args=(sending,))
    process.start()
    folder = receiving.recv()
    assert folder.parent == here
    yield process, folder
    process.kill()
    process.join()


@FORKS
def test_a_living_process_keeps_its_folder_and_a_killed_one_does_not(another):
    process, folder = another
    temporary.sweep()
    assert (folder / "file").exists()
    process.kill()
    process.join()
    temporary.sweep()
    assert not folder.exists()


@FORKS
def test_every_start_sweeps(another, here):
    process, _ = another
    process.kill()
    process.join()
    byrote.score_memorization(KnownVariance(), X, plan=KFold(2, repeats=1))
    assert list(here.iterdir()) == []


def test_what_is_not_such_a_folder_is_left(here):
    for name in ("byrote-demo", "byrote-tmp", "byrote-tmp-notes", "byrote-tmp-12-"):
        (here / name).mkdir()
    (here / "byrote-tmp-1-abcdefgh").touch()
    (here / "elsewhere").mkdir()
    (here / "byrote-tmp-2-abcdefgh").symlink_to(here / "elsewhere")
    before = sorted(here.iterdir())
    temporary.sweep()
    assert sorted(here.iterdir()) == before


def test_the_folder_of_another_user_is_left(here, monkeypatch):
    theirs = here / "byrote-tmp-1-abcdefgh"
    theirs.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: 12345)
        temporary.sweep()
    assert theirs.exists()
    temporary.sweep()
    assert not theirs.exists()


@FORKS
def test_semaphores_of_killed_workers_go_with_the_folder(here, tmp_path_factory, monkeypatch):
    shared = tmp_path_factory.mktemp("shm")
    monkeypatch.setattr(temporary, "_SEMAPHORES", shared)
    ended = in_a_child(lambda: None)
    os.waitpid(ended, 0)
    for process in (ended, os.getpid()):
        (here / f"byrote-tmp-{process}-abcdefgh").mkdir()
        (shared / f"sem.loky-{process}-x").touch()
    (shared / f"sem.other-{ended}-x").touch()
    temporary.sweep()
    left = {path.name for path in shared.iterdir()}
    assert left == {f"sem.loky-{os.getpid()}-x", f"sem.other-{ended}-x"}


@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("kind", ["float64", "float32", "uint8"])
def test_records_without_a_name_are_the_records(kind, order, tmp_path):
    x = np.random.default_rng(1).integers(0, 200, size=(30, 4, 5)).astype(kind)
    x = {"C": x, "F": np.asfortranarray(x), "strided": x[::2]}[order]
    handle, file = share_without_name(x, tmp_path)
    found = handle.get()
    assert list(tmp_path.iterdir()) == []
    assert np.array_equal(found, x)
    assert found.dtype == x.dtype
    assert found.flags["F_CONTIGUOUS"] == x.flags["F_CONTIGUOUS"]
    assert not found.flags.writeable
    file.close()


def processes():
    """Number, state, parent and group of all processes."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, group, *_ = path.read_text().rpartition(")")[2].split()
            yield int(path.parent.name), state, int(parent), int(group)


def children_of(process):
    return [child for child, _, parent, _ in processes() if parent == process]


def alive_in(group):
    """The processes of a group that are neither dead nor zombies."""
    return [process for process, state, _, of in processes() if of == group and state not in "ZX"]


def maps_records(process, folder):
    """Whether it has mapped a file without a name below the folder."""
    try:
        maps = Path(f"/proc/{process}/maps").read_text()
    except OSError:
        return False
    return re.search(rf"{re.escape(str(folder))}\S*/#\d+ \(deleted\)", maps) is not None


def contents(folder):
    """The bytes of all files below a folder, but of those that went while it was read."""
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield Path(place, name).read_bytes()


@pytest.mark.usefixtures("forked_workers")
@FORKS
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_records_and_workers_go_with_a_killed_process(here):
    """While workers train, no file holds the records; a SIGKILL leaves no worker."""
    how = {"plan": KFold(2, repeats=3), "out": here / "run", "executor": "processes", "workers": 1}
    process = in_a_child(lambda: byrote.score_memorization(Slow(60), X, **how))
    try:
        until = time.monotonic() + 180  # on a busy machine
        while not any(maps_records(worker, here) for worker in children_of(process)):
            assert time.monotonic() < until
            assert not has_ended(process)
            time.sleep(0.05)
        secret = X[1].tobytes()
        files = list(contents(here))
        assert files
        assert not [content for content in files if secret in content]
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    while alive_in(process):
        assert time.monotonic() < until + 60, "a worker outlived its run"
        time.sleep(0.05)
    assert not (here / "run" / "work").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_deferred_and_not_lost(number):
    heard = []
    before = signal.signal(number, lambda *_: heard.append(number))
    try:
        with deferred_signals():
            signal.raise_signal(number)
            assert heard == []
        assert heard == [number]
    finally:
        signal.signal(number, before)
