"""The cells of a large table in the order of their values, in little memory and time.

Sorting is fast, and finding out where each sorted value came from is slow. So what is sorted are
whole numbers: a value, rounded to the bits that its cell leaves free, and behind it the row, the
column and a flag of the cell. Cells whose values are rounded to the same are then put in their
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
_BLOCK = 1 << 17  # cells returned at a time: those in a processor's cache
_RANGE, _MANY, _NONE = 1 << 21, 255, 255  # cells of a range, about; most ranges; of no range
_BITS, _MOST = 63, 50  # of a whole number, and of a rounded value
_SAMPLE = 10_000  # values that show where most of them lie


@dataclass(frozen=True, eq=False)
class SortedCells:
    """Cells in the order of their values, (k,): row, column and flag.

    starts: where each different value begins; None if no two are equal.
    """

    row: Places
    column: Places
    flag: Flags
    starts: Places | None


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
        self._range = np.empty(values.shape, np.uint8)
        self.counts: Places = sum(
            in_order(partial(self._divide, cuts), range(len(values)), size=values.size),
            np.zeros((len(cuts) + 1, 2), np.int64),
        )

    def _divide(self, cuts: Array, row: int) -> Places:
        """Find the range of each cell of a row; returns the counts."""
        for columns in blocks(self.values.shape[1], _BLOCK):
            values, ranges = self.values[row, columns], self._range[row, columns]
            ranges[:] = 0
            for cut in cuts:
                ranges += values >= cut
            ranges[np.isnan(values)] = _NONE
        counts = np.zeros((len(cuts) + 1, 2), np.int64)
        for number in range(len(counts)):
            inside = self._range[row] == number
            counts[number] = np.count_nonzero(inside), np.count_nonzero(inside & self.flags[row])
        return counts

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
        rows = zip(self.values, self._range, self.flags, strict=True)
        parts = [values[(ranges == number) & ~flags] for values, ranges, flags in rows]
        return np.sort(np.concatenate(parts))

    def _packed(self, number: int, columns: int, shift: int) -> Places:
        """Round values to whole numbers, in the same order, and put their cells behind them."""
        low, high = self._ends[number : number + 2]
        top = 2.0 ** min(_BITS - shift, _MOST) - 1
        scale = top / (2 * min(max(high - low, 1e-200), 1e200))
        packed, stop = np.empty(self.counts[number, 0], np.int64), 0
        for row, flags in enumerate(self.flags):
            places = np.flatnonzero(self._range[row] == number)
            start, stop = stop, stop + len(places)
            with np.errstate(over="ignore"):
                rounded = (self.values[row][places] - low) * scale
            rounded += top / 4
            cells = np.clip(rounded, 0, top, out=rounded).astype(np.int64)
            cells <<= shift
            cells += (row << (columns + 1)) + 2 * places
            np.add(cells, flags[places], out=packed[start:stop])
        return packed

    def _put_in_order(self, cells: Places, columns: int, shift: int) -> Places | None:
        """Order cells, in place, that are rounded to the same; return where each value begins."""
        rounded = cells >> shift
        same = np.flatnonzero(rounded[1:] == rounded[:-1])
        if not len(same):
            return None
        several = np.union1d(same, same + 1)
        row, column, _ = _cell(cells[several], columns, shift)
        exact = self.values[row, column]
        order = np.lexsort((exact, rounded[several]))
        cells[several], exact = cells[several][order], exact[order]
        new = np.ones(len(cells), np.bool_)
        new[same + 1] = False
        new[several[1:]] |= exact[1:] != exact[:-1]
        return None if new.all() else np.flatnonzero(new)


def _cell(packed: Places, columns: int, shift: int) -> tuple[Places, Places, Flags]:
    cell = packed & ((1 << shift) - 1)
    return cell >> (columns + 1), (cell >> 1) & ((1 << columns) - 1), (cell & 1).astype(np.bool_)
