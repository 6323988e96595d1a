"""The lock of a run folder, on which one process works at a time; ``run.lock`` names it.

The lock is the operating system's, which releases it when the process ends, however it ends. Some
network file systems have no locks: there the file itself is the lock, and one that a killed process
left is recognized by its process, which has ended.
"""

import errno
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import lock_descriptor

from byrote.errors import RunMismatch
from byrote.runs import files
from byrote.runs.interrupts import deferred_signals

_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}
_WAIT = 0.1  # seconds between two tries
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock, described so that others can tell whether it still runs.

    ``machine`` identifies a boot and a space of process numbers (containers have their own);
    ``started`` is in ticks of the kernel. Both are empty on systems that do not report them.
    """

    host: str
    process: int
    since: str
    machine: str
    started: str

    @classmethod
    def here(cls) -> "Holder":
        """Describe this process."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        pid = os.getpid()
        return cls(socket.gethostname(), pid, now, _machine(), _started(pid))

    @classmethod
    def read(cls, path: Path) -> "Holder | None":
        """Read the holder from a lock file; None if it does not name one."""
        try:
            content = json.loads(path.read_bytes())
            return cls(
                str(content["host"]),
                int(content["process"]),
                str(content["since"]),
                str(content["machine"]),
                str(content["started"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def content(self) -> bytes:
        """Return the content of the lock file."""
        return json.dumps(asdict(self)).encode()

    def has_ended(self) -> bool:
        """Whether the process has certainly ended; unknown, and so false, on another machine."""
        if self.host != socket.gethostname() or self.machine != _machine():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return self.started != _started(self.process)  # its number may be another's by now

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"


@contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold a lock for the length of a block; RunMismatch if another process holds it.

    ``patience``: seconds to wait for the other process.
    """
    descriptor, ours = None, False
    try:
        until = time.monotonic() + patience
        while not ours:
            try:
                with deferred_signals(), files.writing(path):
                    descriptor, ours = _taken(path), True
            except RunMismatch:
                if time.monotonic() >= until:
                    raise
                time.sleep(_WAIT)
        yield
    finally:
        if ours:
            with deferred_signals():
                with suppress(OSError):
                    path.unlink()
                if descriptor is not None:
                    os.close(descriptor)


def _taken(path: Path) -> int | None:
    """Take the lock; return the descriptor that holds it, or None where the file itself does."""
    here = Holder.here()
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NOFOLLOW, files.FILE_MODE)
        try:
            ours = lock_descriptor(descriptor, blocking=False)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _NO_LOCKS:
                raise
            _mark(path, here)
            return None
        if not ours:
            os.close(descriptor)
            raise _refusal(path)
        if _is_open(path, descriptor):
            with suppress(OSError):  # only informs others; the lock holds without it
                os.ftruncate(descriptor, 0)
                os.write(descriptor, here.content())
            return descriptor
        os.close(descriptor)  # its holder removed the file before we had the lock


def _mark(path: Path, here: Holder) -> None:
    """Make the file the lock, unless it names a process that may still run."""
    before = Holder.read(path)
    if before is not None and not before.has_ended():
        raise _refusal(path, take_over=True)
    mine, theirs = (_beside(path) for _ in range(2))
    try:
        mine.write_bytes(here.content())
        mine.chmod(files.FILE_MODE)
        with suppress(FileNotFoundError):
            path.rename(theirs)
            if Holder.read(theirs) != before:  # another start was faster
                _link(theirs, path)
        _link(mine, path)
    except FileExistsError:
        pass
    finally:
        for each in (mine, theirs):
            each.unlink(missing_ok=True)
    if Holder.read(path) != here:
        raise _refusal(path, take_over=True)


def _link(source: Path, path: Path) -> None:
    """Link a file to a name that must be free; copy it on file systems without links."""
    try:
        os.link(source, path)
    except FileExistsError:
        raise
    except OSError:
        with path.open("xb") as file:
            file.write(source.read_bytes())


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{files.TEMPORARY}")


def _is_open(path: Path, descriptor: int) -> bool:
    """Whether a path names an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _refusal(path: Path, *, take_over: bool = False) -> RunMismatch:
    holder = Holder.read(path)
    text = f"another process is working on {path.parent}" + (f": {holder}" if holder else "")
    if take_over:
        text += f"; if it has ended, remove {path} and start again"
    return RunMismatch(text)


def _machine() -> str:
    """Identify the boot of this machine and the space of process numbers."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    return ""


def _started(process: int) -> str:
    """Return when a process started, in ticks since the boot."""
    with suppress(OSError, IndexError):  # the name before it, in brackets, may hold anything
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return ""
