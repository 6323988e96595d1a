"""Points in two dimensions, lower is better in both: the Pareto frontier, and a key by numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import marks, style
from byrote.stats.pareto_frontier import pareto_frontier

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Array = NDArray[np.float64]
Interval = tuple[float, float]
UNKNOWN: Interval = (float("nan"), float("nan"))
_Box = tuple[float, float, float, float]  # centre, half width, half height; points
_MOST = 40
_LINE = 0.145  # inches a line of the key


@dataclass(frozen=True)
class Point:
    """What was measured of one thing; intervals are NaN where unknown. bound: y is at least so."""

    name: str
    x: float
    y: float
    x_interval: Interval = UNKNOWN
    y_interval: Interval = UNKNOWN
    bound: bool = False


def draw(points: Sequence[Point], *, title: str, finish: "Callable[[Axes], list[Any]]") -> "Figure":
    """The points with their frontier; numbers lead to names below, the frontier first by rising x.

    ``finish`` sets scales and labels, and returns further keys of the legend.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    x = np.array([one.x for one in points])
    y = np.array([one.y for one in points])
    members = pareto_frontier(x, y)
    rising = np.argsort(x, kind="stable")
    others = rising[~np.isin(rising, members)]
    heights = (3.6, _LINE * (2 + max(len(members), len(others))))
    figure = Figure(figsize=(style.DOUBLE, sum(heights)), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=heights)
    drawing, key = parts
    ax = drawing.subplots()
    for row, one in enumerate(points):
        _point(ax, one, frontier=row in members)
    _frontier(ax, x[members], y[members])
    further = finish(ax)
    drawing.suptitle(title, fontsize=style.TEXT)
    style.legend_above(ax, handles=[*_keys(), *further, *_bounds(points)])
    style.tidy(ax)
    names = [one.name for one in points]
    _name(key, 0, "on the Pareto frontier", [names[row] for row in members], first=1)
    if len(others):
        _name(key, 1, "others", [names[row] for row in others], first=1 + len(members))
    _number(ax, [points[row] for row in (*members, *others)], len(members))
    return figure


def check_count(count: int) -> None:
    """Refuse none, or more than the key can name."""
    if not 1 <= count <= _MOST:
        raise InvalidInput(f"configurations must be 1 to {_MOST} in number; got {count}")


def _point(ax: "Axes", one: Point, *, frontier: bool) -> None:
    color = style.BLUE if frontier else style.GREY
    line: dict[str, Any] = {"color": color, "linewidth": 0.9, "alpha": 0.7}
    ax.hlines(one.y, *one.x_interval, **line)
    ax.vlines(one.x, *one.y_interval, **line)
    look = marks.at_least(color) if one.bound else _LOOKS[frontier]
    ax.plot([one.x], [one.y], **look, zorder=4)


_LOOKS: dict[bool, dict[str, Any]] = {
    True: {"marker": "o", "markersize": 5, "linestyle": "none", "color": style.BLUE},
    False: {
        "marker": "o",
        "markersize": 4.5,
        "linestyle": "none",
        "markerfacecolor": "white",
        "markeredgecolor": style.GREY,
    },
}


def _frontier(ax: "Axes", x: Array, y: Array) -> None:
    """Steps: what is above and to the right of them is dominated."""
    ax.step(x, y, where="post", color=style.BLUE, linewidth=1.1, linestyle=(0, (4, 1.5)), zorder=3)


def _keys() -> list[Any]:
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    look = {**_LOOKS[True], "linestyle": (0, (4, 1.5))}
    return [
        Line2D([], [], label="Pareto frontier", **look),
        Line2D([], [], label="other configurations", **_LOOKS[False]),
    ]


def _bounds(points: Sequence[Point]) -> list[Any]:
    return [marks.at_least_key()] if any(one.bound for one in points) else []


def _name(key: "SubFigure", column: int, title: str, names: list[str], *, first: int) -> None:
    """A column of the key: numbers and names under a title."""
    left = (0.1 + 0.5 * column * style.DOUBLE) * 72
    _write(key, title, (left, -4), fontweight="bold")
    for line, name in enumerate(names, start=1):
        height = -4 - line * _LINE * 72
        number = str(first + line - 1)
        _write(key, number, (left + 10, height), horizontalalignment="right", color=style.GREY)
        _write(key, style.short(name, 52), (left + 15, height))


