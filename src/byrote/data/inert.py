"""Pickles read as plain data: opcodes are walked and noted; nothing is imported, called or built.

A pickle is a program. Python's unpickler runs it, and so gives whoever wrote the file the whole
machine. Here ``pickletools`` only splits it into opcodes, and those few that the old NumPy pickles
of data sets need are interpreted as structure: a name stays a name, a call stays a note of a call.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Name:
    """A global that the pickle names: ``"module name"``, never looked up."""

    path: str


@dataclass
class Call:
    """A call that the pickle asks for, and the state it would set: neither is carried out."""

    function: Any
    arguments: Any
    state: Any = None


def read(data: bytes) -> Any:
    """Give what a pickle of protocol 2 or lower would build, with notes in place of objects.

    Python 2's strings come as bytes.

    Raises
    ------
    ValueError, LookupError, TypeError
        If the pickle is damaged, or needs more than dicts with names for keys, lists, tuples,
        texts, whole numbers, names and calls.

    Examples
    --------
    >>> import pickle
    >>> read(pickle.dumps({"a": [1, (2, None)]}, protocol=2))
    {'a': [1, (2, None)]}
    >>> class Malicious:
    ...     def __reduce__(self):
    ...         return print, ("executed",)
    >>> read(pickle.dumps(Malicious(), protocol=2))
    Call(function=Name(path='__builtin__ print'), arguments=('executed',), state=None)
    """
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name not in _STEPS:
            raise ValueError(f"opcode {opcode.name} is of no use in plain data")
        _STEPS[opcode.name](machine, argument)
    (value,) = machine.stack
    return value


class _Machine:
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

    def put(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def get(self, place: int) -> None:
        self.push(self.memo[place])

    def append(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError("only a list is appended to")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not dict or len(items) % 2:
            raise TypeError("only a dict gets items, key and value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | bytes | Call):
                raise TypeError("keys must be names")
            self.stack[-1][name_of(key)] = value

    def reduce(self, _: None) -> None:
        function, arguments = self.pop(2)
        self.push(Call(function, arguments))

    def build(self, _: None) -> None:
        call, state = self.pop(2)
        if type(call) is not Call or call.state is not None:
            raise TypeError("only a call gets a state, once")
        call.state = state
        self.push(call)


def bytes_of(value: Any) -> bytes:
    """Give bytes as both Pythons pickle them: Python 3 as a call that encodes a text.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if type(value) is bytes:
        return value
    if type(value) is Call and value.function == Name("_codecs encode") and value.state is None:
        text, encoding = value.arguments
        if type(text) is str and encoding == "latin1":
            return text.encode("latin-1")
    raise ValueError("bytes expected")


def name_of(value: Any) -> str:
    """Give a text or bytes as text.

    Raises
    ------
    ValueError
        If it is neither.
    """
    return value if type(value) is str else bytes_of(value).decode("latin-1")


_PUSH = ("BININT", "BININT1", "BININT2", "BINUNICODE")
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_PUSH, _Machine.push),
    "SHORT_BINSTRING": lambda m, text: m.push(text.encode("latin-1")),
    "BINSTRING": lambda m, text: m.push(text.encode("latin-1")),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "GLOBAL": lambda m, path: m.push(Name(path)),
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
