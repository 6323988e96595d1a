"""One family of exceptions, so that a caller can catch all of byrote's with one clause.

ByroteError
├── InvalidInput (ValueError)      unusable data, argument or run folder; nothing was written
│   ├── RunMismatch                the run folder was made by another plan, model or data
│   └── NoCompiler                 compiled functions are asked for where none can be made
├── CorruptFile (ValueError)       a file of a run folder is truncated, altered or foreign
├── IncompleteRun (RuntimeError)   fits are missing or failed; starting again resumes
└── MissingExtra (ImportError)     an optional dependency is not installed
"""


class ByroteError(Exception):
    """Base of every error that byrote raises on purpose."""


class InvalidInput(ByroteError, ValueError):
    """An argument that cannot be used: the message names it, what was expected and what came."""


class RunMismatch(InvalidInput):
    """A run folder that belongs to another plan, model or data set, or to a run under way."""


class NoCompiler(InvalidInput):
    """Compiled functions are asked for, or settled for the run, on a machine that makes none."""


class CorruptFile(ByroteError, ValueError):
    """A file of a run folder that is truncated or was altered."""


class ForeignFile(CorruptFile):
    """A file in a run folder that belongs to another run or fit."""


class IncompleteRun(ByroteError, RuntimeError):
    """A run in which fits failed or are missing; starting the same run again does only those."""


class MissingExtra(ByroteError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""


class ByroteWarning(UserWarning):
    """A warning of byrote's own, whose text quotes no record."""
