"""CIFAR-10 in its two published layouts: pickled batches for Python, and binary batches.

Both are described at https://www.cs.toronto.edu/~kriz/cifar.html. A pickle is a program, and
Python's unpickler runs it with all rights of the user. Here ``pickletools`` only splits it into
opcodes, and the few that NumPy pickles of old data sets need build plain data: a global stays a
name, a call stays a record of the call. Nothing is executed.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.formats.registry import CIFAR_BATCHES
from byrote.data.load_diagnostics import translate_errors
from byrote.data.records import Records
from byrote.errors import InvalidInput


@dataclass(frozen=True)
class GlobalName:
    """A global that the pickle names, ``"module name"``; it is never looked up."""

    path: str


@dataclass
class Call:
    """A call that the pickle asks for, and the state it would set; neither is performed."""

    function: Any
    arguments: Any
    state: Any = None


def parse_pickle(data: bytes) -> Any:
    """Parse a pickle of protocol 2 or lower into plain data, with `Call` in place of objects.

    Python 2's strings become bytes.

    Raises
    ------
    ValueError, LookupError, TypeError
        If the pickle is damaged, or needs more than dicts with names for keys, lists, tuples,
        strings, integers, globals and calls.

    Examples
    --------
    >>> import pickle
    >>> parse_pickle(pickle.dumps({"a": [1, (2, None)]}, protocol=2))
    {'a': [1, (2, None)]}
    >>> class Malicious:
    ...     def __reduce__(self):
    ...         return print, ("executed",)
    >>> parse_pickle(pickle.dumps(Malicious(), protocol=2))
    Call(function=GlobalName(path='__builtin__ print'), arguments=('executed',), state=None)
    """
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name not in _OPCODES:
            raise ValueError(f"opcode {opcode.name} does not occur in plain data")
        _OPCODES[opcode.name](machine, argument)
    (value,) = machine.stack
    return value


def as_bytes(value: Any) -> bytes:
    """Return pickled bytes: from Python 2 themselves, from Python 3 a call that encodes text."""
    if type(value) is bytes:
        return value
    if (
        type(value) is Call
        and value.function == GlobalName("_codecs encode")
        and value.state is None
    ):
        text, encoding = value.arguments
        if type(text) is str and encoding == "latin1":
            return text.encode("latin-1")
    raise ValueError("bytes expected")


def as_text(value: Any) -> str:
    """Return a string, or bytes decoded as Latin-1."""
    return value if type(value) is str else as_bytes(value).decode("latin-1")


class _Machine:
    """The stack machine of pickle, for plain data only."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self, _: None) -> None:
        self.marks.append(len(self.stack))

    def pop_to_mark(self) -> list[Any]:
        start = self.marks.pop()
        return self.pop(len(self.stack) - start)

    def pop(self, count: int) -> list[Any]:
        start = len(self.stack) - count
        if start < 0 or count < 0:
            raise ValueError("the stack is empty")
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def put(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def get(self, index: int) -> None:
        self.push(self.memo[index])

    def append(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError("items are appended to lists only")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not dict or len(items) % 2:
            raise TypeError("pairs of key and value are set in dicts only")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | bytes | Call):
                raise TypeError("keys must be names")
            self.stack[-1][as_text(key)] = value

    def reduce(self, _: None) -> None:
        function, arguments = self.pop(2)
        self.push(Call(function, arguments))

    def build(self, _: None) -> None:
        call, state = self.pop(2)
        if type(call) is not Call or call.state is not None:
            raise TypeError("a state is set on calls only, and once")
        call.state = state
        self.push(call)


_PUSH = ("BININT", "BININT1", "BININT2", "BINUNICODE")
_OPCODES: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_PUSH, _Machine.push),
    "SHORT_BINSTRING": lambda m, text: m.push(text.encode("latin-1")),
    "BINSTRING": lambda m, text: m.push(text.encode("latin-1")),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "GLOBAL": lambda m, path: m.push(GlobalName(path)),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_to_mark())),
    "TUPLE1": lambda m, _: m.push(tuple(m.pop(1))),
    "TUPLE2": lambda m, _: m.push(tuple(m.pop(2))),
    "TUPLE3": lambda m, _: m.push(tuple(m.pop(3))),
    "APPEND": lambda m, _: m.append(m.pop(1)),
    "APPENDS": lambda m, _: m.append(m.pop_to_mark()),
    "SETITEM": lambda m, _: m.set_items(m.pop(2)),
    "SETITEMS": lambda m, _: m.set_items(m.pop_to_mark()),
    "MARK": _Machine.mark,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "PROTO": lambda _m, _version: None,
    "STOP": lambda _m, _: None,
}


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
