"""One process at a time works on a run folder; who does stands in ``run.lock``.

The lock is the operating system's, which frees it when the process ends, however it ends. Some
network file systems have none: there the file itself is the lock, and one that a killed process
left is recognized by its process, which is gone.
"""

import errno
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import lock_descriptor

from byrote.errors import RunMismatch
from byrote.runs import files
from byrote.runs.interrupts import held_back

_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True)
class Holder:
    """A process, so that another can tell whether it still runs.

    ``machine`` is of one boot and one space of process numbers (containers have their own), and
    ``started`` in the kernel's ticks; both are empty where the system does not say.
    """

    host: str
    process: int
    since: str
    machine: str
    started: str

    @classmethod
    def here(cls) -> "Holder":
        """The process that asks."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        pid = os.getpid()
        return cls(socket.gethostname(), pid, now, _machine(), _started(pid))

    @classmethod
    def read(cls, path: Path) -> "Holder | None":
        """Who holds a lock, or None where its file does not say."""
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
        """What the file says."""
        return json.dumps(asdict(self)).encode()

    def is_gone(self) -> bool:
        """Whether the process has certainly ended; of another machine nobody here can know."""
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
def locked(path: Path) -> Iterator[None]:
    """Hold a lock for the length of a block.

    Raises
    ------
    RunMismatch
        If another process holds it.
    CannotWrite
        If the file cannot be written.
    """
    descriptor, ours = None, False
    try:
        with held_back(), files.writing(path):
            descriptor, ours = _taken(path), True
        yield
    finally:
        if ours:
            with held_back():
                with suppress(OSError):
                    path.unlink()
                if descriptor is not None:
                    os.close(descriptor)


def _taken(path: Path) -> int | None:
    """Take the lock: the descriptor that holds it, or None where the file does."""
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
            with suppress(OSError):  # it only tells others: the lock holds without
                os.ftruncate(descriptor, 0)
                os.write(descriptor, here.content())
            return descriptor
        os.close(descriptor)  # its holder ended, and took the file away, before it was ours


def _mark(path: Path, here: Holder) -> None:
    """Make the file the lock; one that names nobody, or a process that is gone, gives way."""
    before = Holder.read(path)
    if before is not None and not before.is_gone():
        raise _refusal(path, take_over=True)
    mine, theirs = (_beside(path) for _ in range(2))
    try:
        mine.write_bytes(here.content())
        mine.chmod(files.FILE_MODE)
        with suppress(FileNotFoundError):
            path.rename(theirs)
            if Holder.read(theirs) != before:  # another start was quicker
                _link(theirs, path)
        _link(mine, path)
    except FileExistsError:
        pass
    finally:
        for each in (mine, theirs):
            each.unlink(missing_ok=True)
    if Holder.read(path) != here:
        raise _refusal(path, take_over=True)


def _link(own: Path, path: Path) -> None:
    """Give a file its name unless another has it, also where a file can have one name only."""
    try:
        os.link(own, path)
    except FileExistsError:
        raise
    except OSError:
        with path.open("xb") as file:
            file.write(own.read_bytes())


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{files.TEMPORARY}")


def _is_open(path: Path, descriptor: int) -> bool:
    """Whether a path is that of an open file."""
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
    """One boot of one machine, and one space of process numbers in it."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    return ""


def _started(process: int) -> str:
    """When a process started, in ticks since the boot."""
    with suppress(OSError, IndexError):  # the name before it, in brackets, may hold anything
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return ""
