"""Exit codes, and how an error becomes one sentence on standard error."""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any

import typer

from byrote.errors import ByroteError, CannotRead, CannotWrite, IncompleteRun
from byrote.fits import interrupts

# Click's base of all complaints about arguments; newer releases of typer carry their own click.
_UsageError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


class Exit(IntEnum):
    """What the command's exit code says."""

    DONE = 0
    UNEXPECTED = 1
    UNUSABLE = 2
    FAILED = 3
    INCOMPLETE = 4
    INTERRUPTED = 130


# What the system refuses: a path that cannot be used; room, or a disk that does not answer.
_REFUSALS = dict.fromkeys(
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
    """Call a command; whatever it raises becomes an exit code and a sentence."""
    try:
        code = command() or Exit.DONE
        sys.stdout.flush()
        return code
    except typer.Exit as error:
        return int(error.exit_code)
    except _UsageError as error:
        error.show(sys.stderr)
        return Exit.UNUSABLE
    except (KeyboardInterrupt, typer.Abort):
        interrupts.ignore()
        complain("interrupted")
        return Exit.INTERRUPTED
    except (IncompleteRun, CannotRead, CannotWrite) as error:
        complain(str(error))
        return Exit.INCOMPLETE
    except ByroteError as error:
        complain(str(error))
        return Exit.UNUSABLE
    except BrokenPipeError:  # the reader of standard output has seen enough
        _close_standard_output()
        return Exit.DONE
    except MemoryError:
        complain("out of memory; what was finished is kept, and the same command goes on from it")
        return Exit.INCOMPLETE
    except OSError as error:
        if error.errno not in _REFUSALS or debug:
            return _unexpected(error, debug=debug)
        if error.filename is None:  # every other file is named by what writes it
            _close_standard_output()
        complain(f"{error.filename or 'standard output'}: {error.strerror}")
        return _REFUSALS[error.errno]
    except Exception as error:  # a defect: its text may quote records, so it is shown on request
        return _unexpected(error, debug=debug)


def complain(text: str) -> None:
    """One line on standard error, if there is still somebody to read it."""
    with suppress(OSError):
        print(f"byrote: {text}", file=sys.stderr)  # noqa: T201


def _unexpected(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    else:
        place = traceback.extract_tb(error.__traceback__)[-1]
        complain(
            f"unexpected {type(error).__name__} at {place.filename}:{place.lineno};"
            " --debug shows all of it"
        )
    return Exit.UNEXPECTED


def _close_standard_output() -> None:
    """Let what cannot be written go nowhere, so that the end of the process does not try again."""
    with suppress(OSError, ValueError):  # it is no file, and nothing is tried
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
