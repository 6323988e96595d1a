"""Marks of records: those found, those not cleared, the highest by M, and the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from byrote.report.figures import style
from byrote.report.format import number
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.moderated import SIGNIFICANCE

FOUND_NAME = f"found (q ≤ {SIGNIFICANCE:g})"
NONE_FOUND = f"none found (q ≤ {SIGNIFICANCE:g})"
UNKNOWN = "found: unknown, no p-values"
UNCLEARED_NAME = "not found, not cleared: interval far above 0"
OTHERS_NAME = "other records"

# Vermilion and diamonds belong to the records found, in all figures.
FOUND: dict[str, Any] = {
    "marker": "D",
    "markersize": 4.5,
    "color": style.VERMILION,
    "markeredgecolor": "black",
    "markeredgewidth": 0.5,
    "linestyle": "none",
}
UNCLEARED: dict[str, Any] = {
    **FOUND,
    "markerfacecolor": "white",
    "markeredgecolor": style.VERMILION,
    "markeredgewidth": 1.1,
}
# The highest by M are there in every run, so they do not look like a warning.
HIGH: dict[str, Any] = {"color": style.SKY, "hatch": "////", "edgecolor": "black", "linewidth": 0.5}
OTHERS: dict[str, Any] = {"color": style.BLUE, "edgecolor": "black", "linewidth": 0.5}
_VALUES = 3  # written beside the marks of a bin beyond the axis


def high_name(share: float) -> str:
    """Name the records with the highest scores.

    Examples
    --------
    >>> high_name(0.05), high_name(0.001)
    ('highest 5 % by M', 'highest 0.1 % by M')
    """
    return f"highest {100 * share:g} % by M"


@dataclass(frozen=True)
class Marked:
    """Records with a mark."""

    name: str
    rows: NDArray[np.bool_]  # (n,)
    look: dict[str, Any]


def is_found(result: MemorizationResult) -> NDArray[np.bool_]:
    """Return which records were found, (n,)."""
    return np.asarray(result.q_value <= SIGNIFICANCE)


def marked(result: MemorizationResult) -> list[Marked]:
    """Return the records found, and the one not cleared; an empty list if there are none."""
    uncleared = np.arange(len(result)) == result.summary().sensitivity.unexplained
    groups = [
        Marked(FOUND_NAME, is_found(result), FOUND),
        Marked(UNCLEARED_NAME, uncleared, UNCLEARED),
    ]
    return [group for group in groups if group.rows.any()]


def keys(result: MemorizationResult) -> list[Line2D]:
    """Return entries of a legend, one without a mark where nothing was found."""
    groups = marked(result)
    entries = [style.key(_with_count(group, result), **group.look) for group in groups]
    if not any(group.name == FOUND_NAME for group in groups):
        name = UNKNOWN if np.isnan(result.q_value).all() else NONE_FOUND
        entries.insert(0, style.key(name, linestyle="none"))
    return entries


def _with_count(group: Marked, result: MemorizationResult) -> str:
    if group.name != FOUND_NAME:
        return group.name
    without = np.count_nonzero(group.rows & np.isnan(result.score))
    return f"{group.name}: {group.rows.sum():,}" + (f", {without:,} without M" if without else "")


def mark_bins(
    ax: Axes,
    group: Marked,
    places: ArrayLike,
    heights: ArrayLike,
    texts: list[str],
    *,
    above: float = 5.0,
) -> None:
    """Draw the mark of a group over bars, ``above`` points from their tops, with texts over it."""
    for x, y, text in zip(np.asarray(places), np.asarray(heights), texts, strict=True):
        ax.annotate(
            text,
            (x, y),
            xytext=(0, above + 3.5),
            textcoords="offset points",
            horizontalalignment="center",
            verticalalignment="bottom",
            fontsize=style.SMALL,
            color=style.VERMILION,
        )
    lift = style.points_up(ax, above)
    ax.plot(
        places, heights, transform=lift, label=group.name, clip_on=False, zorder=6, **group.look
    )


def mark_image(ax: Axes) -> None:
    """Frame the image of a record found, and put a diamond at its corner."""
    for spine in ax.spines.values():
        spine.set_color(style.VERMILION)
        spine.set_linewidth(2.0)
    look: dict[str, Any] = {"label": FOUND_NAME, "clip_on": False, "zorder": 6, **FOUND}
    ax.plot([1], [1], transform=ax.transAxes, **look)


def in_words(values: ArrayLike) -> str:
    r"""Write the highest values of a bin, a line each.

    Examples
    --------
    >>> in_words([60.7]), in_words([1.0, 4.0, 3.0, 2.0])
    ('60.7', '4.00\n3.00\n2.00\n…')
    """
    highest = np.sort(np.asarray(values))[::-1]
    lines = [number(value) for value in highest[:_VALUES]]
    return "\n".join([*lines, "…"] if len(highest) > _VALUES else lines)
