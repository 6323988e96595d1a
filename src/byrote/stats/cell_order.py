"""The cells of a large table in the order of their values, in little memory and time.

Sorting is fast, and finding out where each sorted value came from is slow. So what is sorted are
whole numbers: a value, rounded to the bits that the place of its cell leaves free, and behind it
that place. Cells whose values are rounded to the same are then put in their exact order.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]
_BLOCK = 1 << 18  # cells returned at a time: those in a processor's cache
_BITS, _MOST = 63, 50  # of a whole number, and of a rounded value
_SAMPLE = 10_000  # values that show where most of them lie


def ascending(values: Array) -> Iterator[tuple[Places, Places]]:
    """Yield the cells of a table, (F, n), in the order of their values, some at a time.

    Yields the cells' places in the flattened table, (k,), and where among these each different
    value begins; equal values are not torn apart. Cells without a value (NaN) are left out.

    Examples
    --------
    >>> [(cells, starts)] = ascending(np.array([[3.0, np.nan], [1.0, 3.0]]))
    >>> cells.tolist(), starts.tolist()
    ([2, 0, 3], [0, 1])
    """
    shift = max(1, int(values.size - 1).bit_length())
    packed = _packed(values, shift)
    packed.sort()
    start, flat = 0, values.ravel()
    while start < len(packed):
        stop = min(start + _BLOCK, len(packed))
        if stop < len(packed):
            stop = int(np.searchsorted(packed, ((packed[stop - 1] >> shift) + 1) << shift))
        rounded, cells = packed[start:stop] >> shift, packed[start:stop] & ((1 << shift) - 1)
        yield cells, _put_in_order(cells, rounded, flat)
        start = stop


def _packed(values: Array, shift: int) -> Places:
    """Round values to whole numbers, in the same order, and put their places behind them."""
    sample = values.ravel()[:: max(1, values.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    low, high = (float(sample.min()), float(sample.max())) if len(sample) else (0.0, 0.0)
    top = 2.0 ** min(_BITS - shift, _MOST) - 1
    scale = top / (2 * min(max(high - low, 1e-200), 1e200))
    packed, stop = np.empty(np.count_nonzero(~np.isnan(values)), np.int64), 0
    for fit, row in enumerate(values):
        places = np.flatnonzero(~np.isnan(row))
        start, stop = stop, stop + len(places)
        with np.errstate(over="ignore"):
            rounded = np.clip((row[places] - low) * scale + top / 4, 0, top).astype(np.int64)
        packed[start:stop] = (rounded << shift) + (places + fit * len(row))
    return packed


def _put_in_order(cells: Places, rounded: Places, values: Array) -> Places:
    """Order cells, in place, that are rounded to the same; return where each value begins."""
    new = np.append(True, rounded[1:] != rounded[:-1])
    alone = new & np.append(new[1:], True)
    if not alone.all():
        several = np.flatnonzero(~alone)
        exact = values[cells[several]]
        order = np.lexsort((exact, rounded[several]))
        cells[several], exact = cells[several][order], exact[order]
        new[several[1:]] |= exact[1:] != exact[:-1]
    return np.flatnonzero(new)
