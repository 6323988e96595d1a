"""Exposure by number of insertions."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import mean_exposure

Array = NDArray[np.float64]
_MEAN_AT, _SPREAD = -0.27, 0.26  # of the mean, and half the width of the points next to it


def exposure_by_insertions(
    insertions: ArrayLike,
    bits: ArrayLike,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    saturated: ArrayLike | None = None,
    secrets: ArrayLike | None = None,
    maximum: float | None = None,
) -> Figure:
    r"""Draw the exposure of every canary by its number of insertions, and the mean of each level.

    A point is a canary, the line through it its interval; a black diamond is the mean of a level
    with Student's 95 % interval over its secrets. Hollow triangles are lower bounds; a mean with
    a lower bound among its terms is one too, and has no interval.

    Parameters
    ----------
    insertions
        (n,) number of times that each canary is in the corpus; 0 for controls.
    bits, low, high
        (n,) exposure and its interval, of which an infinite end is not drawn; canaries whose
        exposure is NaN are counted, not drawn.
    saturated
        (n,) whether the exposure is a lower bound.
    secrets
        (n,) names of the canaries; those of one secret are one draw (default: all differ).
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If the arrays do not fit together, or no exposure is known.

    Examples
    --------
    >>> figure = exposure_by_insertions([0, 0, 1, 1, 4, 4], [1.0, 2, 3, 5, 20, 25], maximum=29.9)
    >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
    ['0\n(2)', '1\n(2)', '4\n(2)']
    """
    times, exposure = np.asarray(insertions), np.asarray(bits, np.float64)
    ends = [marks.checked(*end, exposure.shape) for end in (("low", low), ("high", high))]
    bound = marks.checked("saturated", saturated, exposure.shape, missing=False)
    marks.checked("insertions", times, exposure.shape)
    names = np.arange(len(exposure)) if secrets is None else np.asarray(secrets)
    if names.shape != exposure.shape:
        raise InvalidInput(f"secrets must have shape {exposure.shape}; got {names.shape}")
    if not np.isfinite(exposure).any():
        raise InvalidInput("bits must have a finite exposure to draw; got none")
    figure = style.new_figure(style.DOUBLE, 3.4, "Exposure by number of insertions")
    ax = figure.subplots()
    levels, reach = marks.level_looks(times), [exposure, *ends]
    for place, (level, look) in enumerate(levels.items()):
        rows = np.flatnonzero((times == level) & ~np.isnan(exposure))
        _points(ax, place, exposure[rows], [end[rows] for end in ends], bound[rows], look)
        reach.append(_mean(ax, place, exposure[rows], names[rows], bound[rows]))
    keys = [*_keys(ends), *marks.draw_null(ax), *marks.draw_ceiling(ax, maximum)]
    if bound.any():
        keys.append(marks.at_least_key())
    ax.set_xticks(
        range(len(levels)), [f"{level:,}\n({(times == level).sum():,})" for level in levels]
    )
    for place in range(1, len(levels)):
        ax.axvline(place - 0.5, color="#D0D0D0", linewidth=0.6, zorder=0)
    ax.set_xlim(-0.5, len(levels) - 0.5)
    ax.set_ylim(*marks.limits(reach, maximum))
    ax.set_xlabel("insertions (canaries)")
    ax.set_ylabel(marks.EXPOSURE)
    style.legend_above(ax, handles=keys, title=_unknown(exposure))
    style.tidy(ax)
    return figure


def _points(
    ax: Axes,
    place: int,
    bits: Array,
    ends: list[Array],
    bound: NDArray[np.bool_],
    look: dict[str, Any],
) -> None:
    """Draw canaries side by side in ascending order, so that none hides another."""
    x = np.empty(len(bits))
    spread = _SPREAD * min(1.0, len(bits) / 10)
    middle = 0.14
    x[np.argsort(bits, kind="stable")] = place + middle + np.linspace(-spread, spread, len(bits))
    ax.vlines(x, *marks.spans(bits, *ends), color=look["color"], linewidth=0.8, alpha=0.6)
    exact = ~bound
    size = 3.5 if len(bits) <= 60 else 2.0
    ax.plot(x[exact], bits[exact], **look, linestyle="none", markersize=size, alpha=0.85)
    ax.plot(x[bound], bits[bound], **marks.at_least(look["color"]))


def _mean(
    ax: Axes, place: int, bits: Array, secrets: NDArray[Any], bound: NDArray[np.bool_]
) -> Array:
    """Draw the mean; return the ends of its interval, if it has one."""
    if len(bits) == 0:
        return bits
    mean, low, high = mean_exposure(bits, secrets, bound)
    x, ends = place + _MEAN_AT, np.array([] if bound.any() else [low, high])
    if len(ends):
        ax.vlines(x, *ends, color="black", linewidth=1.4)
    look: dict[str, Any] = marks.at_least("black") if bound.any() else _DIAMOND
    ax.plot([x], [mean], **{**look, "markersize": 6}, zorder=5)
    return ends


_DIAMOND: dict[str, Any] = {"marker": "D", "color": "black", "linestyle": "none"}


def _keys(ends: list[Array]) -> list[Any]:

    spans = any(np.isfinite(end).any() for end in ends)
    label = "a canary, its interval" if spans else "a canary"
    look: dict[str, Any] = {"color": style.GREY, "linestyle": "none", "marker": "o"}
    return [
        style.key(label, markersize=3.5, **look),
        style.key("mean, 95 % interval", markersize=5, **_DIAMOND),
    ]


def _unknown(bits: Array) -> str:
    count = int(np.isnan(bits).sum())
    return f"without an exposure, not drawn: {count:,}" if count else ""


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("exposure by insertions", of="canaries", order=10, needs=(registry.exposures,))
def _levels(run: ExposureResult) -> Drawings:
    exposure = run.exposure
    yield (
        "exposure-by-insertions",
        exposure_by_insertions(
            run.inserted,
            exposure.bits,
            low=exposure.low,
            high=exposure.high,
            saturated=exposure.saturated,
            secrets=exposure.ids,
            maximum=marks.highest(exposure.maximum),
        ),
    )
