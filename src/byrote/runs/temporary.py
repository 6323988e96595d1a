"""Temporary folders, which the next start removes where a process was killed.

A process holds a lock of the operating system on each of its folders, which ends with the process.
A folder that can be locked therefore belonged to a killed process, whatever machine or container it
ran in; its number is in the name.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor

from byrote.runs.files import writing
from byrote.runs.interrupts import deferred_signals

_PREFIX = "byrote-tmp-"
_NAME = re.compile(_PREFIX + r"(\d+)-\w+")
_SEMAPHORES = Path("/dev/shm")  # noqa: S108 (where Linux keeps them by name)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder for the length of a block."""
    path, descriptor = None, None
    try:
        with deferred_signals():
            path, descriptor = _create()
        yield path
    finally:
        with deferred_signals():
            if path is not None:
                shutil.rmtree(path, ignore_errors=True)
            if descriptor is not None:
                os.close(descriptor)


def sweep() -> None:
    """Remove folders and semaphores of this user's killed processes."""
    if os.name != "posix":  # folders cannot be locked
        return
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        name = _NAME.fullmatch(path.name)
        if name is not None:
            with suppress(OSError):  # another process was quicker, or it is not ours
                _sweep_one(path, int(name[1]))


def _create() -> tuple[Path, int | None]:
    while True:
        with writing(f"a temporary folder in {tempfile.gettempdir()}"):
            path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
            if os.name != "posix":
                return path, None
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY)
            with suppress(OSError):  # of file systems without locks, where nothing is swept
                lock_descriptor(descriptor, blocking=False)
            if path.is_dir():
                return path, descriptor
            os.close(descriptor)  # swept by another start before it was locked


def _sweep_one(path: Path, process: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        is_ours = os.fstat(descriptor).st_uid == os.getuid()
        if is_ours and lock_descriptor(descriptor, blocking=False):
            _unlink_semaphores(process)
            shutil.rmtree(path)
    finally:
        os.close(descriptor)


def _unlink_semaphores(process: int) -> None:
    """Remove the semaphores of worker processes that were killed with their main process."""
    with suppress(PermissionError):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            for path in _SEMAPHORES.glob(f"sem.loky-{process}-*"):
                if path.lstat().st_uid == os.getuid():
                    path.unlink(missing_ok=True)
