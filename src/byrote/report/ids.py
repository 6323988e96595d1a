"""Ids in a column of a table: cut in the middle where there is no room, and never two alike."""

from collections.abc import Iterable
from os.path import commonprefix

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from byrote.errors import printable


class Ids:
    """The ids of a table, each a cell that knows the others.

    Where cuts would make two of them equal, ids are folded over several lines instead.
    """

    def __init__(self, ids: Iterable[object]) -> None:
        self._texts = tuple(dict.fromkeys(map(printable, ids)))
        self._cut: dict[int, dict[str, str]] = {}  # by width

    def cell(self, value: object) -> "IdCell":
        """Return the cell of one of the ids."""
        return IdCell(printable(value), self)

    def cut(self, width: int) -> dict[str, str]:
        """Return the ids as they stand in a column of this width.

        Examples
        --------
        >>> list(Ids(["scans/left-17.png", "scans/left-18.png"]).cut(11).values())
        ['scans…7.png', 'scans…8.png']
        >>> list(Ids(["scans/left-17.png", "scans/left-18.png"]).cut(7).values())
        ['sc…-17…', 'sc…-18…']
        """
        if width not in self._cut:
            self._cut[width] = self._distinct(width)
        return self._cut[width]

    def _distinct(self, width: int) -> dict[str, str]:
        reverse = [text[::-1] for text in self._texts]
        ending = len(commonprefix(reverse))  # noqa: RUF071 (characters are compared)
        for left_out in (0, ending):  # an ending of all, such as ".png", distinguishes none
            middle = (width - 1) // 2
            for tail in sorted(range(1, width - 2), key=lambda tail: abs(tail - middle)):
                cut = {text: _cut(text, width, tail, left_out) for text in self._texts}
                if len({*cut.values()}) == len(cut):
                    return cut
        return {text: text for text in self._texts}


class IdCell:
    """A cell with an id, cut to the width of its column."""

    def __init__(self, text: str, ids: Ids) -> None:
        self._text, self._ids = text, ids

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, cell_len(self._text)).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self._ids.cut(options.max_width)[self._text], overflow="fold")


def _cut(text: str, width: int, tail: int, left_out: int) -> str:
    """Cut a text in its middle to a width, with ``tail`` characters after the cut.

    The last ``left_out`` characters are cut, too. A text with wide characters is left whole.
    """
    if cell_len(text) <= width or cell_len(text) != len(text):
        return text
    rest, end = (text[:-left_out], "…") if left_out else (text, "")
    return f"{rest[: width - 1 - tail - len(end)]}…{rest[-tail:]}{end}"
