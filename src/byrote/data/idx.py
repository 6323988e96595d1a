"""IDX, the format of MNIST: two zero bytes, type, number of dimensions, sizes, big-endian values.

Described at the end of https://yann.lecun.com/exdb/mnist/.
"""

import math
import re
import struct
from pathlib import Path

import numpy as np

from byrote.data import memory
from byrote.data.gzipped import EXPANSION, Unzipped, opened
from byrote.errors import InvalidInput

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 8  # far more than any set has; NumPy has a limit too
_NAME = re.compile(r"idx\d|\bidx\b")


def is_idx(path: Path) -> bool:
    """Tell whether a file begins as IDX; its name decides only where it is too short to tell."""
    with opened(path) as file:
        magic = file.read(4)
    return _is_magic(magic) or (len(magic) < 4 and _NAME.search(path.name) is not None)


def read_idx(path: Path) -> np.ndarray:
    """Read one array from an IDX file, gzipped or not.

    Returns
    -------
    numpy.ndarray
        Shape and type as the file says, in the machine's byte order.

    Raises
    ------
    InvalidInput
        If the file is not IDX, or its length is not what its sizes ask for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "three-labels-idx1-ubyte"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    with opened(path) as file:
        start = file.read(4)
        if len(start) == 4 and not _is_magic(start):
            raise InvalidInput(
                "the file is not IDX, which begins with 0, 0, a type and a number of dimensions"
            )
        head = 4 + 4 * start[3] if len(start) == 4 else 4
        start += file.read(head - len(start))
        _check_length(len(start), head)
        dtype, shape = np.dtype(_TYPES[start[2]]), struct.unpack(f">{start[3]}I", start[4:])
        data = _values(file, path.stat().st_size, head, math.prod(shape) * dtype.itemsize)
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def labels_beside(path: Path) -> Path | None:
    """Find the labels that MNIST's naming puts beside ``…images-idx3…``, if they are there."""
    name = re.sub(r"images([-.])idx3", r"labels\1idx1", path.name)
    plain = name.removesuffix(".gz")
    names = (name, f"{plain}.gz", plain) if name != path.name else ()
    return next((path.with_name(each) for each in names if path.with_name(each).is_file()), None)


def _is_magic(start: bytes | bytearray) -> bool:
    return (
        len(start) == 4
        and start[:2] == b"\0\0"
        and start[2] in _TYPES
        and 0 < start[3] <= _MOST_DIMENSIONS
    )


def _values(file: Unzipped, size: int, head: int, count: int) -> bytearray:
    """Read the bytes of values that the header declares, where a file of this size can hold them.

    Nothing behind them is unzipped: what is not declared may be without end.
    """
    if count > size * (EXPANSION if file.zipped else 1):
        there = "fewer" if file.zipped else size
        raise InvalidInput(_lengths(head + count, there))
    memory.require(count, "the values")
    data = file.read(count)
    if file.read(1):
        raise InvalidInput(_lengths(head + count, "more"))
    _check_length(head + len(data), head + count)
    if file.damaged:
        raise InvalidInput("the file is damaged: its gzip checksum is wrong")
    return data


def _check_length(there: int, wanted: int) -> None:
    if there < wanted:
        raise InvalidInput(_lengths(wanted, there))


def _lengths(wanted: int, there: int | str) -> str:
    return f"the file is truncated or damaged: {wanted} bytes expected, {there} found"
