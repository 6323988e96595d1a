"""IDX, the format of MNIST: two zero bytes, type, number of dimensions, sizes, big-endian values.

Described at the end of https://yann.lecun.com/exdb/mnist/. A folder of MNIST's or Fashion-MNIST's
four files is a published set in two parts.
"""

import math
import re
import struct
from pathlib import Path

import numpy as np

from byrote.data import memory
from byrote.data.records import Records, scale_16_bit
from byrote.data.text_stream import MAX_EXPANSION, GzipStream, open_gzip
from byrote.errors import InvalidInput

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_DIMENSIONS = 8  # far more than any set has; NumPy has a limit too
_NAME = re.compile(r"idx\d|\bidx\b")
_STEMS = {"train": "train", "test": "t10k"}
_ENDINGS = ("-images-idx3-ubyte", "-images.idx3-ubyte")


def is_idx(path: Path) -> bool:
    """Whether a file begins as IDX does; its name decides only if it is shorter than that."""
    with open_gzip(path) as file:
        magic = file.read(4)
    return _is_magic(magic) or (len(magic) < 4 and _NAME.search(path.name) is not None)


def read_idx(path: Path) -> np.ndarray:
    """Read the array in an IDX file, gzipped or not, in native byte order.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "three-labels-idx1-ubyte"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    with open_gzip(path) as file:
        header = file.read(4)
        if len(header) == 4 and not _is_magic(header):
            raise InvalidInput(
                "the file is not IDX, which begins with 0, 0, a type and a number of dimensions"
            )
        header_size = 4 + 4 * header[3] if len(header) == 4 else 4
        header += file.read(header_size - len(header))
        _check_length(len(header), header_size)
        dtype, shape = np.dtype(_TYPES[header[2]]), struct.unpack(f">{header[3]}I", header[4:])
        size = math.prod(shape) * dtype.itemsize
        data = _read_values(file, path.stat().st_size, header_size, size)
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def sibling_labels(path: Path) -> Path | None:
    """Return the file of labels that belongs to ``…images-idx3…`` by MNIST's naming, if any."""
    name = re.sub(r"images([-.])idx3", r"labels\1idx1", path.name)
    unzipped = name.removesuffix(".gz")
    names = (name, f"{unzipped}.gz", unzipped) if name != path.name else ()
    return next((path.with_name(each) for each in names if path.with_name(each).is_file()), None)


def part_images(folder: Path, part: str) -> Path | None:
    """Return the file with the images of a part, gzipped or not, if any."""
    names = [_STEMS[part] + ending + gz for ending in _ENDINGS for gz in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def load_idx_folder(source: str, *, part: str = "train") -> Records:
    """Load the training or the test part from a folder with MNIST's four files, gzipped or not.

    Returns (n, h, w) uint8, with integer labels if their file exists.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     head = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1])
    ...     _ = Path(f"{folder}/t10k-images-idx3-ubyte").write_bytes(head + bytes([7, 9]))
    ...     records = load_idx_folder(folder, part="test")
    >>> records.x.tolist()
    [[[7]], [[9]]]
    """
    images = part_images(Path(source), part)
    if images is None:
        name = _STEMS[part] + _ENDINGS[0]
        raise InvalidInput(f"the {part} part must have its {name}, plain or .gz; it is missing")
    labels = sibling_labels(images)
    return Records(
        scale_16_bit(read_idx(images)), labels=None if labels is None else read_idx(labels)
    )


def _is_magic(start: bytes | bytearray) -> bool:
    return (
        len(start) == 4
        and start[:2] == b"\0\0"
        and start[2] in _TYPES
        and 0 < start[3] <= _MAX_DIMENSIONS
    )


def _read_values(file: GzipStream, file_size: int, header_size: int, size: int) -> bytearray:
    """Read the declared bytes of values, if a file of this size can hold them.

    The rest is not decompressed: what is not declared may be endless.
    """
    if size > file_size * (MAX_EXPANSION if file.is_gzipped else 1):
        raise _wrong_length(header_size + size, "fewer" if file.is_gzipped else file_size)
    memory.require(size, "the values")
    data = file.read(size)
    if file.read(1):
        raise _wrong_length(header_size + size, "more")
    _check_length(header_size + len(data), header_size + size)
    if file.damaged:
        raise InvalidInput("the file is damaged: its gzip checksum is wrong")
    return data


def _check_length(length: int, expected: int) -> None:
    if length < expected:
        raise _wrong_length(expected, length)


def _wrong_length(expected: int, length: int | str) -> InvalidInput:
    return InvalidInput(
        f"the file is truncated or damaged: {expected} bytes expected, {length} found"
    )
