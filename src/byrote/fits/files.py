"""Writing files so that a reader sees the whole of one or nothing, whenever the power goes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

FOLDER_MODE, FILE_MODE = 0o700, 0o600  # records are private, and so is what is known of them
TEMPORARY = ".tmp"


def make_folder(path: Path) -> None:
    """Create a folder for its owner alone; missing parents get the usual permissions."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes | bytearray | memoryview) -> None:
    """Write a whole file, or leave what was there."""
    with atomic(path) as file:
        file.write(content)


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to: under a temporary name, then forced to disk, then moved into place.

    What is left under the temporary name when the block fails is removed.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with os.fdopen(_create(unfinished), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
    _sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove what killed processes left unfinished."""
    for path in folder.glob(f".*{TEMPORARY}"):
        with suppress(FileNotFoundError):
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
    finally:
        os.close(descriptor)
