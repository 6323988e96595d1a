"""Style of all figures: sizes, colours, axes, legends, limits that leave out far values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubplotParams
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from byrote.errors import InvalidInput, printable
from byrote.report.format import number

SINGLE, DOUBLE = 3.3, 6.8  # inches: one column of a page, and both
TEXT, SMALL = 8.0, 7.0  # points

# Okabe & Ito (2008): distinct for colour-blind readers.
BLUE, ORANGE, VERMILION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#595959"
# One for each run; distinct in grey by their dashes.
RUNS: tuple[tuple[str, Any], ...] = (
    (BLUE, "-"),
    (VERMILION, (0, (4, 1.5))),
    (GREEN, (0, (4, 1.2, 1, 1.2))),
    (PURPLE, (0, (1, 1.2))),
    (ORANGE, (0, (6, 1, 1, 1, 1, 1))),
    (SKY, (0, (8, 2))),
)
# The two groups of records; distinct in grey by the hatch.
HIGH: dict[str, Any] = {"color": ORANGE, "hatch": "////", "edgecolor": "black", "linewidth": 0.5}
REGULAR: dict[str, Any] = {"color": BLUE, "edgecolor": "black", "linewidth": 0.5}
HIGH_NAME, REGULAR_NAME = "highly memorized", "regular"


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """Return an empty figure; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=TEXT)
    return figure


def new_axes(ax: Axes | None, *, width: float = SINGLE, height: float = 2.4) -> Axes:
    """Return ``ax``, or the axes of a new figure; sizes in inches."""
    return new_figure(width, height).subplots() if ax is None else ax


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes belong to."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise InvalidInput("ax must belong to a figure; it belongs to none")
    return figure


def tidy(ax: Axes) -> None:
    """Remove the upper and right spines, and set the sizes of text."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(TEXT)
        axis.get_offset_text().set_fontsize(SMALL)


def whole_numbers(ax: Axes) -> None:
    """Label the vertical axis with whole numbers."""
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def note(ax: Axes, lines: list[str], *, left: bool = False) -> None:
    """Write notes on values not drawn into the axes."""
    if lines:
        ax.annotate(
            "\n".join(lines),
            (0.02 if left else 0.99, 0.8),
            xycoords="axes fraction",
            horizontalalignment="left" if left else "right",
            verticalalignment="top",
            color=GREY,
            fontsize=SMALL,
        )


def run_style(place: int) -> dict[str, Any]:
    """Return colour and dashes of a run by its place."""
    color, dashes = RUNS[place % len(RUNS)]
    return {"color": color, "linestyle": dashes}


def check_runs(name: str, runs: int) -> None:
    """Check that there are runs, and no more than styles of lines."""
    if not 1 <= runs <= len(RUNS):
        raise InvalidInput(f"{name} must hold 1 to {len(RUNS)} runs; got {runs}")


def key(label: str, **look: Any) -> Line2D:
    """Return an entry of a legend."""
    return Line2D([], [], label=label, **look)


def legend_above(
    ax: Axes, *, handles: Sequence[Any] = (), notes: Sequence[str] = (), title: str = ""
) -> None:
    """Draw a legend above the axes, in as many columns as fit; notes are lines without a key."""
    entries = list(handles) or ax.get_legend_handles_labels()[0]
    labels = [str(entry.get_label()) for entry in entries]
    legend = ax.legend(
        [*entries, *(key("", linestyle="none") for _ in notes)],
        [*labels, *notes],
        title=title or None,
        title_fontsize=SMALL,
        alignment="left",
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=1 if notes else _columns(ax, labels),
        fontsize=SMALL,
        frameon=False,
        borderaxespad=0.2,
        borderpad=0.1,
        labelspacing=0.25,
        handlelength=2.6,
        columnspacing=1.2,
    )
    for text in legend.get_texts()[len(labels) :]:
        text.set_color(GREY)


def short(name: object, most: int) -> str:
    r"""Shorten a name to ``most`` characters, escaped for matplotlib.

    Control characters are escaped; "$" does not start mathematics, and "_" does not hide a label.

    Examples
    --------
    >>> short("a\x1bb", 9), short("$x^$", 9), short("_hidden", 5)
    ('a\\x1bb', '\\$x^\\$', ' _hid…')
    """
    text = printable(name)
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return f"{' ' if text.startswith('_') else ''}{text}".replace("$", r"\$")


def robust_limits(values: NDArray[np.float64], *, reach: float = 4.0) -> tuple[float, float]:
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


def beyond(values: NDArray[np.float64], low: float, high: float) -> list[str]:
    """Count the values outside the limits, in words; NaN is not counted."""
    notes = []
    finite = values[np.isfinite(values)]
    if above := np.count_nonzero(finite > high):
        notes.append(f"{above:,} beyond the edge,\nup to {number(finite.max())}")
    if below := np.count_nonzero(finite < low):
        notes.append(f"{below:,} before the edge,\ndown to {number(finite.min())}")
    if infinite := np.count_nonzero(np.isinf(values)):
        notes.append(f"{infinite:,} infinite")
    return notes


def _columns(ax: Axes, labels: list[str]) -> int:
    """Return the number of columns that fit: letters of 7 points are about 4 points wide."""
    usual = SubplotParams()
    part = 0.84 * ax.get_position().width / (usual.right - usual.left)  # once it is laid out
    points = 72 * figure_of(ax).get_size_inches()[0] * part
    for columns in range(len(labels), 1, -1):
        filled = np.array_split([len(label) for label in labels], columns)
        if sum(4.1 * max(lengths) + 32 for lengths in filled) <= points:
            return columns
    return 1
