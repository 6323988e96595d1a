"""The estimators of exposure side by side, on the same canaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import marks, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
_MOST = 40
_ROW = 0.085  # inches an estimate
_MARKERS = "osDvP*"


@dataclass(frozen=True, eq=False)
class Estimates:
    """Exposure of n canaries by one estimator. Bits.

    bits: (n,) NaN where refused. low, high: (n,) their interval, an infinite end is not drawn.
    saturated: (n,) whether bits are a lower bound.
    """

    bits: Array
    low: Array | None = None
    high: Array | None = None
    saturated: NDArray[np.bool_] | None = None


def exposure_by_estimator(
    estimates: Mapping[str, Estimates],
    names: Sequence[str],
    *,
    maximum: float | None = None,
) -> "Figure":
    """Exposure of each canary by each estimator, with intervals.

    Triangles that point right are lower bounds; a cross in the margin says that the estimator
    refused to give a number.

    Parameters
    ----------
    estimates
        By estimator ("exact", "sampled", …), at most six; all for the same n canaries.
    names
        (n,) what the canaries are called, from top to bottom; at most 40.
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If there are no estimators or canaries, or too many, or arrays do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> found = {"exact": Estimates(np.array([2.0, 13.3])),
    ...          "sampled": Estimates(np.array([2.2, 9.9]), saturated=np.array([False, True]))}
    >>> figure = exposure_by_estimator(found, ["a", "b"], maximum=13.3)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['a', 'b']
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    checked = _check(estimates, names)
    height = 1.5 + len(names) * (_ROW * len(estimates) + 0.08)
    figure = Figure(figsize=(style.DOUBLE, height), layout="constrained")
    ax = figure.subplots()
    ends = [end for one in checked.values() for end in (one.bits, one.low, one.high)]
    ax.set_xlim(*marks.limits([end for end in ends if end is not None], maximum))
    for place, one in enumerate(checked.values()):
        shift = (place - (len(checked) - 1) / 2) * 0.8 / len(checked)
        _draw(ax, np.arange(len(names)) + shift, one, place)
    keys = _keys(checked)
    keys += marks.draw_null(ax, across=True) + marks.draw_ceiling(ax, maximum, across=True)
    _rows(ax, names)
    ax.set_xlabel(marks.EXPOSURE)
    figure.suptitle("Exposure of the same canaries by several estimators", fontsize=style.TEXT)
    style.legend_above(ax, handles=keys)
    style.tidy(ax)
    return figure


def _check(estimates: Mapping[str, Estimates], names: Sequence[str]) -> dict[str, Estimates]:
    """The estimates with all their arrays."""
    if not 1 <= len(estimates) <= len(_MARKERS):
        raise InvalidInput(
            f"estimates must be of 1 to {len(_MARKERS)} estimators; got {len(estimates)}"
        )
    if not 1 <= len(names) <= _MOST:
        raise InvalidInput(f"names must be of 1 to {_MOST} canaries; got {len(names)}")
    shape = (len(names),)
    return {
        name: Estimates(
            bits=marks.checked(f"bits of {name!r}", one.bits, shape),
            low=marks.checked(f"low of {name!r}", one.low, shape),
            high=marks.checked(f"high of {name!r}", one.high, shape),
            saturated=marks.checked(f"saturated of {name!r}", one.saturated, shape, missing=False),
        )
        for name, one in estimates.items()
    }


def _draw(ax: "Axes", y: NDArray[Any], one: Estimates, place: int) -> None:
    """One estimator: points and bounds with intervals, crosses in the margin."""
    color = style.run_style(place)["color"]
    left, right = ax.get_xlim()
    known, bound = ~np.isnan(one.bits), np.asarray(one.saturated)
    if one.low is not None and one.high is not None:
        low, high = marks.spans(one.bits, one.low, one.high)
        ax.hlines(y[known], low[known], high[known], color=color, linewidth=1.0)
    exact = known & ~bound
    ax.plot(one.bits[exact], y[exact], **_look(place))
    saturated = {**marks.at_least(color), "marker": ">"}
    ax.plot(one.bits[known & bound], y[known & bound], **saturated)
    refused = y[~known]
    margin = np.full(len(refused), left + 0.012 * (right - left))
    ax.plot(margin, refused, linestyle="none", marker="x", markersize=4, color=color)


def _look(place: int) -> dict[str, Any]:
    color = style.run_style(place)["color"]
    return {"linestyle": "none", "marker": _MARKERS[place], "markersize": 4, "color": color}


def _keys(estimates: Mapping[str, Estimates]) -> list[Any]:
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    keys = [
        Line2D([], [], label=style.short(name, 30), **_look(place))
        for place, name in enumerate(estimates)
    ]
    if any(np.any(one.saturated) for one in estimates.values()):
        keys.append(marks.at_least_key(marker=">"))
    if any(np.isnan(one.bits).any() for one in estimates.values()):
        cross: dict[str, Any] = {"linestyle": "none", "marker": "x", "color": style.GREY}
        keys.append(Line2D([], [], label="refused", markersize=4, **cross))
    return keys


def _rows(ax: "Axes", names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), [style.short(name, 28) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.5, -0.5)
    for place in range(1, len(names)):
        ax.axhline(place - 0.5, color="#D0D0D0", linewidth=0.6, zorder=0)
