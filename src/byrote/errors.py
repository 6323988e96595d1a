"""Exceptions of byrote, with a common base class.

ByroteError
├── InvalidInput (ValueError)      invalid data, argument or run folder; nothing was written
│   ├── RunMismatch                the run folder belongs to another plan, model or data set
│   └── NoCompiler                 compiled functions are requested where there is no compiler
├── TrainingDiverged (ArithmeticError)   a fit whose losses or weights are not finite
├── CorruptFile (ValueError)       a file of a run folder is truncated or altered
│   └── ForeignFile                a file of a run folder belongs to another run or fit
├── CannotRead (OSError)           a disk or memory error while reading an intact file
├── IncompleteRun (RuntimeError)   fits failed or are missing; running again resumes
├── CannotWrite (OSError)          a file could not be written: full disk, quota, limit
└── MissingExtra (ImportError)     an optional dependency is not installed
"""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_LONGEST_WORD = 80
_LISTED = 3  # runs that are named


class ByroteError(Exception):
    """Base class of all errors that byrote raises on purpose. Messages are printable."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(printable(arg) if isinstance(arg, str) else arg for arg in args))


class InvalidInput(ByroteError, ValueError):
    """An invalid argument: the message names it, what was expected and what was given."""


class RunMismatch(InvalidInput):
    """A run folder that belongs to another plan, model or data set, or to a run in progress."""


class NoCompiler(InvalidInput):
    """Compiled functions are requested, or fixed for the run, on a machine without a compiler."""


class TrainingDiverged(ByroteError, ArithmeticError):
    """A fit whose losses or weights are not finite; the message names remedies."""


class CorruptFile(ByroteError, ValueError):
    """A file of a run folder that is truncated or was altered."""


class ForeignFile(CorruptFile):
    """A file in a run folder that belongs to another run or fit."""


class CannotRead(ByroteError, OSError):
    """A file that could not be read because of the disk or memory, and may be intact."""


class IncompleteRun(ByroteError, RuntimeError):
    """A run in which fits failed or are missing; running it again does only those."""


class CannotWrite(ByroteError, OSError):
    """A file or folder that could not be written; ``errno`` has the cause.

    Existing files are unchanged and finished fits are kept.
    """


class MissingExtra(ByroteError, ImportError):
    """A missing optional dependency; the message names the extra to install."""


class ByroteWarning(UserWarning):
    """A warning of byrote, whose text does not quote records."""


def printable(value: object) -> str:
    r"""Escape characters that could move the cursor, change colours or the writing direction.

    These are control characters, characters without width and lone surrogates.

    Examples
    --------
    >>> printable("caf\xe9\x1b[2J"), printable("a\u202eb"), printable(7)
    ('café\\x1b[2J', 'a\\u202eb', '7')
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def no_run(folder: object) -> InvalidInput:
    """Make the error of a folder that holds no run."""
    if not os.path.exists(str(folder)):  # noqa: PTH110 (False also where it cannot be looked at)
        return InvalidInput(f"{folder} holds no run: the folder does not exist")
    inside = sorted(run.parent.name for run in Path(str(folder)).glob("*/run.json"))[:_LISTED]
    which = f" (did you mean one in it, such as {' or '.join(map(printable, inside))}?)"
    return InvalidInput(f"{folder} holds no run: run.json is missing{which if inside else ''}")


def did_you_mean(word: Any, allowed: Iterable[str]) -> str:
    """', did you mean …?' with the nearest allowed word, or an empty string."""
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return ""
    matches = get_close_matches(word, list(allowed), n=1, cutoff=0.5)
    return f", did you mean {matches[0]}?" if matches else ""
