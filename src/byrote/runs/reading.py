"""Reading from a run folder: what is there, and what a failure to read it says.

Content that contradicts itself is damage, which is named and made again. An error of the disk or a
lack of memory says nothing of the content: it stops whatever goes on, and nothing is changed.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import IO, NamedTuple

import pyarrow as pa

from byrote.errors import ByroteError, CannotRead, CorruptFile, InvalidInput

_NO_PATH = {errno.ENAMETOOLONG, errno.ELOOP}
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class State(NamedTuple):
    """What tells a file from another, or from itself before it was written again."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def state(file: IO[bytes]) -> State:
    """The state of an open file."""
    found = os.fstat(file.fileno())
    times = found.st_mtime_ns, found.st_ctime_ns
    return State(found.st_dev, found.st_ino, found.st_size, *times)


@contextmanager
def of(path: Path) -> Iterator[None]:
    """Make what is raised while a file is read an error of byrote's: of the file or of the disk.

    Raises
    ------
    CorruptFile
        If there is no such file.
    CannotRead
        If the disk does not give it, or there is no memory for it.
    """
    try:
        yield
    except ByroteError:
        raise
    except _ABSENT:
        raise CorruptFile(f"{path} is missing") from None
    except MemoryError:
        raise _unread(path, "not enough memory") from None
    except OSError as error:
        raise _refused(path, error) from None


@contextmanager
def parsed(path: Path) -> Iterator[None]:
    """Make what is raised while the content of a file is understood the error of a damaged file.

    Errors of the disk, which have a number, and of memory are left to ``of``.
    """
    try:
        yield
    except (ByroteError, MemoryError):
        raise
    except OSError as error:  # Arrow's for content that it cannot read has no number
        if error.errno is not None:
            raise
        raise _damaged(path, error) from None
    except (pa.ArrowException, TypeError, LookupError, ValueError, ArithmeticError) as error:
        raise _damaged(path, error) from None
    except (AttributeError, RecursionError) as error:
        raise _damaged(path, error) from None


def _refused(path: Path, error: OSError) -> ByroteError:
    """What an error of the system says: of a path that cannot be, or of the disk."""
    if error.errno in _NO_PATH:
        return InvalidInput(f"{path}: {error.strerror}")
    return _unread(path, error.strerror)


def _unread(path: Path, why: str | None) -> CannotRead:
    return CannotRead(
        f"cannot read {path}: {why}; nothing was changed, and the same command goes on once it can"
        " be read"
    )


def _damaged(path: Path, error: Exception) -> CorruptFile:
    said = str(error).splitlines()[0] if str(error) else "no message"
    return CorruptFile(f"{path} is damaged and cannot be read ({type(error).__name__}: {said})")


def is_there(path: Path) -> bool:
    """Whether there is a file.

    Raises
    ------
    InvalidInput
        If it is a symbolic link.
    CannotRead
        If the disk does not say.
    """
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _refused(path, error) from None
    if S_ISLNK(mode):
        raise _link(path)
    return S_ISREG(mode)


def check_no_links(root: Path, folders: tuple[str, ...]) -> None:
    """Refuse symbolic links in a folder and in some folders within it.

    What is written or removed there would be written or removed elsewhere.

    Raises
    ------
    InvalidInput
        If there is one; the folder itself may be.
    CannotRead
        If the disk does not say.
    """
    for folder in (root, *(root / name for name in folders)):
        try:
            with os.scandir(folder) as entries:
                links = [entry.path for entry in entries if entry.is_symlink()]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise _refused(folder, error) from None
        if links:
            raise _link(Path(min(links)))


def _link(path: Path) -> InvalidInput:
    return InvalidInput(
        f"{path} must be no symbolic link: what a run folder holds must lie in it, so that nothing"
        " elsewhere is written or removed"
    )