def _write(key: "SubFigure", text: str, points: tuple[float, float], **look: Any) -> None:
    """Text at so many points from the upper left corner."""
    from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415 (slow to load)

    x, y = (value / 72 for value in points)
    place = key.transSubfigure + ScaledTranslation(x, y, key.dpi_scale_trans)
    look = {"verticalalignment": "top", "fontsize": style.SMALL, **look}
    key.text(0, 1, text, transform=place, **look)


def _number(ax: "Axes", points: list[Point], members: int) -> None:
    """Each point's number beside it, where no other mark or number stands."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 (slow to load)

    figure = style.figure_of(ax)
    figure.draw_without_rendering()  # lays out, so that places are known
    taken = [*_boxes(ax, points, members), *_outside(ax)]
    for place, one in enumerate(points):
        point = _points(ax, [(one.x, one.y)])[0]
        half = (2.4 * len(str(place + 1)), 3.4)
        offset = next((by for by in _AROUND if not _meets(point + by, half, taken)), _AROUND[0])
        taken.append((*(point + offset), *half))
        ax.annotate(
            str(place + 1),
            (one.x, one.y),
            xytext=tuple(offset),
            textcoords="offset points",
            horizontalalignment="center",
            verticalalignment="center",
            fontsize=style.SMALL,
            path_effects=[withStroke(linewidth=1.6, foreground="white")],
            arrowprops=_LEADER if np.hypot(*offset) > _NEAR else None,
            zorder=6,
        ).set_in_layout(False)  # what is laid out stays so


_NEAR = 14  # points from its number, beyond which a line leads to it
_LEADER = {"arrowstyle": "-", "linewidth": 0.5, "color": style.GREY, "shrinkA": 4, "shrinkB": 2.5}
_AROUND = [
    radius * np.array([np.cos(angle), np.sin(angle)])
    for radius in (9.5, 12.0, 16.0, 21.0, 28.0, 36.0, 45.0)
    for angle in np.pi * np.array([0.25, 0.75, 1.25, 1.75, 0.0, 1.0, 0.5, 1.5])
]


def _points(ax: "Axes", places: Sequence[tuple[float, float]]) -> Array:
    """Where values lie, in points: (k, 2)."""
    found = ax.transData.transform(np.asarray(places)) * 72 / style.figure_of(ax).dpi
    return np.asarray(found, np.float64)


def _boxes(ax: "Axes", points: list[Point], members: int) -> list[_Box]:
    """What is drawn of the points, their intervals and the frontier."""
    found = []
    for one in points:
        x, y = one.x, one.y
        found.append(_box(_points(ax, [(x, y)] * 2), 3.5))
        found.append(_box(_points(ax, [(end, y) for end in one.x_interval]), 0.5))
        found.append(_box(_points(ax, [(x, end) for end in one.y_interval]), 0.5))
    corners = [(one.x, one.y) for one in points[:members]]
    for (x, y), (right, below) in pairwise(corners):
        found += [_box(_points(ax, [(x, y), (right, y)]), 0.5)]
        found += [_box(_points(ax, [(right, y), (right, below)]), 0.5)]
    return [box for box in found if not np.isnan(box).any()]


def _outside(ax: "Axes") -> list[_Box]:
    """What lies above and right of the axes."""
    right, top = ax.bbox.corners()[3] * 72 / style.figure_of(ax).dpi
    return [(right + 1e4, top, 1e4, 1e5), (right, top + 1e4, 1e5, 1e4)]


def _box(ends: Array, thick: float) -> _Box:
    """The box about a segment along an axis."""
    (x, y), (width, height) = ends.mean(axis=0), np.abs(ends[1] - ends[0]) / 2 + thick
    return float(x), float(y), float(width), float(height)


def _meets(centre: Array, half: tuple[float, float], taken: list[_Box]) -> bool:
    """Whether a box meets one of those taken."""
    return any(
        abs(centre[0] - x) < half[0] + width and abs(centre[1] - y) < half[1] + height
        for x, y, width, height in taken
    )
