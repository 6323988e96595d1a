"""Writing files so that a reader sees the whole of one or nothing, whenever the power goes."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from byrote.errors import ByroteError, CannotWrite

FOLDER_MODE, FILE_MODE = 0o700, 0o600  # records are private, and so is what is known of them
TEMPORARY = ".tmp"
_UNSYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}  # of file systems that sync no folder


def make_folder(path: Path) -> None:
    """Create a folder for its owner alone; missing parents get the usual permissions.

    Raises
    ------
    CannotWrite
        If the system refuses.
    """
    with writing(path):
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes | bytearray | memoryview) -> None:
    """Write a whole file, or leave what was there.

    Raises
    ------
    CannotWrite
        If the system refuses.
    """
    with atomic(path) as file:
        file.write(content)


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to: under a temporary name, then forced to disk, then moved into place.

    What is left under the temporary name when the block fails is removed.

    Raises
    ------
    CannotWrite
        If the system refuses.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with writing(path):
        try:
            with os.fdopen(_create(unfinished), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            with suppress(OSError):  # a start sweeps what cannot be removed now
                unfinished.unlink()
        _sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there.

    Raises
    ------
    CannotWrite
        If the system refuses.
    """
    with writing(path):
        path.unlink(missing_ok=True)


@contextmanager
def writing(what: Path | str) -> Iterator[None]:
    """A block that writes: an error of the system becomes one sentence with the room there is.

    Raises
    ------
    CannotWrite
        In place of an OSError.
    """
    try:
        yield
    except ByroteError:  # said already
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        refused = CannotWrite(f"cannot write {what}: {reason}{_room(error.errno, what)}")
        refused.errno = error.errno
        raise refused from None


def sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished."""
    for path in folder.glob(f".*{TEMPORARY}"):
        with suppress(OSError):
            path.unlink()


def _create(path: Path) -> int:
    # A new file: what an older process left under the name, or a link, is never written into.
    with suppress(FileNotFoundError):
        path.unlink()
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)


def _sync_folder(path: Path) -> None:
    if os.name != "posix":  # other systems cannot open a folder
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSYNCED:
            raise
    finally:
        os.close(descriptor)


def _room(reason: int | None, what: Path | str) -> str:
    """How much room is left where something was to be written, if that is the reason."""
    if reason == errno.EFBIG:
        return " (files of this process are limited in size: ulimit -f)"
    if reason not in (errno.ENOSPC, errno.EDQUOT) or not isinstance(what, Path):
        return ""
    nearest = next(parent for parent in what.absolute().parents if parent.exists())
    free = f"{shutil.disk_usage(nearest).free / 1e6:,.1f} MB"
    return f" ({free} free in {nearest}{', but no room for a file more' if _full(nearest) else ''})"


def _full(folder: Path) -> bool:
    """Whether a file system has no entry left for a further file."""
    if not hasattr(os, "statvfs"):
        return False
    found = os.statvfs(folder)
    return found.f_files > 0 and found.f_favail == 0
