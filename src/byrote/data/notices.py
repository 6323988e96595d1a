"""What a user should know of data that are read all the same: each said once, naming the source.

One door for the loaders' own cautions and for the warnings of libraries below them, which come by
the dozen, in words about their insides, and name no file.
"""

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_LIBRARIES = {"PIL": "Pillow", "numpy": "NumPy", "pyarrow": "pyarrow"}
_LONGEST = 160  # characters of a library's warning
_STACK = 4  # how far above the door a caller of load stands


class _Source:
    """What was noted of a source while it was read."""

    def __init__(self) -> None:
        self.place: str | None = None
        self.cautions: list[str] = []
        self.heard: list[tuple[str | None, str]] = []

    def hear(self, message: Warning | str, _: object, file: str, *rest: object) -> None:
        del rest
        parts = Path(file).parts
        library = next((name for part, name in _LIBRARIES.items() if part in parts), None)
        # a stranger's text may quote records; those of these libraries tell of the file's layout
        said = f"{library}: {_printable(str(message))}" if library else type(message).__name__
        self.heard.append((self.place, said))

    def sentences(self) -> Iterator[str]:
        yield from dict.fromkeys(self.cautions)
        if self.heard:
            place, said = self.heard[0]
            where = f" at {place}" if place else ""
            more = f" (warnings: {len(self.heard)})" if len(self.heard) > 1 else ""
            yield f"read, with a warning{where} from {said}{more}"


def _printable(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:_LONGEST]


_source: ContextVar[_Source | None] = ContextVar("source", default=None)


def caution(sentence: str) -> None:
    """Note something about the source that is being read."""
    source = _source.get()
    if source is None:
        warnings.warn(sentence, stacklevel=3)
    else:
        source.cautions.append(sentence)


def at(place: str) -> None:
    """Note which part of the source comes next, for a library's warning about it."""
    source = _source.get()
    if source is not None:
        source.place = place


@contextmanager
def overheard(library: str) -> Iterator[None]:
    """Catch what a library in C writes to the terminal by itself, as a warning of it."""
    with tempfile.TemporaryFile() as file:
        try:
            terminal = os.dup(2)
        except OSError:  # there is none
            yield
            return
        sys.stderr.flush()
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
        file.seek(0)
        lines = file.read(_LONGEST).decode(errors="replace").splitlines()
    source = _source.get()
    if lines and source is not None:
        source.heard.append((source.place, f"{library}: {_printable(lines[0])}"))


@contextmanager
def noticed(name: str) -> Iterator[None]:
    """Read a source; then say what was noted, unless it is refused.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     with noticed("photos"):
    ...         caution("transparency is dropped")
    ...         caution("transparency is dropped")
    >>> [str(warning.message) for warning in said]
    ['photos: transparency is dropped']
    """
    outer, source = _source.get(), _Source()
    token = _source.set(source)
    try:
        with warnings.catch_warnings():
            for category in (UserWarning, RuntimeWarning):
                warnings.simplefilter("always", category)
            warnings.showwarning = source.hear  # type: ignore[assignment]  # takes other arguments
            yield
    finally:
        _source.reset(token)
    for sentence in source.sentences():
        if outer is None:
            warnings.warn(f"{name}: {sentence}", stacklevel=_STACK)
        else:
            outer.cautions.append(f"{name}: {sentence}")
