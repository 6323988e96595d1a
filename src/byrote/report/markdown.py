"""Text and tables as Markdown, where nothing that a stranger wrote is markup."""

from collections.abc import Sequence

from byrote.errors import printable

_MARKS = "|`*_<[~$#&"


def safe(cell: str) -> str:
    r"""Escape text so that it stays within its cell and is not markup.

    Examples
    --------
    >>> safe("a|b <i>*c*</i>")
    'a\\|b \\<i>\\*c\\*\\</i>'
    """
    text = printable(cell).replace("\\", "\\\\")
    for mark in _MARKS:
        text = text.replace(mark, f"\\{mark}")
    return text


def pipes(rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    """Return a table; the first row is its head.

    numbers: whether all columns but the first hold numbers, which stand on the right.
    """
    head, *body = rows
    right = "---:" if numbers and len(head) > 2 else "---"
    lines = [head, ["---", *[right] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(safe(cell) for cell in line)} |" for line in lines)
