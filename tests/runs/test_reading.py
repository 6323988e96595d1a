"""What cannot be read is not damaged: an error of the disk or of memory stops, and changes nothing.

What is damaged is set aside until its successor is there; what lies elsewhere is left alone.
"""

import builtins
import errno
import io
import os

import numpy as np
import pytest

import byrote
from byrote import KFold
from byrote.errors import CannotRead
from byrote.runs import sealed
from byrote.runs.paths import RunPaths
from byrote.runs.weight_files import KeptModels

from estimators import Keepable

X = np.random.default_rng(0).normal(size=(20, 2))
ERRORS = [OSError(code, os.strerror(code)) for code in (errno.EIO, errno.ESTALE, errno.EACCES)]
ERRORS += [OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), MemoryError()]


def load(store, **options):
    return byrote.open_run(store).memorization(**options)


def start(store, keep_models="all", plan=None):
    plan = plan or KFold(2, repeats=1)
    return byrote.score_memorization(Keepable(), X, plan=plan, out=store, keep_models=keep_models)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_does_not_read_again_the_fits_that_it_has_just_written(tmp_path, monkeypatch):
    opened = []

    def recorded(path, *arguments, **options):
        opened.append(path.name)
        return opened_parquet(path, *arguments, **options)

    opened_parquet = sealed.opened_parquet
    monkeypatch.setattr(sealed, "opened_parquet", recorded)
    result = start(tmp_path / "run")
    assert not [name for name in opened if name.startswith("fit-")]
    assert load(tmp_path / "run").to_frame().equals(result.to_frame())
    assert [name for name in opened if name.startswith("fit-")] == [
        "fit-000000.parquet",
        "fit-000001.parquet",
    ]


class Failing:
    """A file whose reads count."""

    def __init__(self, file, before):
        self._file, self._before = file, before

    def read(self, *arguments):
        self._before()
        return self._file.read(*arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


def failing_at(patch, count, error, folder):
    """Make the count-th call that reads or looks at a file there raise; returns the rest."""
    left = [count]

    def before():
        left[0] -= 1
        if left[0] == 0:
            raise type(error)(*error.args)

    def watched(original, *, opens):
        def patched(path, *arguments, **named):
            if not str(path).startswith(str(folder)) or str(path).endswith((".tmp", ".lock")):
                return original(path, *arguments, **named)
            if opens or not isinstance(error, MemoryError):
                before()
            found = original(path, *arguments, **named)
            return Failing(found, before) if opens and arguments[:1] == ("rb",) else found

        return patched

    for module, name in ((builtins, "open"), (io, "open")):
        patch.setattr(module, name, watched(getattr(module, name), opens=True))
    for name in ("stat", "lstat", "scandir", "listdir"):
        patch.setattr(os, name, watched(getattr(os, name), opens=False))
    return left


def sentence(action, run):
    """What is said of an error that is not of a damaged file; nothing without one."""
    try:
        action(run)
    except byrote.CorruptFile:
        raise
    except byrote.ByroteError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("action", [start, load], ids=["start", "load"])
def test_an_error_at_any_call_that_reads_stops_and_changes_nothing(tmp_path, error, action):
    run = tmp_path / "run"
    expected = start(run).to_frame()
    before, count, sentences = contents(run), 0, set()
    step = 1 if error in (ERRORS[0], ERRORS[-1]) else 4  # others are raised where these are
    while True:
        count += step
        with pytest.MonkeyPatch.context() as patch:
            left = failing_at(patch, count, error, run)
            said = sentence(action, run)
        assert contents(run) == before
        if left[0] > 0:
            break
        assert not said or all(str(word) in said for word in (run, *error.args[1:]))
        sentences.add(said)
    assert len(sentences) > (4 if step == 1 else 1)  # a file each
    assert start(run).to_frame().equals(expected)
    assert contents(run) == before


def test_a_file_that_may_not_be_read_is_named_with_the_reason(tmp_path, monkeypatch):
    start(tmp_path / "run")
    path = RunPaths(tmp_path / "run").fit(1)

    opened = type(path).open

    def refused(self, *arguments):
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, *arguments)

    monkeypatch.setattr(type(path), "open", refused)
    with pytest.raises(CannotRead, match=r"fit-000001\.parquet: Permission denied; nothing was"):
        byrote.open_run(tmp_path / "run").memorization()


# -- set aside ------------------------------------------------------------------------------------


def test_a_finished_fit_stays_until_its_successor_is_there(tmp_path, monkeypatch):
    expected = start(tmp_path / "run", "none").to_frame()
    paths = RunPaths(tmp_path / "run")
    whole = paths.fit(0).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(KeptModels, "keep", full)
        start(tmp_path / "run", "all")
    assert paths.superseded(0).read_bytes() == whole
    assert paths.fit(1).exists()
    assert start(tmp_path / "run", "all").to_frame().equals(expected)
    assert not list(paths.fits.glob("*.old"))


def test_what_was_set_aside_by_a_start_that_was_killed_goes_with_the_next(tmp_path):
    start(tmp_path / "run")
    paths = RunPaths(tmp_path / "run")
    paths.superseded(0).write_bytes(b"what was damaged")
    paths.fit(1).rename(paths.superseded(1))
    start(tmp_path / "run")
    assert sorted(path.name for path in paths.fits.iterdir()) == [
        "fit-000000.parquet",
        "fit-000001.parquet",
    ]


# -- links ----------------------------------------------------------------------------------------


LINKED = ["fits", "failures", "models", "work", "figures", "run.json", "run.lock", "plan.parquet"]
LINKED += ["records.parquet", "fits/fit-000001.parquet", "models/release.safetensors"]


@pytest.mark.parametrize("name", LINKED)
def test_links_within_a_run_folder_are_refused_and_not_followed(tmp_path, name):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    start(run)
    (run / "figures").mkdir()
    (run / "run.lock").touch()
    (run / "work").mkdir()
    (run / "work" / ".of-others.tmp").write_text("kept")
    (run / name).rename(elsewhere)
    (run / name).symlink_to(elsewhere)
    before = contents(tmp_path)
    for action in (start, load, lambda run: start(run, plan=KFold(2, repeats=2))):
        with pytest.raises(byrote.InvalidInput, match=f"{name} must not be a symbolic link"):
            action(run)
    assert contents(tmp_path) == before


def test_a_temporary_file_is_new_whatever_lies_there(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("of others")
    unfinished = tmp_path / f".result.parquet.{os.getpid()}.tmp"
    unfinished.symlink_to(kept)
    start(None, "none").save(tmp_path / "result.parquet")
    assert kept.read_text() == "of others"
    assert not unfinished.exists()
    assert len(byrote.MemorizationResult.load(tmp_path / "result.parquet")) == 20


def test_the_run_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    found = start(tmp_path / "run")
    assert byrote.open_run(tmp_path / "disk").memorization().to_frame().equals(found.to_frame())
