"""Exposure, and greedy completion, by number of insertions."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import mean_exposure
from byrote.stats.estimate import proportion

Array = NDArray[np.float64]
_ENOUGH = 3  # secrets of a level; intervals of fewer are too wide
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

    A point is a canary with its interval, a black diamond the mean of a level with Student's 95 %
    interval over its secrets. Hollow triangles are lower bounds, or means without an interval that
    have one among their terms.

    Parameters
    ----------
    insertions
        (n,) number of times that each canary is in the corpus; 0 for controls.
    bits, low, high
        (n,) exposure and its interval; infinite ends are not drawn. Canaries without an exposure
        (NaN) are counted, not drawn.
    saturated
        (n,) whether the exposure is a lower bound.
    secrets
        (n,) names of the canaries; a secret in several fits counts once (default: all differ).
    maximum
        log2 of the number of candidates.

    Raises
    ------
    InvalidInput
        If shapes of arrays do not match, or no exposure is known.

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
        reach.append(_mean(ax, place, exposure[rows], names[rows], bound[rows], maximum))
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
    """Draw canaries side by side in ascending order."""
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
    ax: Axes,
    place: int,
    bits: Array,
    secrets: NDArray[Any],
    bound: NDArray[np.bool_],
    maximum: float | None,
) -> Array:
    """Draw the mean; return the ends of its interval, if any."""
    if len(bits) == 0:
        return bits
    most = np.nan if maximum is None else maximum
    mean = mean_exposure(bits, secrets, bound, maximum=most)
    x, ends = place + _MEAN_AT, np.array([] if bound.any() else mean.interval)
    if len(ends):
        ax.vlines(x, *ends, color="black", linewidth=1.4)
    look: dict[str, Any] = marks.at_least("black") if bound.any() else _DIAMOND
    ax.plot([x], [mean.value], **{**look, "markersize": 6}, zorder=5)
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


# -- greedy completion ----------------------------------------------------------------------------


def completion_by_prefix(
    given: ArrayLike, recovered: ArrayLike, insertions: ArrayLike, *, chance: float | None = None
) -> Figure:
    """Draw greedy completion by the number of characters given, by level of insertion.

    Left, the share of the remaining characters that are completed correctly, mean over the canaries
    of a level. Right, the share of canaries completed correctly to the end, with Wilson's 95 %
    interval for levels of three secrets or more.

    Parameters
    ----------
    given
        (L,) numbers of leading characters of the secret given to the model, ascending.
    recovered
        (n, L) share of the remaining characters that are correct; NaN where not tried.
    insertions
        (n,) number of times that each canary is in the corpus.
    chance
        Share that is correct by guessing: 0.1 for digits.

    Raises
    ------
    InvalidInput
        If shapes of arrays do not match, or a share is not between 0 and 1.

    Examples
    --------
    >>> figure = completion_by_prefix([0, 2, 4], [[0.0, 0.5, 1.0], [0.1, 0.2, 1.0]], [4, 4])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['remaining characters correct', 'secrets completed']
    """
    lengths, shares = np.asarray(given), np.asarray(recovered, np.float64)
    times = np.asarray(insertions)
    marks.checked("recovered", shares, (len(times), len(lengths)))
    if np.isnan(shares).all() or np.nanmin(shares) < 0 or np.nanmax(shares) > 1:
        raise InvalidInput("recovered must hold shares between 0 and 1, and at least one")
    title = "Greedy completion by length of the prefix given"
    figure = style.new_figure(style.DOUBLE, 3.3, title)
    left, right = figure.subplots(1, 2, sharey=True)
    looks = marks.level_looks(times)
    for place, (level, look) in enumerate(looks.items()):
        rows = shares[times == level]
        _curve(left, lengths, marks.mean_known(rows), look)
        _successes(right, lengths, rows, look, place - (len(looks) - 1) / 2)
    keys = _level_keys(looks, times)
    if chance is not None:
        line = left.axhline(chance, color="black", linewidth=0.9, linestyle=(0, (1, 1.2)))
        line.set_label("guessing")
        keys.append(line)
    _finish_completion(figure, left, right, keys)
    return figure


def _curve(ax: Axes, x: NDArray[Any], y: Array, look: dict[str, Any]) -> None:
    known = ~np.isnan(y)
    if not known.any():
        return  # an empty line that is not clipped would count as one at the figure's corner
    ax.plot(x[known], y[known], linewidth=1.3, markersize=4, clip_on=False, **look)


def _successes(
    ax: Axes, lengths: NDArray[Any], rows: Array, look: dict[str, Any], place: float
) -> None:
    """Draw the share of secrets completed, levels slightly shifted."""
    tried = (~np.isnan(rows)).sum(axis=0)
    done = (rows == 1).sum(axis=0)
    known = np.flatnonzero(tried)
    x = lengths[known] + 0.11 * place
    if len(rows) >= _ENOUGH:
        ends = np.array([proportion(done[i], tried[i]).interval for i in known]).reshape(-1, 2)
        ax.vlines(x, ends[:, 0], ends[:, 1], color=look["color"], linewidth=0.7, alpha=0.6)
    _curve(ax, x, done[known] / tried[known], look)


def _level_keys(looks: dict[int, dict[str, Any]], times: NDArray[Any]) -> list[Any]:
    return [
        style.key(
            marks.level_name(level, int((times == level).sum())),
            linewidth=1.3,
            markersize=4,
            **look,
        )
        for level, look in looks.items()
    ]


def _finish_completion(figure: Figure, left: Axes, right: Axes, keys: list[Any]) -> None:
    for ax, label in ((left, "remaining characters correct"), (right, "secrets completed")):
        ax.set_xlabel("characters of the secret given")
        ax.set_ylabel(label)
        ax.set_ylim(-0.03, 1.03)
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        ax.tick_params(labelleft=True)
        style.tidy(ax)
    figure.legend(
        handles=keys,
        title="insertions (canaries)",
        title_fontsize=style.SMALL,
        alignment="left",
        loc="outside lower left",  # above, it would meet the title
        ncols=4,
        fontsize=style.SMALL,
        frameon=False,
        labelspacing=0.25,
        borderaxespad=1.6,  # above the line that is written below
    )


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
        "Exposure of canaries by how often they are in the text.",
    )
