"""The only way to standard output and error: every character printable, none lost.

Names, labels, paths and messages may come from a stranger's file. Characters that are not
printable are escaped, and those that the encoding of a stream lacks are written in ASCII.
"""

import codecs
import io
import sys
from typing import TYPE_CHECKING, Any, TextIO

from byrote.errors import printable

if TYPE_CHECKING:
    import pandas as pd

_ERROR_HANDLER = "byrote.ascii"
_ASCII = {  # signs of byrote's own texts; of others the code point is written
    "–": "-", "−": "-", "·": "|", "…": "...", "±": "+/-", "∞": "inf", "≥": ">=", "≤": "<=",
    "×": "x", "≈": "~", "─": "-", "²": "^2", "₂": "2", "ρ": "rho", "δ": "delta", "√": "sqrt",
}  # fmt: skip


def prepare() -> None:
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
