"""A result on standard output: text for people, JSON or CSV for programs."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import pandas as pd

from byrote.cli import streams
from byrote.cli.exits import Exit, complain
from byrote.errors import IncompleteRun, InvalidInput

Result = TypeVar("Result")
Format = Literal["text", "json", "csv"]


def output_format(as_json: bool, as_csv: bool = False) -> Format:
    """Return the format of the result; --json together with --csv is rejected."""
    if as_json and as_csv:
        raise InvalidInput("--json and --csv exclude each other; got both")
    return "json" if as_json else "csv" if as_csv else "text"


def emit(
    output: Format,
    *,
    text: Callable[[], Iterable[object]],
    data: Callable[[], Any],
    table: Callable[[], pd.DataFrame] | None = None,
) -> None:
    """Print a result in one format, rendering only that: text, data as JSON or a table as CSV.

    Text comes in lines or rich content; docs/csv.md documents how texts are written in CSV.
    """
    if output == "csv" and table is not None:
        streams.write_csv(table(), sys.stdout)
    elif output == "json":
        json.dump(data(), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        for part in text():
            print_text(part)


def print_text(content: object) -> None:
    """Print a line or rich content, as wide as it needs where standard output is no terminal."""
    if isinstance(content, str):
        streams.write_lines(content, sys.stdout)
    else:
        streams.write_rich(content)


def complete_or_not(compute: Callable[..., Result]) -> tuple[Result, int]:
    """Compute a result of a run with the exit code; print what is missing, if anything is.

    Raises
    ------
    IncompleteRun
        If there is no finished fit to compute it from.
    """
    try:
        return compute(partial=False), Exit.DONE
    except IncompleteRun as error:
        result = compute(partial=True)
        complain(str(error))
        return result, Exit.INCOMPLETE


@contextmanager
def standard_output_kept_clean() -> Iterator[None]:
    """Send what models print, in this process and in workers started from it, to standard error."""
    sys.stdout.flush()
    terminal = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(terminal, 1)
        os.close(terminal)
