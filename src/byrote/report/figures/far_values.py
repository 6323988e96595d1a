"""Axes that end before their data do: bins beyond a break, and arrows at the edge."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from byrote.report.figures import style
from byrote.report.format import number

Array = NDArray[np.float64]
_GAP, _WIDE = 0.035, 0.045  # of an axis: a break, and at least the bin beyond it
_ROOM = 17  # points that half the label of a bin beyond takes


def robust_limits(values: Array, *, reach: float = 4.0) -> tuple[float, float]:
    """Return limits at ``reach`` times the distance of the 5th and 95th percentile from the median.

    With wider limits a histogram of skewed scores would show one bar. Values must be finite.
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


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins within limits, and one beyond each limit where there are values; infinite ones too."""

    low: float
    high: float
    left: Array  # (b,) of all bins, ascending
    width: Array  # (b,)
    place: NDArray[np.intp]  # (n,) bin of each value
    beyond: dict[int, str]  # range and number of the values in the bins beyond the limits

    @property
    def centres(self) -> Array:
        """Return the middle of each bin."""
        return self.left + self.width / 2

    def counts(self, rows: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Count the values of a group in each bin; rows: (n,)."""
        return np.bincount(self.place[rows], minlength=len(self.left))

    def range(self, place: int) -> str:
        """Return the range of the values in a bin beyond a limit."""
        return self.beyond[place].replace("\n", " ").partition(" (")[0]

    def finish(self, ax: Axes) -> None:
        """Set limits and ticks of the horizontal axis, with a break before each bin beyond it."""
        span = self.high - self.low
        ends = self.left[0], self.left[-1] + self.width[-1]
        room = 0.012 * span
        ax.set_xlim(ends[0] - room, ends[1] + room)
        pad = _ROOM * (ends[1] - ends[0]) / style.width_in_points(ax)
        first = self.low + (pad if 0 in self.beyond else 0)
        last = self.high - (pad if len(self.left) - 1 in self.beyond else 0)
        ticks = ax.xaxis.get_major_locator().tick_values(self.low, self.high)
        ax.set_xticks([tick for tick in ticks if first <= tick <= last])
        places = self.centres[list(self.beyond)]
        ax.set_xticks(places, list(self.beyond.values()), minor=True, fontsize=style.SMALL)
        for place in self.beyond:
            middle = self.low - _GAP * span / 2 if place == 0 else self.high + _GAP * span / 2
            _break(ax, middle)


def bins_of(values: Array, limits: tuple[float, float], edges: ArrayLike) -> Bins:
    r"""Sort values, none of them NaN, into bins between edges and beyond the limits.

    The first and the last edge may lie beyond the limits.

    Examples
    --------
    >>> bins = bins_of(np.array([0.0, 1.0, 3.0, 90.0, np.inf]), (0, 4), [0, 2, 4])
    >>> bins.place, bins.beyond
    (array([0, 0, 1, 2, 2]), {2: '90.0 to\n∞ (2)'})
    """
    (low, high), edges = limits, np.asarray(edges, np.float64)
    left, width = edges[:-1], np.diff(edges)
    below, above = values < low, values > high
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(left) - 1)
    span, beyond = edges[-1] - edges[0], {}
    wide = max(float(width[0]), _WIDE * span)
    if below.any():
        left = np.append(edges[0] - _GAP * span - wide, left)
        width = np.append(wide, width)
        place = np.where(below, 0, place + 1)
        beyond[0] = _range(values[below])
    if above.any():
        left, width = np.append(left, edges[-1] + _GAP * span), np.append(width, wide)
        place = np.where(above, len(left) - 1, place)
        beyond[len(left) - 1] = _range(values[above])
    return Bins(float(edges[0]), float(edges[-1]), left, width, place, beyond)


def _range(values: Array) -> str:
    low, high = (number(value) for value in (values.min(), values.max()))
    if len(values) == 1:
        return low
    return f"{low}\n({len(values):,})" if low == high else f"{low} to\n{high} ({len(values):,})"


def _break(ax: Axes, x: float) -> None:
    """Draw two strokes where the horizontal axis is broken."""
    ax.annotate(
        "//",
        (x, 0),
        xycoords=("data", "axes fraction"),
        horizontalalignment="center",
        verticalalignment="center",
        fontsize=style.SMALL,
        bbox={"facecolor": "white", "linewidth": 0, "pad": 0.3},
        zorder=5,
        annotation_clip=False,
    ).set_in_layout(False)


def far_out(values: Array, *, above: bool) -> str:
    """Return how many values lie beyond an edge, and how far, as text.

    Examples
    --------
    >>> far_out(np.array([3.0]), above=True), far_out(np.array([-3.0, -9.0]), above=False)
    ('3.00', '2 down to -9.00')
    """
    farthest = number(values.max() if above else values.min())
    if len(values) == 1:
        return farthest
    return f"{len(values):,} {'up' if above else 'down'} to {farthest}"


def arrows_at_edges(ax: Axes, values: Array, y: float, noun: str = "", **look: Any) -> None:
    """Draw arrows where values lie beyond the horizontal edges, and how many; y: of the axes."""
    low, high = ax.get_xlim()
    for above, beyond in ((False, values[values < low]), (True, values[values > high])):
        if len(beyond):
            text = far_out(beyond, above=above)
            arrow_at_edge(ax, y, f"{noun}{text}", right=above, axes=True, **look)


def arrow_at_edge(
    ax: Axes, y: float, text: str = "", *, right: bool, axes: bool = False, **look: Any
) -> None:
    """Draw an arrow at a horizontal edge, with a text inside it.

    ``y`` is in data, or with ``axes`` a fraction of the axes.
    """
    transform = ax.transAxes if axes else ax.get_yaxis_transform()
    x = 0.985 if right else 0.015
    shown = {"markersize": 5, "linestyle": "none", "clip_on": False, "zorder": 6, **look}
    ax.plot([x], [y], **{**shown, "marker": ">" if right else "<"}, transform=transform)
    if text:
        ax.annotate(
            text,
            (x, y),
            xycoords=transform,
            xytext=(-5 if right else 5, 0),
            textcoords="offset points",
            horizontalalignment="right" if right else "left",
            verticalalignment="center",
            fontsize=style.SMALL,
            color=style.GREY,
            zorder=6,
        )
