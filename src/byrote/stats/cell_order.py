"""The cells of a large table in the order of their values, in little memory and time.

Sorting is fast, and finding out where each sorted value came from is slow. So what is sorted are
whole numbers: a value, rounded to the bits that its cell leaves free, and behind it the row, a
flag and the column of the cell. Cells whose values are rounded to the same are then put in their
exact order. A large table is cut into ranges of values, which can be sorted one at a time or
several at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from byrote.stats.rows import blocks
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
_BLOCK = 1 << 15  # cells returned at a time: those in a processor's cache
_COLUMNS = 1 << 16  # whose places in a row are short whole numbers
_RANGE, _MANY = 1 << 21, 18  # cells of a range, about; most ranges, each a pass through the table
_BITS, _MOST = 63, 50  # of a whole number, and of a rounded value
_SAMPLE = 10_000  # values that show where most of them lie


@dataclass(frozen=True, eq=False)
class SortedCells:
    """Cells in the order of their values, (k,).

    side: twice the row, plus 1 of cells with the flag. starts: where each different value begins;
    None if no two are equal.
    """

    side: Places
    column: Places
    starts: Places | None

    @property
    def row(self) -> Places:
        """The row of each cell."""
        return self.side >> 1

    @property
    def flag(self) -> Flags:
        """The flag of each cell."""
        return (self.side & 1).astype(np.bool_)


class CellOrder:
    """The cells of a table, (F, n), by ranges of their values, ascending; NaN is in none.

    flags: (F, n) one of each cell. counts: (R, 2) number of cells in each range, and of those
    with the flag.

    Examples
    --------
    >>> values = np.array([[3.0, np.nan], [1.0, 3.0]])
    >>> order = CellOrder(values, np.array([[True, False], [False, False]]))
    >>> order.counts.tolist()
    [[3, 1]]
    >>> [cells] = order.ascending(0)
    >>> cells.row.tolist(), cells.column.tolist(), cells.flag.tolist(), cells.starts.tolist()
    ([1, 0, 1], [0, 0, 1], [False, True, False], [0, 1])
    """

    def __init__(self, values: Array, flags: Flags) -> None:
        self.values, self.flags = values, flags
        sample = values.ravel()[:: max(1, values.size // _SAMPLE)]
        sample = np.sort(sample[np.isfinite(sample)])
        number = min(-(-values.size // _RANGE), _MANY) if len(sample) else 1
        cuts = np.unique(sample[np.arange(1, number) * len(sample) // number])
        self._ends = [*sample[:1].tolist(), *cuts.tolist(), *sample[-1:].tolist()] or [0.0, 0.0]
        # Of each block of a row's columns: its cells by range, and where each range begins there.
        self._blocks = [*blocks(values.shape[1], _COLUMNS)]
        self._cells = np.empty(values.shape, np.uint16)
        self._starts = np.zeros((len(values), len(self._blocks), len(cuts) + 2), np.intp)
        self.counts: Places = sum(
            in_order(partial(self._divide, cuts), range(len(values)), size=values.size),
            np.zeros((len(cuts) + 1, 2), np.int64),
        )

    def _divide(self, cuts: Array, row: int) -> Places:
        """Sort the cells of a row by range; returns the counts."""
        none = len(cuts) + 1
        counts = np.zeros((none, 2), np.int64)
        for columns, starts in zip(self._blocks, self._starts[row], strict=True):
            values = self.values[row, columns]
            ranges = np.zeros(len(values), np.uint8)
            for cut in cuts:
                ranges += values >= cut
            ranges[np.isnan(values)] = none
            self._cells[row, columns] = np.argsort(ranges, kind="stable")
            sides = np.bincount(2 * ranges + self.flags[row, columns], minlength=2 * none)
            unflagged, flagged = sides[: 2 * none].reshape(none, 2).T
            sizes = unflagged + flagged
            np.cumsum(sizes, out=starts[1:])
            counts += np.stack([sizes, flagged], axis=1)
        return counts

    def columns(self, row: int, number: int) -> Places:
        """Return the columns of a row's cells in a range."""
        ends = self._starts[row, :, number : number + 2].tolist()
        parts = [
            np.add(self._cells[row, block][start:stop], block.start, dtype=np.int64)
            for block, (start, stop) in zip(self._blocks, ends, strict=True)
        ]
        return np.concatenate(parts)

    def ascending(self, number: int) -> Iterator[SortedCells]:
        """Yield the cells of a range in the order of their values, some at a time.

        Equal values are not torn apart.
        """
        rows, columns = (max(1, (size - 1).bit_length()) for size in self.values.shape)
        shift = rows + columns + 1
        packed = self._packed(number, columns, shift)
        packed.sort()
        start = 0
        while start < len(packed):
            stop = min(start + _BLOCK, len(packed))
            if stop < len(packed):
                stop = int(np.searchsorted(packed, ((packed[stop - 1] >> shift) + 1) << shift))
            cells = packed[start:stop]
            starts = self._put_in_order(cells, columns, shift)
            yield SortedCells(*_cell(cells, columns, shift), starts)
            start = stop

    def unflagged(self, number: int) -> Array:
        """Return the values of a range without the flag in ascending order."""
        parts = []
        for row, (values, flags) in enumerate(zip(self.values, self.flags, strict=True)):
            columns = self.columns(row, number)
            parts.append(values[columns[~flags[columns]]])
        return np.sort(np.concatenate(parts))

    def _packed(self, number: int, columns: int, shift: int) -> Places:
        """Round values to whole numbers, in the same order, and put their cells behind them."""
        low, high = self._ends[number : number + 2]
        top = 2.0 ** min(_BITS - shift, _MOST) - 1
        scale = top / (2 * min(max(high - low, 1e-200), 1e200))
        packed, stop = np.empty(self.counts[number, 0], np.int64), 0
        for row, (values, flags) in enumerate(zip(self.values, self.flags, strict=True)):
            places = self.columns(row, number)
            start, stop = stop, stop + len(places)
            with np.errstate(over="ignore"):
                rounded = (values[places] - low) * scale
            rounded += top / 4
            cells = packed[start:stop]
            cells[:] = np.clip(rounded, 0, top, out=rounded)
            cells <<= shift - columns
            cells += flags[places]
            cells += 2 * row
            cells <<= columns
            cells += places
        return packed

    def _put_in_order(self, cells: Places, columns: int, shift: int) -> Places | None:
        """Order cells, in place, that are rounded to the same; return where each value begins."""
        rounded = cells >> shift
        same = np.flatnonzero(rounded[1:] == rounded[:-1])
        if not len(same):
            return None
        several = np.union1d(same, same + 1)
        side, column = _cell(cells[several], columns, shift)
        exact = self.values[side >> 1, column]
        order = np.lexsort((exact, rounded[several]))
        cells[several], exact = cells[several][order], exact[order]
        new = np.ones(len(cells), np.bool_)
        new[same + 1] = False
        new[several[1:]] |= exact[1:] != exact[:-1]
        return None if new.all() else np.flatnonzero(new)


def _cell(packed: Places, columns: int, shift: int) -> tuple[Places, Places]:
    side = packed >> columns
    side &= (1 << (shift - columns)) - 1
    return side, packed & ((1 << columns) - 1)
