"""Points numbered next to their marks, and a key of their names by number."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from byrote.report.figures import style

Array = NDArray[np.float64]
Place = tuple[float, float]  # in data coordinates
Segment = tuple[Place, Place, float]  # along an axis, with half its thickness in points
_Box = tuple[float, float, float, float]  # centre, half width, half height; points
LINE = 0.145  # inches a line of the key
_NEAR = 14  # points from its number, beyond which a line leads to it
_LEADER = {"arrowstyle": "-", "linewidth": 0.5, "color": style.GREY, "shrinkA": 4, "shrinkB": 2.5}
_OFFSETS = [
    radius * np.array([np.cos(angle), np.sin(angle)])
    for radius in (9.5, 12.0, 16.0, 21.0, 28.0, 36.0, 45.0)
    for angle in np.pi * np.array([0.25, 0.75, 1.25, 1.75, 0.0, 1.0, 0.5, 1.5])
]


def list_names(key: SubFigure, members: list[str], others: list[str]) -> None:
    """Write numbers and names in two columns, the frontier and the others."""
    first = 1
    for column, (title, names) in enumerate(
        (("on the Pareto frontier", members), ("others", others))
    ):
        left = (0.1 + 0.5 * column * style.DOUBLE) * 72
        if names:
            _write(key, title, (left, -4), fontweight="bold")
        for line, name in enumerate(names, start=1):
            height = -4 - line * LINE * 72
            look: dict[str, Any] = {"horizontalalignment": "right", "color": style.GREY}
            _write(key, str(first + line - 1), (left + 10, height), **look)
            _write(key, style.short(name, 52), (left + 15, height))
        first += len(names)


def _write(key: SubFigure, text: str, offset: tuple[float, float], **look: Any) -> None:
    x, y = (value / 72 for value in offset)
    place = key.transSubfigure + ScaledTranslation(x, y, key.dpi_scale_trans)
    key.text(0, 1, text, transform=place, verticalalignment="top", fontsize=style.SMALL, **look)


def number_points(ax: Axes, places: Sequence[Place], segments: Sequence[Segment]) -> None:
    """Write each number next to its point, where it overlaps no segment and no other number."""
    figure = style.figure_of(ax)
    figure.draw_without_rendering()  # lays out, so that places are known
    occupied = [*_outside(ax)]
    for start, end, thickness in segments:
        if not np.isnan([*start, *end]).any():
            occupied.append(_box(_in_points(ax, [start, end]), thickness))
    for number, place in enumerate(places, start=1):
        centre = _in_points(ax, [place])[0]
        half = (2.4 * len(str(number)), 3.4)
        free = (offset for offset in _OFFSETS if not _overlaps(centre + offset, half, occupied))
        offset = next(free, _OFFSETS[0])
        occupied.append((*(centre + offset), *half))
        ax.annotate(
            str(number),
            place,
            xytext=tuple(offset),
            textcoords="offset points",
            horizontalalignment="center",
            verticalalignment="center",
            fontsize=style.SMALL,
            path_effects=[withStroke(linewidth=1.6, foreground="white")],
            arrowprops=_LEADER if np.hypot(*offset) > _NEAR else None,
            zorder=6,
        ).set_in_layout(False)  # what is laid out stays so


def _in_points(ax: Axes, places: Sequence[Place]) -> Array:
    pixels = ax.transData.transform(np.asarray(places))
    return np.asarray(pixels * 72 / style.figure_of(ax).dpi, np.float64)


def _outside(ax: Axes) -> list[_Box]:
    """Return the areas above and right of the axes."""
    right, top = ax.bbox.corners()[3] * 72 / style.figure_of(ax).dpi
    return [(right + 1e4, top, 1e4, 1e5), (right, top + 1e4, 1e5, 1e4)]


def _box(ends: Array, thickness: float) -> _Box:
    (x, y), (width, height) = ends.mean(axis=0), np.abs(ends[1] - ends[0]) / 2 + thickness
    return float(x), float(y), float(width), float(height)


def _overlaps(centre: Array, half: tuple[float, float], occupied: list[_Box]) -> bool:
    return any(
        abs(centre[0] - x) < half[0] + width and abs(centre[1] - y) < half[1] + height
        for x, y, width, height in occupied
    )
