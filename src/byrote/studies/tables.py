"""Tables of reports, for the terminal and as Markdown."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from byrote.errors import printable

Rows = Sequence[Sequence[str]]


def table(rows: Rows) -> Table:
    """A table for the terminal; the first row is its head, which may be empty."""
    head, *body = rows
    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(head))
    found.add_column(head[0])
    for title in head[1:]:
        found.add_column(title, justify="right" if len(head) > 2 else "left")
    for row in body:
        found.add_row(*(Text(printable(cell)) for cell in row))
    return found


def pipes(rows: Rows) -> str:
    """A Markdown table."""
    head, *body = rows
    right = "---:" if len(head) > 2 else "---"
    lines = [head, ["---", *[right] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(safe(cell) for cell in line)} |" for line in lines)


def safe(cell: str) -> str:
    """Text that stays within its cell and is no markup."""
    text = printable(cell).replace("\\", "\\\\")
    for mark in "|`*_<[":
        text = text.replace(mark, f"\\{mark}")
    return text
