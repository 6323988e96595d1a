"""Estimators of exposure on the same canaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.run import Run

Array = NDArray[np.float64]
_MOST = 40
_ROW = 0.085  # inches an estimate
_MARKERS = "osDvP*"


@dataclass(frozen=True, eq=False)
class Estimates:
    """Exposure of n canaries by one estimator, bits."""

    bits: Array  # (n,) NaN without an estimate
    low: Array | None = None  # (n,) ends of intervals; infinite ones are not drawn
    high: Array | None = None
    saturated: NDArray[np.bool_] | None = None  # (n,) whether bits are a lower bound


def exposure_by_estimator(
    estimates: Mapping[str, Estimates],
    names: Sequence[str],
    *,
    maximum: float | None = None,
) -> Figure:
    """Draw the exposure of each canary by each estimator, with intervals.

    Triangles that point right are lower bounds; a cross in the margin is a missing estimate.

    Parameters
    ----------
    estimates
        By estimator ("exact", "sampled", …), at most six; all for the same n canaries.
    names
        (n,) names of the canaries, from top to bottom; at most 40.
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If there are no estimators or canaries, too many, or arrays differ in length.

    Examples
    --------
    >>> import numpy as np
    >>> estimates = {"exact": Estimates(np.array([2.0, 13.3])),
    ...     "sampled": Estimates(np.array([2.2, 9.9]), saturated=np.array([False, True]))}
    >>> figure = exposure_by_estimator(estimates, ["a", "b"], maximum=13.3)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['a', 'b']
    """
    estimates = _check(estimates, names)
    height = 1.5 + len(names) * (_ROW * len(estimates) + 0.08)
    title = "Exposure of the same canaries by several estimators"
    figure = style.new_figure(style.DOUBLE, height, title)
    ax = figure.subplots()
    ends = [end for each in estimates.values() for end in (each.bits, each.low, each.high)]
    ax.set_xlim(*marks.limits([end for end in ends if end is not None], maximum))
    for place, estimate in enumerate(estimates.values()):
        shift = (place - (len(estimates) - 1) / 2) * 0.8 / len(estimates)
        _draw(ax, np.arange(len(names)) + shift, estimate, place)
    keys = _keys(estimates)
    keys += marks.draw_null(ax, across=True) + marks.draw_ceiling(ax, maximum, across=True)
    _rows(ax, names)
    ax.set_xlabel(marks.EXPOSURE)
    style.legend_above(ax, handles=keys)
    style.tidy(ax)
    return figure


def _check(estimates: Mapping[str, Estimates], names: Sequence[str]) -> dict[str, Estimates]:
    """Check the estimates, and fill in missing arrays."""
    if not 1 <= len(estimates) <= len(_MARKERS):
        raise InvalidInput(
            f"estimates must be of 1 to {len(_MARKERS)} estimators; got {len(estimates)}"
        )
    if not 1 <= len(names) <= _MOST:
        raise InvalidInput(f"names must be of 1 to {_MOST} canaries; got {len(names)}")
    shape = (len(names),)
    return {
        name: Estimates(
            bits=marks.checked(f"bits of {name!r}", estimate.bits, shape),
            low=marks.checked(f"low of {name!r}", estimate.low, shape),
            high=marks.checked(f"high of {name!r}", estimate.high, shape),
            saturated=marks.checked(
                f"saturated of {name!r}", estimate.saturated, shape, missing=False
            ),
        )
        for name, estimate in estimates.items()
    }


def _draw(ax: Axes, y: NDArray[Any], estimate: Estimates, place: int) -> None:
    """Draw one estimator: points and bounds with intervals, crosses in the margin."""
    color = style.run_style(place)["color"]
    left, right = ax.get_xlim()
    known, bound = ~np.isnan(estimate.bits), np.asarray(estimate.saturated)
    if estimate.low is not None and estimate.high is not None:
        low, high = marks.spans(estimate.bits, estimate.low, estimate.high)
        ax.hlines(y[known], low[known], high[known], color=color, linewidth=1.0)
    exact = known & ~bound
    ax.plot(estimate.bits[exact], y[exact], **_look(place))
    saturated = {**marks.at_least(color), "marker": ">"}
    ax.plot(estimate.bits[known & bound], y[known & bound], **saturated)
    missing = y[~known]
    margin = np.full(len(missing), left + 0.012 * (right - left))
    ax.plot(margin, missing, linestyle="none", marker="x", markersize=4, color=color)


def _look(place: int) -> dict[str, Any]:
    color = style.run_style(place)["color"]
    return {"linestyle": "none", "marker": _MARKERS[place], "markersize": 4, "color": color}


def _keys(estimates: Mapping[str, Estimates]) -> list[Any]:
    keys = [
        style.key(style.short(name, 30), **_look(place)) for place, name in enumerate(estimates)
    ]
    if any(np.any(each.saturated) for each in estimates.values()):
        keys.append(marks.at_least_key(marker=">"))
    if any(np.isnan(each.bits).any() for each in estimates.values()):
        cross: dict[str, Any] = {"linestyle": "none", "marker": "x", "color": style.GREY}
        keys.append(style.key("no estimate", markersize=4, **cross))
    return keys


def _rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), [style.short(name, 28) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.5, -0.5)
    for place in range(1, len(names)):
        ax.axhline(place - 0.5, color="#D0D0D0", linewidth=0.6, zorder=0)


# -- what byrote figures draws --------------------------------------------------------------------


_METHODS = {"rank": "in the model", "sampled": "sampled", "skew_normal": "skew-normal"}


@registry.figure(
    "estimators side by side", of="canaries", order=40, needs=(registry.run, registry.exposures)
)
def _side_by_side(run: Run, result: ExposureResult) -> Drawings:
    """Draw the canaries of the first fit, those inserted most often first, by each estimator."""
    first = np.flatnonzero(result.fit == result.fit[0])
    rows = first[np.argsort(-result.inserted[first], kind="stable")]
    if len(rows) > _MOST:  # evenly spaced ones
        rows = rows[np.linspace(0, len(rows) - 1, _MOST).round().astype(np.intp)]
    names = [f"{result.exposure.ids[row]} ({result.inserted[row]:,}×)" for row in rows]
    maximum = marks.highest(result.exposure.maximum)
    figure = exposure_by_estimator(_estimates_of(run, rows), names, maximum=maximum)
    yield "exposure-by-estimator", figure, "Exposure of canaries by several estimators."


def _estimates_of(run: Run, rows: NDArray[np.intp]) -> Mapping[str, Estimates]:
    estimates = {}
    for method, name in _METHODS.items():
        try:
            exposure = run.exposure(method=method).exposure
        except InvalidInput:  # too few references for a curve
            continue
        if method == "rank" and np.isnan(exposure.bits[rows]).all():  # none was searched for
            continue
        arrays = (getattr(exposure, part)[rows] for part in ("bits", "low", "high", "saturated"))
        estimates[name] = Estimates(*arrays)
    return estimates
