"""How far out a figure of skewed numbers reaches, and what it says of those beyond."""

import numpy as np
from numpy.typing import NDArray

from byrote.report.format import number

Array = NDArray[np.float64]


def edges(values: Array, *, reach: float = 4.0) -> tuple[float, float]:
    """As far out as ``reach`` times the distance of the 5th and 95th percentile from the median.

    With an edge further out a histogram of skewed scores would show one bar. Values that do not
    vary get a little room on both sides. All must be finite.
    """
    q05, median, q95 = np.quantile(values, (0.05, 0.5, 0.95))
    low, high = float(values.min()), float(values.max())
    if q05 != q95:
        low = max(low, float(median - reach * (median - q05)))
        high = min(high, float(median + reach * (q95 - median)))
    rounding = 1e-9 * max(abs(low), abs(high))
    if high - low <= rounding:
        room = max(0.5, rounding)
        low, high = low - room, high + room
    return low, high


def beyond(values: Array, low: float, high: float) -> list[str]:
    """How many of the values lie outside, in words; NaN is not counted."""
    found = []
    finite = values[np.isfinite(values)]
    if above := np.count_nonzero(finite > high):
        found.append(f"{above:,} beyond the edge,\nup to {number(finite.max())}")
    if below := np.count_nonzero(finite < low):
        found.append(f"{below:,} before the edge,\ndown to {number(finite.min())}")
    if infinite := np.count_nonzero(np.isinf(values)):
        found.append(f"{infinite:,} infinite")
    return found
