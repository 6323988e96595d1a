"""Pickles parsed as plain data: opcodes are interpreted as structure, and nothing is executed.

A pickle is a program, and Python's unpickler runs it with all rights of the user. Here
``pickletools`` only splits it into opcodes, and the few that NumPy pickles of old data sets need
build plain data: a global stays a name, a call stays a record of the call.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GlobalName:
    """A global that the pickle names, ``"module name"``; it is never looked up."""

    path: str


@dataclass
class Call:
    """A call that the pickle asks for, and the state it would set; neither is carried out."""

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
        texts, integers, globals and calls.

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
    """Return bytes as both Pythons pickle them; Python 3 pickles a call that encodes a text."""
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
    """Return a text, or bytes decoded as Latin-1."""
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
