"""One process at a time works on a run folder, also where the file system has no locks."""

import errno
import fcntl
import json
import multiprocessing
import os
import re
import socket

import pytest

import byrote
from byrote.runs.lock import Holder, locked

REASONS = ["ENOLCK", "ENOSYS", "EOPNOTSUPP"]
FORKS = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork beside threads


@pytest.fixture(params=[None, *REASONS])
def reason(request, monkeypatch):
    """None: a file system with locks; otherwise what one without answers."""
    if request.param is not None:

        def flock(descriptor, how):
            raise OSError(getattr(errno, request.param), "no locks")

        monkeypatch.setattr(fcntl, "flock", flock)
    return request.param


def hold(path, connection):
    with locked(path):
        connection.send("held")
        connection.recv()


@pytest.fixture
def another(tmp_path, reason):
    """Another process that holds the lock until it is told to end."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=hold, args=(tmp_path / "run.lock", there))
    process.start()
    assert here.recv() == "held"
    yield process, here
    process.kill()
    process.join()


@FORKS
def test_it_says_who_holds_it_until_that_one_ends(tmp_path, another, reason):
    path, (another, connection) = tmp_path / "run.lock", another
    with pytest.raises(byrote.RunMismatch) as refused, locked(path):
        pass
    who = rf"process {another.pid} on {re.escape(socket.gethostname())}, since 2\d\d\d-"
    assert re.search(rf"another process is working on {tmp_path}: {who}", str(refused.value))
    assert ("remove" in str(refused.value)) == (reason is not None)
    connection.send("end")
    another.join()
    assert another.exitcode == 0
    assert not path.exists()
    with locked(path):
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


@FORKS
def test_one_that_was_killed_is_recognized(tmp_path, another, reason):
    path, (another, _) = tmp_path / "run.lock", another
    another.kill()
    another.join()
    assert path.exists()
    with locked(path), pytest.raises(byrote.RunMismatch), locked(path):
        pass
    assert list(tmp_path.iterdir()) == []


def left(path, **different):
    """A lock that a process left; by default one of here and now."""
    content = json.loads(Holder.here().content()) | different
    path.write_text(json.dumps(content))


OTHERS = {
    "of another host": {"host": "elsewhere"},
    "of another boot, or of a container with numbers of its own": {"machine": "another"},
}


@pytest.mark.parametrize("reason", REASONS[:1], indirect=True)
@pytest.mark.parametrize("case", OTHERS)
def test_a_process_that_nobody_here_can_know_is_left_to_the_user(case, tmp_path, reason):
    path = tmp_path / "run.lock"
    left(path, process=2**22 + 1, **OTHERS[case])
    with (
        pytest.raises(byrote.RunMismatch, match="if it has ended, remove .*run.lock and start"),
        locked(path),
    ):
        pass
    path.unlink()  # as it says
    with locked(path):
        pass


@pytest.mark.parametrize("reason", REASONS[:1], indirect=True)
def test_a_number_that_another_process_has_by_now(tmp_path, reason):
    path = tmp_path / "run.lock"
    left(path, process=os.getppid(), started="1")
    with locked(path):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"host": 1, "process": "x"}']
)
def test_a_file_that_names_nobody_is_no_lock(content, tmp_path, reason):
    path = tmp_path / "run.lock"
    path.write_bytes(content)
    with locked(path):
        pass


@pytest.mark.parametrize("reason", REASONS[:1], indirect=True)
def test_where_a_file_can_have_one_name_only(tmp_path, reason, monkeypatch):
    def link(*args, **how):
        raise PermissionError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "run.lock"
    with locked(path), pytest.raises(byrote.RunMismatch), locked(path):
        pass


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("untouched")
    (tmp_path / "run.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(byrote.errors.CannotWrite), locked(tmp_path / "run.lock"):
        pass
    assert (tmp_path / "precious").read_text() == "untouched"
