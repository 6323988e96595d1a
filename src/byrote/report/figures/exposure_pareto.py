"""What configurations cost in perplexity and in exposure: the Pareto frontier."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import marks, style
from byrote.stats.frontier import pareto_frontier

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

Array = NDArray[np.float64]
Interval = tuple[float, float]
_Box = tuple[float, float, float, float]  # centre, half width, half height; points
_UNKNOWN: Interval = (float("nan"), float("nan"))
_MOST = 40
_LINE = 0.145  # inches a line of the key
_WIDE = 5.0  # times between the lowest and highest perplexity from which its axis is logarithmic


@dataclass(frozen=True)
class Configuration:
    """A model that was trained: how useful it is and how much it memorized.

    perplexity: on the test text. exposure: bits. Intervals are NaN where unknown. saturated:
    whether the exposure is a lower bound.
    """

    name: str
    perplexity: float
    exposure: float
    perplexity_interval: Interval = _UNKNOWN
    exposure_interval: Interval = _UNKNOWN
    saturated: bool = False


def exposure_pareto(
    configurations: Sequence[Configuration], *, maximum: float | None = None
) -> "Figure":
    """Test perplexity against exposure of each configuration, as in the post's first figure.

    Lower is better in both. The numbers lead to the names below the axes, the frontier first, by
    rising perplexity; nothing is both more useful and less exposed than its members.

    Parameters
    ----------
    configurations
        At most 40.
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If there is none or too many, or a perplexity is not a number above 0 or an exposure not
        finite.

    Examples
    --------
    >>> models = [Configuration("small", 4.0, 3.0), Configuration("large", 3.0, 12.0),
    ...           Configuration("worse", 4.2, 9.0)]
    >>> figure = exposure_pareto(models)
    >>> [text.get_text() for text in figure.subfigs[1].texts]
    ['on the Pareto frontier', '1', 'large', '2', 'small', 'others', '3', 'worse']
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    _check(configurations)
    x = np.array([one.perplexity for one in configurations])
    y = np.array([one.exposure for one in configurations])
    members = pareto_frontier(x, y)
    rising = np.argsort(x, kind="stable")
    others = rising[~np.isin(rising, members)]
    heights = (3.6, _LINE * (2 + max(len(members), len(others))))
    figure = Figure(figsize=(style.DOUBLE, sum(heights)), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=heights)
    drawing, key = parts
    ax = drawing.subplots()
    for row, one in enumerate(configurations):
        _point(ax, one, frontier=row in members)
    _frontier(ax, x[members], y[members])
    _scales(ax, configurations, maximum)
    drawing.suptitle("Usefulness against memorization: lower is better", fontsize=style.TEXT)
    style.legend_above(ax, handles=_keys(ax, configurations, maximum))
    style.tidy(ax)
    names = [one.name for one in configurations]
    _name(key, 0, "on the Pareto frontier", [names[row] for row in members], first=1)
    if len(others):
        _name(key, 1, "others", [names[row] for row in others], first=1 + len(members))
    _number(ax, [configurations[row] for row in (*members, *others)], len(members))
    return figure


def _check(configurations: Sequence[Configuration]) -> None:
    if not 1 <= len(configurations) <= _MOST:
        raise InvalidInput(
            f"configurations must be 1 to {_MOST} in number; got {len(configurations)}"
        )
    for one in configurations:
        if not 0 < one.perplexity < np.inf:
            raise InvalidInput(
                f"the perplexity of {one.name!r} must be a number above 0; got {one.perplexity}"
            )
        if not np.isfinite(one.exposure):
            raise InvalidInput(f"the exposure of {one.name!r} must be finite; got {one.exposure}")


def _point(ax: "Axes", one: Configuration, *, frontier: bool) -> None:
    color = style.BLUE if frontier else style.GREY
    x, y = one.perplexity, one.exposure
    line: dict[str, Any] = {"color": color, "linewidth": 0.9, "alpha": 0.7}
    ax.hlines(y, *one.perplexity_interval, **line)
    ax.vlines(x, *one.exposure_interval, **line)
    look = marks.at_least(color) if one.saturated else _LOOKS[frontier]
    ax.plot([x], [y], **look, zorder=4)


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


def _scales(ax: "Axes", configurations: Sequence[Configuration], maximum: float | None) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter  # noqa: PLC0415

    x = [[one.perplexity, *one.perplexity_interval] for one in configurations]
    y = [[one.exposure, *one.exposure_interval] for one in configurations]
    low, high = np.nanmin(x), np.nanmax(x)
    if low > 0 and high > _WIDE * low:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.margins(x=0.08)
    ax.set_ylim(*marks.limits(y, maximum))
    ax.set_xlabel("test perplexity (per token)")
    ax.set_ylabel(marks.EXPOSURE)


def _keys(ax: "Axes", configurations: Sequence[Configuration], maximum: float | None) -> list[Any]:
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    look = {**_LOOKS[True], "linestyle": (0, (4, 1.5))}
    keys = [
        Line2D([], [], label="Pareto frontier", **look),
        Line2D([], [], label="other configurations", **_LOOKS[False]),
        *marks.draw_null(ax),
        *marks.draw_ceiling(ax, maximum),
    ]
    return [*keys, marks.at_least_key()] if any(one.saturated for one in configurations) else keys


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
    look = {"verticalalignment": "top", "fontsize": style.SMALL, "parse_math": False, **look}
    key.text(0, 1, text, transform=place, **look)


def _number(ax: "Axes", configurations: list[Configuration], members: int) -> None:
    """Each point's number beside it, where no other mark or number stands."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 (slow to load)

    figure = style.figure_of(ax)
    figure.draw_without_rendering()  # lays out, so that places are known
    taken = [*_boxes(ax, configurations, members), *_outside(ax)]
    for place, one in enumerate(configurations):
        point = _points(ax, [(one.perplexity, one.exposure)])[0]
        half = (2.4 * len(str(place + 1)), 3.4)
        offset = next((by for by in _AROUND if not _meets(point + by, half, taken)), _AROUND[0])
        taken.append((*(point + offset), *half))
        ax.annotate(
            str(place + 1),
            (one.perplexity, one.exposure),
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


def _boxes(ax: "Axes", configurations: list[Configuration], members: int) -> list[_Box]:
    """What is drawn of the points, their intervals and the frontier."""
    found = []
    for one in configurations:
        x, y = one.perplexity, one.exposure
        found.append(_box(_points(ax, [(x, y)] * 2), 3.5))
        found.append(_box(_points(ax, [(end, y) for end in one.perplexity_interval]), 0.5))
        found.append(_box(_points(ax, [(x, end) for end in one.exposure_interval]), 0.5))
    corners = [(one.perplexity, one.exposure) for one in configurations[:members]]
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
