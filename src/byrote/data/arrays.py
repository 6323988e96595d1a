"""Arrays from files: NumPy's .npy and .npz, and IDX. Nothing here ever unpickles."""

import math
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError  # from how NumPy reads a header
from typing import Any, BinaryIO

import numpy as np

from byrote.data import memory, notices
from byrote.data.damage import refused
from byrote.data.idx import is_idx, labels_beside, read_idx
from byrote.data.pixels import scale_deep
from byrote.data.records import Records
from byrote.errors import InvalidInput, did_you_mean

_NPY = b"\x93NUMPY"
_DAMAGE = (
    OSError, ValueError, EOFError, OverflowError, SyntaxError, TokenError, TypeError, KeyError,
    NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def load_array(source: str, *, labels: str | None = None, ids: str | None = None) -> Records:
    """Load one array from a .npy or IDX file; labels and ids come from files of their own.

    Parameters
    ----------
    source
        Path of an array (n, d), (n, h, w) or (n, h, w, c).
    labels, ids
        Paths of .npy or IDX files of shape (n,). Beside IDX images, MNIST's label file is found.

    Returns
    -------
    Records
        uint8 images as stored, uint16 images scaled to [0, 1], float32; other arrays as they are.

    Raises
    ------
    InvalidInput
        If a file is damaged, holds Python objects, or has a shape or type of no use.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/x.npy", np.zeros((5, 2)))
    ...     np.save(f"{folder}/y.npy", np.arange(5))
    ...     records = load_array(f"{folder}/x.npy", labels=f"{folder}/y.npy")
    >>> records.x.shape, records.labels.tolist()
    ((5, 2), [0, 1, 2, 3, 4])
    """
    array = _read_array(Path(source))
    if array.ndim == 1:
        raise InvalidInput(
            "the array has one dimension, as labels and ids have; the records themselves need two"
            " or more"
        )
    beside = labels_beside(Path(source)) if labels is None else labels
    named: dict[str, Any] = {
        option: _read_column(option, Path(path))
        for option, path in (("labels", beside), ("ids", ids))
        if path is not None
    }
    return Records(scale_deep(array), **named)


def load_npz(
    source: str, *, key: str | None = None, labels: str | None = None, ids: str | None = None
) -> Records:
    """Load arrays of one .npz archive by their names.

    Parameters
    ----------
    source
        Path of the archive.
    key
        Name of the records' array; may be left out where only one has two dimensions or more.
    labels, ids
        Names of arrays (n,).

    Returns
    -------
    Records
        uint8 images as stored, uint16 images scaled to [0, 1], float32; other arrays as they are.

    Raises
    ------
    InvalidInput
        If the archive is damaged, a name is not in it, or it is not clear which array is meant.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/all.npz", x=np.zeros((5, 2)), y=np.arange(5))
    ...     records = load_npz(f"{folder}/all.npz", labels="y")
    >>> records.x.shape, records.labels.tolist()
    ((5, 2), [0, 1, 2, 3, 4])
    """
    with Path(source).open("rb") as file:  # NumPy would leave a damaged file open
        archive = _open_archive(file)
        shapes = _shapes(archive)
        for name, value in (("key", key), ("labels", labels), ("ids", ids)):
            _check_member(name, value, shapes)
        x = _member(archive, key or _only_matrix(shapes, {labels, ids}))
        named: dict[str, Any] = {
            option: _member(archive, name)
            for option, name in (("labels", labels), ("ids", ids))
            if name is not None
        }
    return Records(scale_deep(x), **named)


def _read_array(path: Path) -> np.ndarray:
    if is_idx(path):
        return read_idx(path)
    with path.open("rb") as file:
        if file.read(len(_NPY)) != _NPY:
            raise InvalidInput("the file is neither .npy nor IDX")
        file.seek(0)
        return _parse("the file", file, path.stat().st_size)


def _read_column(name: str, path: Path) -> np.ndarray:
    if not path.is_file():
        raise InvalidInput(f"{name} must be the path of a .npy or IDX file; there is no {path}")
    try:
        return _read_array(path)
    except InvalidInput as error:
        raise InvalidInput(f"{name} from {path.name}: {error}") from None


def _open_archive(file: BinaryIO) -> np.lib.npyio.NpzFile:
    with refused("the file is truncated, damaged or not a .npz archive", *_DAMAGE):
        archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise InvalidInput("the file is one array, not a .npz archive")
    return archive


def _parse(what: str, file: Any, size: int) -> np.ndarray:
    """Read an array from .npy data of ``size`` bytes, which its header is held against first."""
    with (
        refused(f"{what} does not fit in memory, or its header is damaged", MemoryError),
        refused(f"{what} is truncated or damaged", *_DAMAGE),
    ):
        shape, dtype = _header(file)
        if dtype.hasobject:
            raise InvalidInput(
                "the array holds Python objects, and byrote never unpickles a file; save it as"
                " numbers or fixed-width strings"
            )
        wanted = file.tell() + math.prod(shape) * dtype.itemsize
        if wanted > size:
            raise InvalidInput(
                f"{what} is truncated or damaged: {wanted} bytes expected, {size} found"
            )
        memory.require(wanted, "the values")
        if wanted < size:
            notices.caution(f"{what} has bytes behind its array, which are ignored")
        file.seek(0)
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        # one byte order everywhere, or the same values would have two fingerprints
        return array.astype(array.dtype.newbyteorder("="), copy=False)


def _member(archive: Any, name: str) -> np.ndarray:
    what = f"the array {name!r}"
    with refused(f"{what} is damaged", *_DAMAGE), archive.zip.open(f"{name}.npy") as file:
        return _parse(what, file, archive.zip.getinfo(f"{name}.npy").file_size)


def _shapes(archive: Any) -> dict[str, tuple[int, ...]]:
    """Read the shape of each array in the archive, from headers alone."""
    shapes = {}
    for member in archive.zip.namelist():
        if not member.endswith(".npy"):
            continue
        name = member.removesuffix(".npy")
        with (
            refused(f"the array {name!r} is damaged", *_DAMAGE),
            archive.zip.open(member) as file,
        ):
            shapes[name] = _header(file)[0]
    return shapes


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the array that comes next."""
    if np.lib.format.read_magic(file) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:  # version 3 differs from 2 only in how it encodes the names of fields
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if any(size < 0 for size in shape):
        raise ValueError("a size below 0")
    return shape, dtype


def _check_member(name: str, value: str | None, shapes: dict[str, tuple[int, ...]]) -> None:
    if value is not None and value not in shapes:
        raise InvalidInput(
            f"{name} must name an array of the archive, one of {_listed(shapes)}; got {value!r}"
            + did_you_mean(value, shapes)
        )


def _only_matrix(shapes: dict[str, tuple[int, ...]], taken: set[str | None]) -> str:
    names = [name for name, shape in shapes.items() if len(shape) > 1 and name not in taken]
    if len(names) != 1:
        raise InvalidInput(
            f"key must say which array holds the records: {len(names)} have two or more"
            f" dimensions among {_listed(shapes)}"
        )
    return names[0]


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none at all"
