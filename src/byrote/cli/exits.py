"""Exit codes, and errors as one sentence on standard error."""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any, TypeVar

import typer

from byrote.cli.output import write_lines
from byrote.errors import ByroteError, CannotRead, CannotWrite, IncompleteRun
from byrote.runs import interrupts

# Click's base class of errors in arguments; recent releases of typer contain their own click.
_UsageError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


Result = TypeVar("Result")


class Exit(IntEnum):
    """Exit codes of the command."""

    DONE = 0
    UNEXPECTED = 1
    UNUSABLE = 2
    FAILED = 3
    INCOMPLETE = 4
    INTERRUPTED = 130


# Errors of the system: a path that cannot be used; no room, or a disk that does not answer.
_SYSTEM_ERRORS = dict.fromkeys(
    (
        errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR,
        errno.ELOOP,
    ),
    Exit.UNUSABLE,
) | dict.fromkeys(
    (
        errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE, errno.ENFILE,
        errno.EAGAIN, errno.EIO, errno.ESTALE,
    ),
    Exit.INCOMPLETE,
)  # fmt: skip


def run(command: Callable[[], int | None], *, debug: bool) -> int:  # noqa: PLR0911 (one each)
    """Call a command; turn what it raises into an exit code and a sentence."""
    try:
        code = command() or Exit.DONE
        sys.stdout.flush()
        return code
    except typer.Exit as error:
        return int(error.exit_code)
    except _UsageError as error:
        complain(_sentence_of(error))
        return Exit.UNUSABLE
    except (KeyboardInterrupt, typer.Abort):
        interrupts.ignore_signals()
        complain("interrupted")
        return Exit.INTERRUPTED
    except (IncompleteRun, CannotRead, CannotWrite) as error:
        complain(str(error))
        return Exit.INCOMPLETE
    except ByroteError as error:
        complain(str(error))
        return Exit.UNUSABLE
    except BrokenPipeError:  # the reader of standard output has closed it
        _close_standard_output()
        return Exit.DONE
    except MemoryError:
        complain("out of memory; finished fits are kept, and the same command resumes")
        return Exit.INCOMPLETE
    except OSError as error:
        if error.errno not in _SYSTEM_ERRORS or debug:
            return _unexpected(error, debug=debug)
        if error.filename is None:  # errors of files name them
            _close_standard_output()
        complain(f"{error.filename or 'standard output'}: {error.strerror}")
        return _SYSTEM_ERRORS[error.errno]
    except Exception as error:  # a bug: its message may quote records, so only --debug shows it
        return _unexpected(error, debug=debug)


def complete_or_not(compute: Callable[..., Result]) -> tuple[Result, int]:
    """Compute a result of a run with the exit code; print which fits are missing, if any.

    Raises
    ------
    IncompleteRun
        If no fit is finished.
    """
    try:
        return compute(partial=False), Exit.DONE
    except IncompleteRun as error:
        result = compute(partial=True)
        complain(str(error))
        return result, Exit.INCOMPLETE


def complain(text: str) -> None:
    """Print one line on standard error, unless that is closed."""
    with suppress(OSError):
        write_lines(f"byrote: {' '.join(text.splitlines())}", sys.stderr)


def _sentence_of(error: Any) -> str:
    """Return what is wrong with a command line, and the way out, in a sentence."""
    parameter, cause = getattr(error, "param", None), error.__cause__
    if parameter is not None and hasattr(cause, "errors"):  # of pydantic, which typer asks
        problem = cause.errors()[0]
        for kind, expected in (("int", "a whole number"), ("float", "a number")):
            if problem["type"].startswith(kind):
                return f"{parameter.opts[-1]} must be {expected}; got {problem['input']!r}"
    text, command = error.format_message().rstrip("."), getattr(error.ctx, "command_path", "byrote")
    return f"{text[:1].lower()}{text[1:]}; {command} --help lists what there is"


def _unexpected(error: Exception, *, debug: bool) -> int:
    if debug:
        write_lines(traceback.format_exc(), sys.stderr)
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        complain(
            f"unexpected {type(error).__name__} at {frame.filename}:{frame.lineno};"
            " --debug prints the full error"
        )
    return Exit.UNEXPECTED


def _close_standard_output() -> None:
    """Discard pending output, so that Python does not try to write it as it exits."""
    with suppress(OSError, ValueError):  # not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
