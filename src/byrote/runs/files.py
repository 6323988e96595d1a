"""Reading and writing of a run folder's files.

A file is written as a whole or not at all, whenever the power goes. Content that contradicts itself
is damage (CorruptFile), which is named and written again. An error of the disk or a lack of memory
(CannotRead, CannotWrite) does not concern the content: it stops the run and changes nothing.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import IO, NamedTuple

import pyarrow as pa

from byrote.errors import ByroteError, CannotRead, CannotWrite, CorruptFile, InvalidInput

FOLDER_MODE, FILE_MODE = 0o700, 0o600  # records are private, and so is what is known of them
TEMPORARY = ".tmp"
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}  # of some file systems
_INVALID_PATH = {errno.ENAMETOOLONG, errno.ELOOP}
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
Later = Callable[[Path], None]  # is given a file in place, which it forces to disk later


class FileState(NamedTuple):
    """What changes when a file is replaced or written to."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def file_state(file: IO[bytes]) -> FileState:
    """Return the state of an open file."""
    stat = os.fstat(file.fileno())
    return FileState(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def file_exists(path: Path) -> bool:
    """Whether a regular file exists; symbolic links are rejected."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _read_error(path, error) from None
    if S_ISLNK(mode):
        raise _link_error(path)
    return S_ISREG(mode)


def check_no_links(root: Path, folders: tuple[str, ...]) -> None:
    """Reject symbolic links in a folder and in some of its folders; the folder itself may be one.

    What is written or removed there would be written or removed elsewhere.
    """
    for folder in (root, *(root / name for name in folders)):
        try:
            with os.scandir(folder) as entries:
                links = [entry.path for entry in entries if entry.is_symlink()]
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise _read_error(folder, error) from None
        if links:
            raise _link_error(Path(min(links)))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn system errors into CorruptFile (a missing file) or CannotRead."""
    try:
        yield
    except ByroteError:
        raise
    except _ABSENT:
        raise CorruptFile(f"{path} is missing") from None
    except MemoryError:
        raise _cannot_read(path, "not enough memory") from None
    except OSError as error:
        raise _read_error(path, error) from None


@contextmanager
def parsing(path: Path) -> Iterator[None]:
    """Turn parsing errors into CorruptFile; those of disk and memory are left to ``reading``."""
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


@contextmanager
def writing(target: Path | str) -> Iterator[None]:
    """Turn system errors into CannotWrite, with the free space if lack of it is the cause."""
    try:
        yield
    except ByroteError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        refused = CannotWrite(f"cannot write {target}: {reason}{_space(error.errno, target)}")
        refused.errno = error.errno
        raise refused from None


def make_folder(path: Path) -> None:
    """Create a folder for its owner alone; missing parents get the usual permissions."""
    with writing(path):
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def write_atomically(
    path: Path, content: bytes | bytearray | memoryview, later: Later | None = None
) -> None:
    """Write a whole file, or leave the existing one."""
    with atomic(path, later) as file:
        file.write(content)


@contextmanager
def atomic(path: Path, later: Later | None = None) -> Iterator[IO[bytes]]:
    """Open a file to write: under a temporary name, forced to disk, then moved into place.

    With ``later`` it is only moved into place: no kill of the process can harm it, and a power
    failure until ``later`` has forced it to disk does harm that its digest shows.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with writing(path):
        try:
            with os.fdopen(_create(unfinished), "wb") as file:
                yield file
                if later is None:
                    file.flush()
                    os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):  # a start sweeps what cannot be removed now
                unfinished.unlink()
            raise
        if later is None:
            sync_folder(path.parent)
    if later is not None:
        later(path)


def sync_file(path: Path) -> None:
    """Force a file that is in place to disk."""
    with writing(path):
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Force the names in a folder to disk."""
    if os.name != "posix":  # other systems cannot open a folder
        return
    with writing(path):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_FOLDER_SYNC:
                raise
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file if it exists."""
    with writing(path):
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove unfinished files that killed processes left."""
    for path in folder.glob(f".*{TEMPORARY}"):
        with suppress(OSError):
            path.unlink()


def _create(path: Path) -> int:
    # A new file: what an older process left under the name, or a link, is never written into.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, FILE_MODE)
    except FileExistsError:
        path.unlink()
        return os.open(path, flags, FILE_MODE)


def _space(reason: int | None, target: Path | str) -> str:
    """Describe the space left where a file was to be written, if that is the reason."""
    if reason == errno.EFBIG:
        return " (files of this process are limited in size: ulimit -f)"
    if reason not in (errno.ENOSPC, errno.EDQUOT) or not isinstance(target, Path):
        return ""
    folder = next(parent for parent in target.absolute().parents if parent.exists())
    free = f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB"
    return f" ({free} free in {folder}{', but no room for another file' if _full(folder) else ''})"


def _full(folder: Path) -> bool:
    """Whether the file system has no entry left for another file."""
    if not hasattr(os, "statvfs"):
        return False
    system = os.statvfs(folder)
    return system.f_files > 0 and system.f_favail == 0


def _read_error(path: Path, error: OSError) -> ByroteError:
    if error.errno in _INVALID_PATH:
        return InvalidInput(f"{path}: {error.strerror}")
    return _cannot_read(path, error.strerror)


def _cannot_read(path: Path, why: str | None) -> CannotRead:
    return CannotRead(
        f"cannot read {path}: {why}; nothing was changed, and the same command resumes once it can"
        " be read"
    )


def _damaged(path: Path, error: Exception) -> CorruptFile:
    text = str(error).splitlines()[0] if str(error) else "no message"
    return CorruptFile(f"{path} is damaged and cannot be read ({type(error).__name__}: {text})")


def _link_error(path: Path) -> InvalidInput:
    return InvalidInput(
        f"{path} must not be a symbolic link: what a run folder holds must lie in it, so that"
        " nothing elsewhere is written or removed"
    )
