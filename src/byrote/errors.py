"""One family of exceptions, so that a caller can catch all of byrote's with one clause.

ByroteError
├── InvalidInput (ValueError)      unusable data, argument or run folder; nothing was written
│   ├── RunMismatch                the run folder was made by another plan, model or data
│   └── NoCompiler                 compiled functions are asked for where none can be made
├── TrainingDiverged (ArithmeticError)   a fit whose losses or weights are not finite
├── CorruptFile (ValueError)       a file of a run folder is truncated, altered or foreign
├── CannotRead (OSError)           the disk or the memory fails: nothing is wrong with the file
├── IncompleteRun (RuntimeError)   fits are missing or failed; starting again resumes
├── CannotWrite (OSError)          a full disk, a quota, a limit: a file could not be written
└── MissingExtra (ImportError)     an optional dependency is not installed
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

_LONGEST_WORD = 80


class ByroteError(Exception):
    """Base of every error that byrote raises on purpose. Its message is printable."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(printable(arg) if isinstance(arg, str) else arg for arg in args))


class InvalidInput(ByroteError, ValueError):
    """An argument that cannot be used: the message names it, what was expected and what came."""


class RunMismatch(InvalidInput):
    """A run folder that belongs to another plan, model or data set, or to a run under way."""


class NoCompiler(InvalidInput):
    """Compiled functions are asked for, or settled for the run, on a machine that makes none."""


class TrainingDiverged(ByroteError, ArithmeticError):
    """A fit whose losses or weights are not finite: the message names what helps."""


class CorruptFile(ByroteError, ValueError):
    """A file of a run folder that is truncated or was altered."""


class ForeignFile(CorruptFile):
    """A file in a run folder that belongs to another run or fit."""


class CannotRead(ByroteError, OSError):
    """A file that the disk or the memory does not give: nothing is known to be wrong with it."""


class IncompleteRun(ByroteError, RuntimeError):
    """A run in which fits failed or are missing; starting the same run again does only those."""


class CannotWrite(ByroteError, OSError):
    """A file or folder that the system would not write; ``errno`` says why.

    What was there before is still there, and what was finished is kept.
    """


class MissingExtra(ByroteError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""


class ByroteWarning(UserWarning):
    """A warning of byrote's own, whose text quotes no record."""


def printable(value: object) -> str:
    r"""Text that cannot move a cursor, change colours or turn the direction of writing.

    Control characters, those of no width and halves of surrogate pairs are spelled out.

    Examples
    --------
    >>> printable("caf\xe9\x1b[2J"), printable("a\u202eb"), printable(7)
    ('café\\x1b[2J', 'a\\u202eb', '7')
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def did_you_mean(word: Any, allowed: Iterable[str]) -> str:
    """', did you mean …?' for the nearest allowed word, or nothing."""
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return ""
    near = get_close_matches(word, list(allowed), n=1, cutoff=0.5)
    return f", did you mean {near[0]}?" if near else ""
