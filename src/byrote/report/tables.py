"""Tables for the terminal, all of one look."""

from typing import Any

from rich.table import Table
from rich.text import Text


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
