"""Style of all figures: sizes, colours, axes, legends, and the line that says what they show."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubplotParams
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox, ScaledTranslation, Transform
from numpy.typing import ArrayLike

from byrote.errors import InvalidInput, printable
from byrote.stats.estimate import Estimate

SINGLE, DOUBLE = 3.3, 6.8  # inches: one column of a page, and both
TEXT, SMALL = 8.0, 7.0  # points
_SIGNED = "shows"
_TINY, _LINE, _LETTER = 5.5, 7.0, 3.0  # points: the line below a figure, its height, a letter

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


def run_style(place: int) -> dict[str, Any]:
    """Return colour and dashes of a run by its place."""
    color, dashes = RUNS[place % len(RUNS)]
    return {"color": color, "linestyle": dashes}


def draw_estimates(
    ax: Axes, x: ArrayLike, estimates: Sequence[Estimate], *, hollow: bool = False, **look: Any
) -> None:
    """Draw estimates at ``x`` as marks on a line, each with its interval; look: of the line."""
    color = look["color"]
    ends = np.array([estimate.interval for estimate in estimates])
    ax.vlines(x, ends[:, 0], ends[:, 1], color=color, linewidth=0.9, alpha=0.7)
    values = [estimate.value for estimate in estimates]
    face = "white" if hollow else color
    ax.plot(x, values, **{"marker": "o", **look}, markersize=3.5, markerfacecolor=face)


def side_keys() -> list[Line2D]:
    """Return the legend of filled marks, with the text in training, and hollow ones, without."""
    look = {"color": GREY, "linestyle": "none", "markersize": 3.5, "marker": "o"}
    faces = {"trained on the text": GREY, "not": "white"}
    return [key(label, markerfacecolor=face, **look) for label, face in faces.items()]


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


def width_in_points(ax: Axes) -> float:
    """Estimate the width of axes that are not laid out yet."""
    usual = SubplotParams()
    part = 0.84 * ax.get_position().width / (usual.right - usual.left)
    return float(72 * figure_of(ax).get_size_inches()[0] * part)


def points_up(ax: Axes, points: float) -> Transform:
    """Return the transformation of data, moved up by some points."""
    return ax.transData + ScaledTranslation(0, points / 72, figure_of(ax).dpi_scale_trans)


def sign(figure: Figure, text: str) -> None:
    """Write a small line below a figure, where ``extent`` ends."""
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(text, int(72 * (width - 0.1) / _LETTER))
    figure.text(
        0.05 / width,
        -2 / 72 / height,
        "\n".join(lines),
        fontsize=_TINY,
        color=GREY,
        verticalalignment="top",
        parse_math=False,
        gid=_SIGNED,
    ).set_in_layout(False)


def extent(figure: Figure) -> Bbox:
    """Return the area of a figure with the line below it, inches."""
    signed = [text.get_text() for text in figure.texts if text.get_gid() == _SIGNED]
    lines = sum(1 + text.count("\n") for text in signed)
    room = (_LINE * lines + 5) / 72 if lines else 0.0
    width, height = figure.get_size_inches()
    return Bbox([[0.0, -room], [width, height]])


def _columns(ax: Axes, labels: list[str]) -> int:
    """Return the number of columns that fit: letters of 7 points are about 4 points wide."""
    points = width_in_points(ax)
    for columns in range(len(labels), 1, -1):
        filled = np.array_split([len(label) for label in labels], columns)
        if sum(4.1 * max(lengths) + 32 for lengths in filled) <= points:
            return columns
    return 1
