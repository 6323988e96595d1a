"""What is on disk when: power failures are made up, by emptying files that nothing forced there."""

import errno
import os
import shutil

import numpy as np
import pytest

import byrote
from byrote import KFold
from byrote.runs import group_commit
from byrote.runs.group_commit import GroupCommit

from estimators import Keepable, PureNoise

X = np.random.default_rng(0).normal(size=(20, 2))
PLAN = KFold(2, repeats=2)


def start(store, model, **how):
    return byrote.score_memorization(model, X, plan=PLAN, out=store, **how)


class Disk:
    """What was forced to disk, by number of file or folder, and copies of what a failure leaves."""

    def __init__(self, store, monkeypatch):
        self.store, self.forced, self.copies = store, set(), []
        self.replace = os.replace
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "replace", self.failing)

    def fsync(self, descriptor):
        self.forced.add(os.fstat(descriptor).st_ino)

    def failing(self, old, new):
        """Copy the folder as a power failure leaves it now, and move a file into place."""
        self.copies.append(self.store.with_name(f"copy{len(self.copies)}"))
        shutil.copytree(self.store, self.copies[-1])
        for path in self.pending():
            (self.copies[-1] / path.relative_to(self.store)).write_bytes(b"")
        self.replace(old, new)
        self.forced.discard(new.parent.stat().st_ino)

    def pending(self):
        """Files and folders that are not on disk."""
        inside = [path for path in self.store.rglob("*") if path.name != "run.lock"]
        files = [path for path in inside if path.is_file()]
        return [path for path in files if path.stat().st_ino not in self.forced]

    def names_pending(self):
        folders = {path.parent for path in self.store.rglob("*") if path.is_file()}
        return [path for path in folders if path.stat().st_ino not in self.forced]


@pytest.mark.filterwarnings("ignore:.*this fit is done again")
@pytest.mark.parametrize("keep_models", ["none", "all"])
def test_a_power_failure_costs_fits_and_no_number(keep_models, tmp_path, monkeypatch):
    monkeypatch.setattr(group_commit, "SECONDS", 1e9)
    expected = start(None, Keepable()).to_frame()
    with monkeypatch.context() as patch:
        disk = Disk(tmp_path / "run", patch)
        start(tmp_path / "run", Keepable(), keep_models=keep_models)
        assert not disk.pending()
        assert not disk.names_pending()
    emptied = []
    for store in disk.copies:
        emptied += [path for path in store.glob("fits/*.parquet") if not path.stat().st_size]
    assert len(emptied) == (1 + 2 if keep_models == "none" else 0)  # the first is forced at once
    assert start(store, Keepable(), keep_models=keep_models).to_frame().equals(expected)


def test_a_fit_in_place_of_another_is_on_disk_before_the_other_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(group_commit, "SECONDS", 1e9)
    start(tmp_path / "run", PureNoise())
    for fit in (1, 2):
        path = tmp_path / "run" / "fits" / f"fit-{fit:06d}.parquet"
        path.write_bytes(path.read_bytes()[:-9])
    disk, unlink = Disk(tmp_path / "run", monkeypatch), os.unlink

    def removed(path, **how):
        if str(path).endswith(".old"):
            assert not [each for each in disk.pending() if each.name == path.name[:-4]]
        unlink(path, **how)

    monkeypatch.setattr(os, "unlink", removed)
    with pytest.warns(UserWarning, match="done again"):
        start(tmp_path / "run", PureNoise())


def test_files_of_a_second_are_forced_together_and_the_rest_at_the_end(tmp_path, monkeypatch):
    now, forced = [0.0], []
    monkeypatch.setattr(group_commit.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(group_commit.files, "sync_file", lambda path: forced.append(path.name))
    with pytest.raises(KeyboardInterrupt), GroupCommit() as group:
        for name, at, known in ("a", 5.0, 1), ("b", 5.4, 1), ("c", 5.9, 1), ("d", 6.0, 4):
            now[0] = at
            group.add(tmp_path / name)
            assert len(forced) == known
        group.add(tmp_path / "e")
        raise KeyboardInterrupt
    assert sorted(forced) == ["a", "b", "c", "d", "e"]


def test_a_disk_that_refuses_is_named_with_the_file(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "a").write_bytes(b"")
    monkeypatch.setattr(os, "fsync", refuse)
    refused = pytest.raises(byrote.errors.CannotWrite, match="cannot write .*a: Input/output error")
    with refused, GroupCommit() as group:
        group.add(tmp_path / "a")
