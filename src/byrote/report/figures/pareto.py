"""The Pareto frontier of usefulness and memorization, lower being better in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import registry, style
from byrote.report.figures.point_numbers import LINE, Place, Segment, list_names, number_points
from byrote.report.figures.registry import Drawings
from byrote.scores.compare.comparison import ComparedExposures, Comparison, ScoreChange
from byrote.stats.pareto_frontier import pareto_frontier

Array = NDArray[np.float64]
Interval = tuple[float, float]
_UNKNOWN: Interval = (float("nan"), float("nan"))
_MOST = 40
_LOGARITHMIC = 5.0  # ratio of the highest and lowest x from which their axis is logarithmic
_BENT = 20.0  # ratio of the largest and median difference from which their axis is bent
PERPLEXITY = "test perplexity (per token)"


@dataclass(frozen=True)
class ParetoPoint:
    """A model by two measures, lower being better in both; intervals are NaN where unknown."""

    name: str
    x: float
    y: float
    x_interval: Interval = _UNKNOWN
    y_interval: Interval = _UNKNOWN
    bound: bool = False  # whether y is a lower bound


def pareto(
    points: Sequence[ParetoPoint],
    x_label: str,
    y_label: str,
    *,
    baseline: str = "",
    exposure: bool = False,
    maximum: float | None = None,
) -> Figure:
    """Draw models by usefulness and memorization, with the Pareto frontier.

    Numbers refer to the names below the axes, the frontier first, by ascending x.

    Parameters
    ----------
    points
        At most 40 with the baseline. The axis of x is logarithmic if they are positive and far
        apart.
    x_label, y_label
        Labels of the axes, with units.
    baseline
        Name of the model, drawn at 0, 0, that the coordinates are differences from. The axis of x
        is logarithmic far from 0 if some differences are far larger than others.
    exposure
        Whether y is an exposure in bits; the range of secrets never inserted is drawn then.
    maximum
        log2 of the number of candidates, the highest exposure.

    Raises
    ------
    InvalidInput
        If there is no point, more than 40, or a coordinate is not finite.

    Examples
    --------
    >>> models = [ParetoPoint("small", 4.0, 3.0), ParetoPoint("large", 3.0, 12.0),
    ...           ParetoPoint("worse", 4.2, 9.0)]
    >>> figure = pareto(models, "perplexity", "exposure (bits)", exposure=True)
    >>> [text.get_text() for text in figure.subfigs[1].texts]
    ['on the Pareto frontier', '1', 'large', '2', 'small', 'others', '3', 'worse']
    """
    points = [*([ParetoPoint(baseline, 0.0, 0.0)] if baseline and points else []), *points]
    _check(points)
    x, y = (np.array([getattr(point, name) for point in points]) for name in ("x", "y"))
    members = pareto_frontier(x, y)
    ascending = np.argsort(x, kind="stable")
    others = ascending[~np.isin(ascending, members)]
    heights = (3.6, LINE * (2 + max(len(members), len(others))))
    figure = style.new_figure(style.DOUBLE, sum(heights))
    parts: Any = figure.subfigures(2, 1, height_ratios=heights)
    drawing, names = parts
    drawing.suptitle("Usefulness against memorization: lower is better", fontsize=style.TEXT)
    ax = drawing.subplots()
    for row, point in enumerate(points):
        _draw_point(ax, point, frontier=row in members)
    _draw_frontier(ax, x[members], y[members])
    keys = _keys()
    if baseline:
        _difference_axes(ax, x)
    else:
        _axes(ax, points)
    if exposure:
        ax.set_ylim(*marks.limits([[point.y, *point.y_interval] for point in points], maximum))
        keys += [*marks.draw_null(ax), *marks.draw_ceiling(ax, maximum)]
    if any(point.bound for point in points):
        keys.append(marks.at_least_key())
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    style.legend_above(ax, handles=keys)
    style.tidy(ax)
    list_names(names, [points[row].name for row in members], [points[row].name for row in others])
    number_points(ax, *_places([points[row] for row in (*members, *others)], len(members)))
    return figure


def _check(points: Sequence[ParetoPoint]) -> None:
    if not 1 <= len(points) <= _MOST:
        raise InvalidInput(f"points must be 1 to {_MOST} in number; got {len(points)}")
    for point in points:
        if not np.isfinite([point.x, point.y]).all():
            raise InvalidInput(
                f"the coordinates of {point.name!r} must be finite; got {point.x} and {point.y}"
            )


_DASHES = (0, (4, 1.5))
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


def _keys() -> list[Any]:
    frontier = {**_LOOKS[True], "linestyle": _DASHES}
    return [
        style.key("Pareto frontier", **frontier),
        style.key("other configurations", **_LOOKS[False]),
    ]


def _draw_point(ax: Axes, point: ParetoPoint, *, frontier: bool) -> None:
    color = style.BLUE if frontier else style.GREY
    line: dict[str, Any] = {"color": color, "linewidth": 0.9, "alpha": 0.7}
    ax.hlines(point.y, *point.x_interval, **line)
    ax.vlines(point.x, *point.y_interval, **line)
    look = marks.at_least(color) if point.bound else _LOOKS[frontier]
    ax.plot([point.x], [point.y], **look, zorder=4)


def _draw_frontier(ax: Axes, x: Array, y: Array) -> None:
    ax.step(x, y, where="post", color=style.BLUE, linewidth=1.1, linestyle=_DASHES, zorder=3)


def _axes(ax: Axes, points: Sequence[ParetoPoint]) -> None:
    values = [[point.x, *point.x_interval] for point in points]
    low, high = np.nanmin(values), np.nanmax(values)
    if low > 0 and high > _LOGARITHMIC * low:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(ScalarFormatter())
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.margins(x=0.08)


def _difference_axes(ax: Axes, x: Array) -> None:
    look: dict[str, Any] = {"color": style.GREY, "linewidth": 0.7, "linestyle": (0, (1, 1.2))}
    ax.axhline(0, zorder=1, **look)
    ax.axvline(0, zorder=1, **look)
    sizes = np.abs(x[x != 0])
    if len(sizes) and sizes.max() > _BENT * np.median(sizes):
        ax.set_xscale("symlog", linthresh=float(2 * np.median(sizes)))
    ax.margins(x=0.08, y=0.12)


def _places(points: list[ParetoPoint], members: int) -> tuple[list[Place], list[Segment]]:
    """Return places of the points, and segments occupied by them, intervals and the frontier."""
    places = [(point.x, point.y) for point in points]
    segments: list[Segment] = [(place, place, 3.5) for place in places]
    for point, (x, y) in zip(points, places, strict=True):
        (left, right), (low, high) = point.x_interval, point.y_interval
        segments += [((left, y), (right, y), 0.5), ((x, low), (x, high), 0.5)]
    for (x, y), (right, below) in pairwise(places[:members]):
        segments += [((x, y), (right, y), 0.5), ((right, y), (right, below), 0.5)]
    return places, segments


# -- what byrote compare draws --------------------------------------------------------------------


def difference_labels(baseline: str) -> tuple[str, str]:
    """Return labels of the axes of held-out loss and memorization above a baseline."""
    return (
        f"held-out loss above {style.short(baseline, 30)} (nats per record)",
        f"memorization above {style.short(baseline, 20)} (mean_log, nats)",
    )


@registry.figure(
    "usefulness against memorization",
    of="compared records",
    order=20,
    needs=(registry.comparison,),
)
def _usefulness(comparison: Comparison) -> Drawings:
    points = []
    for change in comparison.changes:
        if isinstance(change, ScoreChange):
            held_out, score = change.held_out, change.mean["mean_log"]
            ends = (-held_out.high, -held_out.low), (score.low, score.high)
            points.append(ParetoPoint(change.name, -held_out.value, score.value, *ends))
    name = comparison.baseline.name
    shows = "What each run loses in likelihood, and what it gains in memorization."
    yield "usefulness-pareto", pareto(points, *difference_labels(name), baseline=name), shows


@registry.figure(
    "perplexity against exposure", of="compared canaries", order=10, needs=(registry.comparison,)
)
def _perplexity(comparison: Comparison) -> Drawings:
    runs = [run for run in comparison.runs if isinstance(run, ComparedExposures)]
    if runs[0].levels[-1].insertions == 0:
        raise InvalidInput("none of the matched canaries was inserted")
    points = []
    for run in runs:
        level, perplexity = run.levels[-1], run.perplexity
        ends = (perplexity.low, perplexity.high), (level.low, level.high)
        points.append(
            ParetoPoint(run.name, perplexity.value, level.mean, *ends, bool(level.saturated))
        )
    options: dict[str, Any] = {"exposure": True, "maximum": runs[0].maximum}
    figure = pareto(points, PERPLEXITY, marks.EXPOSURE, **options)
    yield "exposure-pareto", figure, "Perplexity and exposure of each run."
