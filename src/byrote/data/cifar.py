"""CIFAR-10 in its two published layouts: pickled batches for Python, and batches of plain bytes.

Both are described at https://www.cs.toronto.edu/~kriz/cifar.html. Pickles are never unpickled.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data import inert
from byrote.data.damage import refused
from byrote.data.layouts import CIFAR_BATCHES
from byrote.data.records import Records
from byrote.errors import InvalidInput

_SIDE, _CLASSES = 32, 10
_VALUES = 3 * _SIDE * _SIDE  # of a record: red, green, blue, each by rows
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
_RECONSTRUCT = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")

_Batch = tuple[NDArray[np.uint8], list[int], list[str]]  # (n, 3072) values, labels, file names


def load_cifar(source: str, *, part: str = "train") -> Records:
    """Load CIFAR-10 from its folder: ``data_batch_1`` to ``5`` or ``test_batch``, or ``….bin``.

    Parameters
    ----------
    source
        Path of the folder, as unpacked (``cifar-10-batches-py`` or ``cifar-10-batches-bin``).
    part
        ``"train"``, five batches, or ``"test"``.

    Returns
    -------
    Records
        (n, 32, 32, 3) uint8; labels 0 to 9; ids the file names that Python batches carry where
        all of them differ, row numbers otherwise.

    Raises
    ------
    InvalidInput
        If a batch is missing or damaged, or is a pickle of anything else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/test_batch.bin").write_bytes(bytes([7]) + bytes(3072))
    ...     records = load_cifar(folder, part="test")
    >>> records.x.shape, records.labels.tolist()
    ((1, 32, 32, 3), [7])
    """
    folder = Path(source)
    binary = any(folder.glob("*_batch*.bin"))
    paths = [folder / (f"{name}.bin" if binary else name) for name in CIFAR_BATCHES[part]]
    absent = [path.name for path in paths if not path.is_file()]
    if absent:
        raise InvalidInput(f"the {part} part of CIFAR-10 must have its {absent[0]}; it is missing")
    batches = [(_binary_batch if binary else _python_batch)(path) for path in paths]
    names = [name for _, _, found in batches for name in found]
    named: dict[str, Any] = {"ids": names} if len(set(names)) == len(names) > 0 else {}
    return Records(
        np.concatenate([_images(values) for values, _, _ in batches]),
        labels=np.array([label for _, labels, _ in batches for label in labels]),
        **named,
    )


def _images(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return values.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)


def _binary_batch(path: Path) -> _Batch:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    if not len(data) or len(data) % (1 + _VALUES):
        raise InvalidInput(
            f"{path.name} is truncated or damaged: a whole number of records of {1 + _VALUES}"
            f" bytes expected, {len(data)} bytes found"
        )
    rows = data.reshape(-1, 1 + _VALUES)
    if rows[:, 0].max() >= _CLASSES:
        raise InvalidInput(f"{path.name} is not CIFAR-10, whose records begin with a label 0 to 9")
    return rows[:, 1:], rows[:, 0].tolist(), []


def _python_batch(path: Path) -> _Batch:
    with refused(
        f"{path.name} is not a Python batch of CIFAR-10, which is a dict of data, labels and"
        " filenames pickled with protocol 2; no pickle is ever executed",
        *_DAMAGE,
    ):
        batch = inert.read(path.read_bytes())
        labels, names = batch["labels"], batch["filenames"]
        values = _array(batch["data"])
        _expect(type(labels) is list and type(names) is list)
        _expect(0 < len(labels) == len(names) == len(values))
        _expect(all(type(label) is int and 0 <= label < _CLASSES for label in labels))
        return values, labels, [inert.name_of(name) for name in names]


def _array(note: Any) -> NDArray[np.uint8]:
    """Read what NumPy would make of a pickled (n, 3072) array of uint8."""
    _, shape, dtype, by_columns, data = note.state  # the first is a version
    _expect(type(note) is inert.Call and note.function in map(inert.Name, _RECONSTRUCT))
    _expect(note.arguments[0] == inert.Name("numpy ndarray"))
    _expect(type(dtype) is inert.Call and dtype.function == inert.Name("numpy dtype"))
    _expect(inert.name_of(dtype.arguments[0]) == "u1")
    _expect(len(shape) == 2 and shape[1] == _VALUES)
    values = np.frombuffer(inert.bytes_of(data), np.uint8)
    return values.reshape(shape, order="F" if by_columns else "C")


def _expect(condition: bool) -> None:
    if not condition:
        raise ValueError("another layout")
