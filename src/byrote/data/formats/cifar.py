"""CIFAR-10 in its two published layouts: pickled batches for Python, and binary batches.

Both are described at https://www.cs.toronto.edu/~kriz/cifar.html. Pickles are never unpickled.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.formats.registry import CIFAR_BATCHES
from byrote.data.load_diagnostics import translate_errors
from byrote.data.records import Records
from byrote.data.safe_pickle import Call, GlobalName, as_bytes, as_text, parse_pickle
from byrote.errors import InvalidInput

_SIDE, _CLASSES = 32, 10
_VALUES = 3 * _SIDE * _SIDE  # of a record: red, green and blue planes, each row by row
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
_RECONSTRUCT = [
    GlobalName(f"{module}.multiarray _reconstruct") for module in ("numpy.core", "numpy._core")
]

_Batch = tuple[NDArray[np.uint8], list[int], list[str]]  # (n, 3072) values, labels, file names


def load_cifar(source: str, *, part: str = "train") -> Records:
    """Load CIFAR-10 from its folder: ``data_batch_1`` to ``5`` or ``test_batch``, or ``….bin``.

    Returns (n, 32, 32, 3) uint8 with labels 0 to 9; ids are the file names in the Python batches if
    all differ, otherwise row numbers.

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
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise InvalidInput(f"the {part} part of CIFAR-10 must have its {missing[0]}; it is missing")
    batches = [(_binary_batch if binary else _python_batch)(path) for path in paths]
    names = [name for _, _, batch_names in batches for name in batch_names]
    ids: dict[str, Any] = {"ids": names} if len(set(names)) == len(names) > 0 else {}
    return Records(
        np.concatenate([_as_images(values) for values, _, _ in batches]),
        labels=np.array([label for _, labels, _ in batches for label in labels]),
        **ids,
    )


def _as_images(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
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
    with translate_errors(
        f"{path.name} is not a Python batch of CIFAR-10, which is a dict of data, labels and"
        " filenames pickled with protocol 2; no pickle is ever executed",
        *_DAMAGE,
    ):
        batch = parse_pickle(path.read_bytes())
        labels, names = batch["labels"], batch["filenames"]
        values = _parse_array(batch["data"])
        _expect(type(labels) is list and type(names) is list)
        _expect(0 < len(labels) == len(names) == len(values))
        _expect(all(type(label) is int and 0 <= label < _CLASSES for label in labels))
        return values, labels, list(map(as_text, names))


def _parse_array(call: Any) -> NDArray[np.uint8]:
    """Return the array that NumPy would reconstruct, if it is (n, 3072) of uint8."""
    _, shape, dtype, by_columns, data = call.state  # the first is a version
    _expect(type(call) is Call and call.function in _RECONSTRUCT)
    _expect(call.arguments[0] == GlobalName("numpy ndarray"))
    _expect(type(dtype) is Call and dtype.function == GlobalName("numpy dtype"))
    _expect(as_text(dtype.arguments[0]) == "u1")
    _expect(len(shape) == 2 and shape[1] == _VALUES)
    values = np.frombuffer(as_bytes(data), np.uint8)
    return values.reshape(shape, order="F" if by_columns else "C")


def _expect(condition: bool) -> None:
    if not condition:
        raise ValueError("another layout")
