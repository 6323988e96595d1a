"""Exit codes, and how an error becomes one sentence on standard error."""

import io
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import typer

from byrote.cli.streams import write_lines
from byrote.errors import ByroteError, IncompleteRun

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


def run(command: Callable[[], int | None], *, debug: bool) -> int:  # noqa: PLR0911 (one each)
    """Call a command; whatever it raises becomes an exit code and a sentence."""
    try:
        return command() or Exit.DONE
    except typer.Exit as error:
        return int(error.exit_code)
    except _UsageError as error:
        said = io.StringIO()
        error.show(said)
        write_lines(said.getvalue(), sys.stderr)
        return Exit.UNUSABLE
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return Exit.INTERRUPTED
    except IncompleteRun as error:
        complain(str(error))
        return Exit.INCOMPLETE
    except ByroteError as error:
        complain(str(error))
        return Exit.UNUSABLE
    except BrokenPipeError:  # the reader of standard output has seen enough
        sys.stderr.close()
        return Exit.DONE
    except Exception as error:  # a defect: its text may quote records, so it is shown on request
        if debug:
            write_lines(traceback.format_exc(), sys.stderr)
        else:
            place = traceback.extract_tb(error.__traceback__)[-1]
            complain(
                f"unexpected {type(error).__name__} at {place.filename}:{place.lineno};"
                " --debug shows all of it"
            )
        return Exit.UNEXPECTED


def complain(text: str) -> None:
    """One line on standard error."""
    write_lines(f"byrote: {' '.join(text.splitlines())}", sys.stderr)
