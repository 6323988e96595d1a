"""NumPy's .npy and .npz, and single IDX files: arrays. Pickles are refused."""

import math
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError  # raised when NumPy parses a header
from typing import Any, BinaryIO

import numpy as np

from byrote.data import memory
from byrote.data.formats.idx import is_idx, read_idx, sibling_labels
from byrote.data.load_diagnostics import translate_errors, warn
from byrote.data.records import Records, scale_16_bit
from byrote.errors import InvalidInput, did_you_mean

_MAGIC = b"\x93NUMPY"
_DAMAGE = (
    OSError, ValueError, EOFError, OverflowError, SyntaxError, TokenError, TypeError, KeyError,
    NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def load_array(source: str, *, labels: str | None = None, ids: str | None = None) -> Records:
    """Load one array from a .npy or IDX file, with labels and ids from other such files.

    IDX images take MNIST's file of labels in the same folder, if it exists. uint8 images stay as
    stored, uint16 images become float32 in [0, 1].

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
            "the array has one dimension, as labels and ids have; records need two or more"
        )
    labels_path = sibling_labels(Path(source)) if labels is None else labels
    columns: dict[str, Any] = {
        option: _read_column(option, Path(path))
        for option, path in (("labels", labels_path), ("ids", ids))
        if path is not None
    }
    return Records(scale_16_bit(array), **columns)


def load_npz(
    source: str, *, key: str | None = None, labels: str | None = None, ids: str | None = None
) -> Records:
    """Load arrays of one .npz archive by their names.

    Without ``key``, the records are the only array with two dimensions or more.

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
        for option, name in (("key", key), ("labels", labels), ("ids", ids)):
            _check_member(option, name, shapes)
        x = _read_member(archive, key or _only_matrix(shapes, {labels, ids}))
        columns: dict[str, Any] = {
            option: _read_member(archive, name)
            for option, name in (("labels", labels), ("ids", ids))
            if name is not None
        }
    return Records(scale_16_bit(x), **columns)


def _read_array(path: Path) -> np.ndarray:
    if is_idx(path):
        return read_idx(path)
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise InvalidInput("the file is neither .npy nor IDX")
        file.seek(0)
        return _parse("the file", file, path.stat().st_size)


def _read_column(option: str, path: Path) -> np.ndarray:
    if not path.is_file():
        raise InvalidInput(
            f"{option} must be the path of a .npy or IDX file; {path} does not exist"
        )
    try:
        return _read_array(path)
    except InvalidInput as error:
        raise InvalidInput(f"{option} from {path.name}: {error}") from None


def _open_archive(file: BinaryIO) -> np.lib.npyio.NpzFile:
    with translate_errors("the file is truncated, damaged or not a .npz archive", *_DAMAGE):
        archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise InvalidInput("the file is one array, not a .npz archive")
    return archive


def _parse(what: str, file: Any, size: int) -> np.ndarray:
    """Read an array from .npy data of ``size`` bytes, after checking its header against them."""
    with (
        translate_errors(f"{what} does not fit in memory, or its header is damaged", MemoryError),
        translate_errors(f"{what} is truncated or damaged", *_DAMAGE),
    ):
        shape, dtype = _read_header(file)
        if dtype.hasobject:
            raise InvalidInput(
                "the array holds Python objects, and byrote never unpickles a file; save it as"
                " numbers or fixed-width strings"
            )
        expected = file.tell() + math.prod(shape) * dtype.itemsize
        if expected > size:
            raise InvalidInput(
                f"{what} is truncated or damaged: {expected} bytes expected, {size} found"
            )
        memory.require(expected, "the values")
        if expected < size:
            warn(f"{what} has bytes after its array, which are ignored")
        file.seek(0)
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        # one byte order everywhere, or equal values would have two fingerprints
        return array.astype(array.dtype.newbyteorder("="), copy=False)


def _read_member(archive: Any, name: str) -> np.ndarray:
    what = f"the array {name!r}"
    with translate_errors(f"{what} is damaged", *_DAMAGE), archive.zip.open(f"{name}.npy") as file:
        return _parse(what, file, archive.zip.getinfo(f"{name}.npy").file_size)


def _shapes(archive: Any) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for member in archive.zip.namelist():
        if not member.endswith(".npy"):
            continue
        name = member.removesuffix(".npy")
        with (
            translate_errors(f"the array {name!r} is damaged", *_DAMAGE),
            archive.zip.open(member) as file,
        ):
            shapes[name] = _read_header(file)[0]
    return shapes


def _read_header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    if np.lib.format.read_magic(file) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:  # version 3 differs from 2 only in how it encodes the names of fields
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if any(size < 0 for size in shape):
        raise ValueError("a size below 0")
    return shape, dtype


def _check_member(option: str, name: str | None, shapes: dict[str, tuple[int, ...]]) -> None:
    if name is not None and name not in shapes:
        raise InvalidInput(
            f"{option} must name an array of the archive, one of {_describe(shapes)}; got {name!r}"
            + did_you_mean(name, shapes)
        )


def _only_matrix(shapes: dict[str, tuple[int, ...]], excluded: set[str | None]) -> str:
    names = [name for name, shape in shapes.items() if len(shape) > 1 and name not in excluded]
    if len(names) != 1:
        raise InvalidInput(
            f"key must name the array that holds the records: {len(names)} have two or more"
            f" dimensions among {_describe(shapes)}"
        )
    return names[0]


def _describe(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none at all"
