"""Tables for the terminal and notebooks, all of one look."""

from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from byrote.errors import printable

WIDTH = 120  # columns where there is no terminal


class Printable:
    """Rich content whose texts are printable, line by line, and never taken for markup."""

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = options.update(markup=False, highlight=False)
        for segment in console.render(self._content, plain):
            lines = segment.text.split("\n")
            yield segment._replace(text="\n".join(map(printable, lines)))


def new_table(*titles: str, left: int = 1, title: str = "", whole: tuple[str, ...] = ()) -> Table:
    """Return an empty table with a column for each title.

    Parameters
    ----------
    left
        Number of columns, from the first, that are aligned on the left; numbers on the right.
    title
        Printed in bold above the table.
    whole
        Titles of columns that a narrow terminal does not break.
    """
    look: dict[str, Any] = {"box": None, "pad_edge": False, "padding": (0, 2, 0, 0)}
    table = Table(title=title or None, title_justify="left", title_style="bold", **look)
    for place, name in enumerate(titles):
        justify: Any = "left" if place < left else "right"
        table.add_column(Text(name), justify=justify, no_wrap=name in whole)
    return table


def add_ellipsis(table: Table, hidden: int) -> None:
    """Add a last row that counts the rows left out, if any."""
    if hidden > 0:
        table.add_row(f"… and {hidden:,} more", *[""] * (len(table.columns) - 1))
