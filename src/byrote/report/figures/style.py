"""What all figures share: sizes for print, colours that all readers tell apart, frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote.errors import InvalidInput, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SINGLE, DOUBLE = 3.3, 6.8  # inches: one column of a page, and both
TEXT, SMALL = 8.0, 7.0  # points

# Okabe & Ito (2008): told apart by colour-blind readers.
BLUE, ORANGE, VERMILION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#595959"
# One a run; the dashes tell them apart in grey.
RUNS: tuple[tuple[str, Any], ...] = (
    (BLUE, "-"),
    (VERMILION, (0, (4, 1.5))),
    (GREEN, (0, (4, 1.2, 1, 1.2))),
    (PURPLE, (0, (1, 1.2))),
    (ORANGE, (0, (6, 1, 1, 1, 1, 1))),
    (SKY, (0, (8, 2))),
)
# The two groups of records; the hatch tells them apart in grey.
HIGH: dict[str, Any] = {"color": ORANGE, "hatch": "////", "edgecolor": "black", "linewidth": 0.5}
REGULAR: dict[str, Any] = {"color": BLUE, "edgecolor": "black", "linewidth": 0.5}
HIGH_NAME, REGULAR_NAME = "highly memorized", "regular"


def new_axes(ax: "Axes | None", *, width: float = SINGLE, height: float = 2.4) -> "Axes":
    """The axes given, or those of a new figure of so many inches."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    return Figure(figsize=(width, height), layout="constrained").subplots()


def figure_of(ax: "Axes") -> "Figure":
    """The figure that axes belong to."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise InvalidInput("ax must belong to a figure; it belongs to none")
    return figure


def tidy(ax: "Axes") -> None:
    """Two spines, and text that can be read in print."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(TEXT)
        axis.get_offset_text().set_fontsize(SMALL)


def whole_numbers(ax: "Axes") -> None:
    """A vertical axis that counts."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 (slow to load)

    ax.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def note(ax: "Axes", lines: list[str], *, left: bool = False) -> None:
    """What is not drawn, said inside, on the side where there is room."""
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
    """Colour and dashes of the run at a place."""
    color, dashes = RUNS[place % len(RUNS)]
    return {"color": color, "linestyle": dashes}


def check_runs(name: str, runs: int) -> None:
    """No more runs than there are ways to tell them apart."""
    if not 1 <= runs <= len(RUNS):
        raise InvalidInput(f"{name} must hold 1 to {len(RUNS)} runs; got {runs}")


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def legend_above(
    ax: "Axes", *, handles: Sequence[Any] = (), notes: Sequence[str] = (), title: str = ""
) -> None:
    """A legend above the axes, where it hides nothing; notes are lines without a key.

    As many columns as fit between the sides of the axes. Handles default to what is drawn.
    """
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    keys = list(handles) or ax.get_legend_handles_labels()[0]
    labels = [str(key.get_label()) for key in keys]
    legend = ax.legend(
        [*keys, *(Line2D([], [], linestyle="none") for _ in notes)],
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
    r"""A name of at most so many characters, drawn as it is written: the door of foreign text.

    Control characters are spelled out, and nothing is read as mathematics or, by a legend, as an
    order to leave the name out.

    Examples
    --------
    >>> short("a\x1bb", 9), short("$x^$", 9), short("_hidden", 5)
    ('a\\x1bb', '\\$x^\\$', ' _hid…')
    """
    text = printable(name)
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return f"{' ' if text.startswith('_') else ''}{text}".replace("$", r"\$")


def _columns(ax: "Axes", labels: list[str]) -> int:
    """How many columns of a legend fit: letters of 7 points are about 4 points wide."""
    from matplotlib.figure import SubplotParams  # noqa: PLC0415 (slow to load)

    usual = SubplotParams()
    part = 0.84 * ax.get_position().width / (usual.right - usual.left)  # once it is laid out
    points = 72 * figure_of(ax).get_size_inches()[0] * part
    for columns in range(len(labels), 1, -1):
        filled = np.array_split([len(label) for label in labels], columns)
        if sum(4.1 * max(lengths) + 32 for lengths in filled) <= points:
            return columns
    return 1
