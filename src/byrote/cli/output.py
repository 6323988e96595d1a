"""Everything on standard output and error: results as text, JSON or CSV; every character printable.

Names, labels, paths and messages may come from a stranger's file. Characters that are not
printable are escaped, and those that the encoding of a stream lacks are written in ASCII.
"""

import codecs
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TextIO

from byrote.errors import InvalidInput, printable

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["text", "json", "csv"]
_ERROR_HANDLER = "byrote.ascii"
_ASCII = {  # signs of byrote's own texts; of others the code point is written
    "–": "-", "−": "-", "·": "|", "…": "...", "±": "+/-", "∞": "inf", "≥": ">=", "≤": "<=",
    "×": "x", "≈": "~", "─": "-", "²": "^2", "₂": "2", "ρ": "rho", "δ": "delta", "√": "sqrt",
}  # fmt: skip


def prepare_streams() -> None:
    """Make both standard streams accept every character, whatever their encoding."""
    codecs.register_error(_ERROR_HANDLER, _encode_in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERROR_HANDLER)


def _encode_in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    replacement = "".join(
        _ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in missing
    )
    return replacement, error.end


def write_lines(text: str, stream: TextIO) -> None:
    """Write text line by line, each made printable."""
    for line in text.splitlines() or [""]:
        stream.write(f"{printable(line)}\n")


def write_rich(content: Any) -> None:
    """Write rich content on standard output, 120 columns wide if that is not a terminal."""
    from rich.console import Console  # noqa: PLC0415 (slow to import, as --help need not)

    from byrote.report.format import WIDTH, Printable  # noqa: PLC0415

    settings: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
    console = Console(**settings)
    if not console.is_terminal:
        console = Console(**settings, width=WIDTH)
    console.print(Printable(content))


def write_csv(frame: "pd.DataFrame", stream: TextIO) -> None:
    """Write a table as CSV; ``byrote.data.formats.csv`` keeps its texts safe and exact."""
    from byrote.data.formats.csv import escape_cell  # noqa: PLC0415 (slow to import)

    encoding = getattr(stream, "encoding", None) or "utf-8"
    texts = {
        str(name): [
            escape_cell(value, encoding) if isinstance(value, str) else value
            for value in frame[name]
        ]
        for name in frame
        if frame[name].dtype.kind not in "biuf"
    }
    frame.assign(**texts).to_csv(stream, index=False, lineterminator="\n")


# -- results -------------------------------------------------------------------------------------


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
    table: "Callable[[], pd.DataFrame] | None" = None,
) -> None:
    """Print a result in one format, rendering only that: text, data as JSON or a table as CSV.

    Text comes in lines or rich content; docs/csv.md documents how texts are written in CSV.
    """
    if output == "csv" and table is not None:
        write_csv(table(), sys.stdout)
    elif output == "json":
        json.dump(data(), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        for part in text():
            print_text(part)


def print_text(content: object) -> None:
    """Print a line or rich content, as wide as it needs where standard output is not a terminal."""
    if isinstance(content, str):
        write_lines(content, sys.stdout)
    else:
        write_rich(content)


@contextmanager
def standard_output_kept_clean() -> Iterator[None]:
    """Send the output of models, in this process and in its workers, to standard error."""
    sys.stdout.flush()
    terminal = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(terminal, 1)
        os.close(terminal)
