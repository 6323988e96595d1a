"""What every character passes on its way to the terminal: nothing in it is obeyed or lost.

Names, labels, paths and messages may come from a stranger's file. Whatever is not a printable
character is spelled out, and what the encoding of the stream lacks is written in ASCII.
"""

import codecs
import io
import sys
from typing import TYPE_CHECKING, Any, TextIO

from byrote.errors import printable

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderResult

_HANDLER = "byrote.spelled"
_SPELLED = {  # our own signs; of others the code point is written
    "–": "-", "−": "-", "·": "|", "…": "...", "±": "+/-", "∞": "inf", "≥": ">=", "≤": "<=",
    "×": "x", "≈": "~", "─": "-", "²": "^2", "₂": "2", "ρ": "rho", "δ": "delta", "√": "sqrt",
}  # fmt: skip


def prepare() -> None:
    """Make both standard streams take every character, whatever their encoding."""
    codecs.register_error(_HANDLER, _spell)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    spelled = "".join(
        _SPELLED.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking
    )
    return spelled, error.end


def write_lines(text: str, stream: TextIO) -> None:
    """Text of several lines, each made printable."""
    for line in text.splitlines() or [""]:
        stream.write(f"{printable(line)}\n")


def write_rich(content: Any) -> None:
    """Rich content on standard output, as wide as it needs where nobody is watching."""
    from rich.console import Console  # noqa: PLC0415 (slow to load)

    plain: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
    console = Console(**plain)
    if not console.is_terminal:
        console = Console(**plain, width=120)
    console.print(_Printable(content))


class _Printable:
    """Rich content whose texts are printable, line by line."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        for segment in console.render(self._content, options):
            lines = segment.text.split("\n")
            yield segment._replace(text="\n".join(map(printable, lines)))


def write_csv(frame: "pd.DataFrame", stream: TextIO) -> None:
    """A table as CSV, whose texts ``byrote.data.formats.csv`` keeps safe and exact."""
    from byrote.data.formats.csv import escape_cell  # noqa: PLC0415 (slow to load)

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
