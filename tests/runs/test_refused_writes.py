"""Where the system refuses to write, each door says in one sentence what, and what is kept."""

import errno
import os
import resource
import shutil
import tempfile

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

import byrote
from byrote import KFold
from byrote.runs import files

from estimators import Keepable

X = np.random.default_rng(0).normal(size=(20, 2))
PLAN = KFold(2, repeats=2)
CALLS = ("open", "fsync", "replace", "mkdir", "unlink")
ROOM_IS_NO_MATTER = ("unlink",)


def start(store, **how):
    return byrote.score_memorization(Keepable(), X, plan=PLAN, out=store, **how)


def refusing_at(count, reason, monkeypatch):
    """Let the count-th call by which files change fail, and all that follow; a list of them."""
    calls = []

    def before(name, original):
        def patched(*args, **kwargs):
            reading = name == "open" and not (args[1] & (os.O_WRONLY | os.O_RDWR))
            if not reading:
                calls.append(name)
            if not reading and len(calls) >= count:
                raise OSError(reason, os.strerror(reason))
            return original(*args, **kwargs)

        return patched

    for name in CALLS if reason == errno.EIO else set(CALLS).difference(ROOM_IS_NO_MATTER):
        monkeypatch.setattr(os, name, before(name, getattr(os, name)))
    return calls


def refusal(store):
    try:
        start(store, keep_models="release")
    except byrote.errors.CannotWrite as error:
        return error
    return None


@pytest.mark.parametrize("reason", ["ENOSPC", "EDQUOT", "EFBIG", "EIO"])
def test_refused_at_any_call_it_says_so_and_goes_on_later(reason, tmp_path, monkeypatch):
    expected = start(tmp_path / "whole", keep_models="release").to_frame()
    number = getattr(errno, reason)
    refused, count = 0, 0
    while True:
        count += 3 if reason == "ENOSPC" else 11
        store = tmp_path / f"run{count}"
        with monkeypatch.context() as patch:
            calls = refusing_at(count, number, patch)
            error = refusal(store)
        if len(calls) < count:
            break
        if error is not None:  # of the last steps some may fail: they only tidy up
            refused += 1
            assert error.errno == number
            assert str(error).startswith("cannot write ")
            assert os.strerror(number) in str(error)
            done = list(store.glob("fits/fit-*.parquet"))
            kept = "the same command resumes" if done else "no fit was finished"
            assert kept in str(error)
        assert start(store, keep_models="release").to_frame().equals(expected)
        assert not list(store.rglob(".*"))
    assert refused > (8 if reason == "ENOSPC" else 2)


def test_a_full_disk_says_how_much_room_is_left(tmp_path, monkeypatch):
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 250_000, 250_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    refusing_at(1, errno.ENOSPC, monkeypatch)
    with pytest.raises(
        byrote.errors.CannotWrite, match=r"No space left on device \(0.2 MB free in "
    ):
        files.write_atomically(tmp_path / "x", b"abc")


def in_a_child(action):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = action()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process with threads
def test_a_limit_on_the_size_of_files_leaves_a_run_that_resumes(tmp_path):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        try:
            byrote.score_memorization(
                GaussianMixture(2), np.tile(X, (20, 30)), plan=PLAN, out=tmp_path / "run"
            )
        except byrote.errors.CannotWrite as error:
            return 7 if "File too large" in str(error) and "ulimit -f" in str(error) else 8
        return 0

    assert in_a_child(limited) == 7
    assert not list((tmp_path / "run").rglob("*.tmp"))


def test_an_old_result_stays_where_a_new_one_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "scores.parquet"
    result = start(None)
    result.save(path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        refusing_at(2, errno.ENOSPC, patch)  # the file is opened, and cannot be filled
        with pytest.raises(
            byrote.errors.CannotWrite, match="cannot write .*scores.parquet: No space"
        ):
            result.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("which", ["fits", "failures"])
def test_empty_folders_that_an_archive_dropped_are_made_again(which, tmp_path):
    expected = start(tmp_path / "run").to_frame()
    shutil.rmtree(tmp_path / "run" / "fits")
    (tmp_path / "run" / "failures").rmdir()
    if which == "failures":
        (tmp_path / "run" / "fits").mkdir()
    with pytest.raises(byrote.IncompleteRun, match="4 of 4 fits are missing"):
        byrote.open_run(tmp_path / "run").memorization()
    assert start(tmp_path / "run").to_frame().equals(expected)


def test_no_memory_leaves_a_run_that_resumes(tmp_path, monkeypatch):
    from byrote.runs.run_folder import RunFolder

    with monkeypatch.context() as patch:

        def keep(self, outcome, later):
            raise MemoryError

        patch.setattr(RunFolder, "keep", keep)
        with pytest.raises(byrote.IncompleteRun, match="out of memory; no fit was finished"):
            start(tmp_path / "run")
    assert start(tmp_path / "run").summary().scored == 20


def test_a_folder_that_refuses_is_unusable(tmp_path, monkeypatch):
    refusing_at(1, errno.EROFS, monkeypatch)
    with pytest.raises(byrote.InvalidInput, match="cannot write .*run: Read-only file system"):
        start(tmp_path / "run")


def test_no_room_for_temporary_folders(tmp_path, monkeypatch):
    def mkdtemp(**how):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    with pytest.raises(byrote.errors.CannotWrite, match="cannot write a temporary folder in "):
        start(None)


def test_no_room_for_worker_processes(tmp_path, monkeypatch):
    import loky

    def refuse(*args, **how):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(loky.ProcessPoolExecutor, "submit", refuse)
    with pytest.raises(byrote.IncompleteRun, match="cannot start worker processes: Resource"):
        start(tmp_path / "run", workers=2)
    monkeypatch.undo()
    assert start(tmp_path / "run").summary().scored == 20
