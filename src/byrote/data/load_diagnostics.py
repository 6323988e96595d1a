"""Warnings and errors about a source that is being read, each one sentence that names it.

Libraries warn often, in terms of their internals, and do not name the file; their errors may quote
records. Loaders call `warn`, read inside `collect_warnings` and `translate_errors`.
"""

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from byrote.errors import InvalidInput

_LIBRARIES = {"PIL": "Pillow", "numpy": "NumPy", "pyarrow": "pyarrow"}
_MAX_LENGTH = 160  # characters of a library's warning
_STACK_LEVEL = 4  # from collect_warnings to the caller of load


class _Collected:
    def __init__(self) -> None:
        self.position: str | None = None
        self.cautions: list[str] = []
        self.from_libraries: list[tuple[str | None, str]] = []

    def show(self, message: Warning | str, _: object, file: str, *rest: object) -> None:
        """Stand in for ``warnings.showwarning``."""
        del rest
        parts = Path(file).parts
        library = next((name for part, name in _LIBRARIES.items() if part in parts), None)
        # other code's text may quote records; that of these libraries describes the file's layout
        text = f"{library}: {_printable(str(message))}" if library else type(message).__name__
        self.from_libraries.append((self.position, text))

    def sentences(self) -> Iterator[str]:
        yield from dict.fromkeys(self.cautions)
        if self.from_libraries:
            position, text = self.from_libraries[0]
            where = f" at {position}" if position else ""
            count = len(self.from_libraries)
            more = f" (warnings: {count})" if count > 1 else ""
            yield f"read, with a warning{where} from {text}{more}"


def _printable(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:_MAX_LENGTH]


_collected: ContextVar[_Collected | None] = ContextVar("collected", default=None)


def warn(sentence: str) -> None:
    """Warn about the source that is being read."""
    collected = _collected.get()
    if collected is None:
        warnings.warn(sentence, stacklevel=3)
    else:
        collected.cautions.append(sentence)


def set_position(position: str) -> None:
    """Set the part of the source that a library's next warning is about."""
    collected = _collected.get()
    if collected is not None:
        collected.position = position


@contextmanager
def capture_stderr(library: str) -> Iterator[None]:
    """Collect what a C library writes to the terminal as a warning from it."""
    with tempfile.TemporaryFile() as file:
        try:
            terminal = os.dup(2)
        except OSError:  # no standard error is open
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
        lines = file.read(_MAX_LENGTH).decode(errors="replace").splitlines()
    collected = _collected.get()
    if lines and collected is not None:
        text = f"{library}: {_printable(lines[0])}"
        collected.from_libraries.append((collected.position, text))


@contextmanager
def collect_warnings(name: str) -> Iterator[None]:
    """Collect the warnings of a block that reads a source, then issue each once, with its name.

    If the block raises, the error alone is reported.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     with collect_warnings("photos"):
    ...         warn("transparency is dropped")
    ...         warn("transparency is dropped")
    >>> [str(warning.message) for warning in caught]
    ['photos: transparency is dropped']
    """
    outer, collected = _collected.get(), _Collected()
    token = _collected.set(collected)
    try:
        with warnings.catch_warnings():
            for category in (UserWarning, RuntimeWarning):
                warnings.simplefilter("always", category)
            warnings.showwarning = collected.show  # type: ignore[assignment]  # other arguments
            yield
    finally:
        _collected.reset(token)
    for sentence in collected.sentences():
        if outer is None:
            warnings.warn(f"{name}: {sentence}", stacklevel=_STACK_LEVEL)
        else:
            outer.cautions.append(f"{name}: {sentence}")


@contextmanager
def translate_errors(message: str, *errors: type[Exception]) -> Iterator[None]:
    """Raise InvalidInput with this message instead of any of these errors.

    The original is not chained: its text may quote the file, and records are private.

    Examples
    --------
    >>> with translate_errors("the file is truncated", EOFError):
    ...     raise EOFError
    Traceback (most recent call last):
    byrote.errors.InvalidInput: the file is truncated
    """
    try:
        yield
    except InvalidInput:  # a ValueError, but already a sentence
        raise
    except errors:
        raise InvalidInput(message) from None


@contextmanager
def prefix_errors(prefix: str) -> Iterator[None]:
    """Put a prefix, such as the name of the source, before the message of an error.

    Examples
    --------
    >>> with prefix_errors("photos"):
    ...     raise InvalidInput("the folder holds no images")
    Traceback (most recent call last):
    byrote.errors.InvalidInput: photos: the folder holds no images
    """
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"{prefix}: {error}") from None
    except OSError as error:
        raise InvalidInput(f"{prefix}: cannot be read ({error.strerror})") from None
