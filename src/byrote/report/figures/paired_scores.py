"""Scores of the same records in the baseline and in other runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import registry, style
from byrote.report.figures.far_values import robust_limits
from byrote.report.figures.record_marks import FOUND_NAME
from byrote.report.figures.registry import Drawings
from byrote.scores.compare.comparison import CROSSINGS, Comparison, ScoreChange

Array = NDArray[np.float64]
_MOST, _ACROSS = 9, 3
_MANY = 2000  # records from which points are paler, and rasterized in vector files
# In the order of drawing; distinct in grey by their markers.
_LOOKS: dict[str, dict[str, Any]] = {
    "neither": {"marker": "o", "s": 5, "color": "#9A9A9A", "linewidths": 0},
    "both": {"marker": "D", "s": 11, "color": style.PURPLE, "linewidths": 0},
    "no longer": {"marker": "v", "s": 15, "color": style.BLUE, "linewidths": 0},
    "newly": {"marker": "^", "s": 15, "color": style.VERMILION, "linewidths": 0},
}
_NAMES = {name: name for name in _LOOKS} | {"neither": "in neither", "both": "in both"}
_SAME: dict[str, Any] = {"linewidth": 0.8, "linestyle": (0, (4, 2))}


@dataclass(frozen=True, eq=False)
class PairedScores:
    """Scores of n records in the baseline and in another run; nats."""

    name: str
    baseline: Array  # (n,)
    score: Array  # (n,)
    crossing: NDArray[np.str_]  # (n,) found in "neither", "both", "newly", "no longer", or ""


def paired_scores(
    runs: Sequence[PairedScores], baseline: str, *, label: str = "matched score"
) -> Figure:
    """Draw scores in the baseline against those of each other run, a panel a run.

    Records below the line are memorized less than in the baseline. Axes are linear around zero and
    logarithmic beyond; all panels share them.

    Parameters
    ----------
    runs
        At most nine.
    baseline
        Name of the baseline.
    label
        Name of the score.

    Raises
    ------
    InvalidInput
        If there is no run or too many, or no record has finite scores.

    Examples
    --------
    >>> import numpy as np
    >>> run = PairedScores("mild", np.array([0.1, 30.0]), np.array([0.2, 4.0]),
    ...                    np.array(["neither", "no longer"]))
    >>> figure = paired_scores([run], "plain")
    >>> figure.axes[0].get_title(loc="left")
    'mild'
    """
    limits, threshold = _scale(runs)
    across = min(len(runs), _ACROSS)
    down = -(-len(runs) // across)
    side = 3.0 if across == 1 else 2.55 if across == 2 else 2.2
    width = max(side * across, style.SINGLE)
    figure = style.new_figure(width, side * down + 0.55)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for ax, run in zip(axes.flat, runs, strict=False):
        _panel(ax, run, limits, threshold)
    for ax in list(axes.flat)[len(runs) :]:
        ax.set_visible(False)
    for ax in list(axes.flat)[max(0, len(runs) - across) : len(runs)]:
        ax.tick_params(labelbottom=True)
    figure.supxlabel(f"{label} in {style.short(baseline, 24)} (nats)", fontsize=style.TEXT)
    figure.supylabel(f"{label} (nats)", fontsize=style.TEXT)
    _legend(figure, runs, one_column=across == 1)
    return figure


def _scale(runs: Sequence[PairedScores]) -> tuple[tuple[float, float], float]:
    """Return limits of both axes, and the end of their linear part: the bulk of the scores."""
    if not 1 <= len(runs) <= _MOST:
        raise InvalidInput(f"runs must be 1 to {_MOST} in number; got {len(runs)}")
    values = np.concatenate([v[_finite(run)] for run in runs for v in (run.baseline, run.score)])
    if not len(values):
        raise InvalidInput("runs must have records with finite scores; there are none")
    low, high = robust_limits(values, reach=np.inf)
    # Scores below zero are noise; a logarithm of noise would show spurious patterns.
    bulk = max(np.quantile(np.abs(values), 0.9), -np.quantile(values, 0.01), 1e-3)
    power = 10.0 ** np.floor(np.log10(bulk))
    threshold = float(next(step * power for step in (1, 2, 5, 10) if step * power >= bulk))
    return (low, high), threshold


def _finite(run: PairedScores) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(run.baseline) & np.isfinite(run.score))


def _panel(ax: Axes, run: PairedScores, limits: tuple[float, float], threshold: float) -> None:
    finite = _finite(run)
    many = finite.sum() > _MANY
    for place, (crossing, look) in enumerate(_LOOKS.items()):
        rows = finite & (run.crossing == crossing)
        if crossing == "neither":
            rows |= finite & (run.crossing == "")
        alpha = 0.25 if many and crossing == "neither" else 0.75
        x, y = run.baseline[rows], run.score[rows]
        ax.scatter(x, y, alpha=alpha, zorder=2 + place, rasterized=bool(many), **look)
    _axes(ax, limits, threshold)
    ax.set_title(style.short(run.name, 28), loc="left", fontsize=style.TEXT)
    lines = [f"{c}: {int((run.crossing == c).sum()):,}" for c in ("no longer", "newly", "both")]
    if (run.crossing == "").all():
        lines = []
    if infinite := int((~finite).sum()):
        lines.append(f"not drawn, infinite or unknown: {infinite:,}")
    ax.annotate(
        "\n".join(lines),
        (0.03, 0.98),
        xycoords="axes fraction",
        verticalalignment="top",
        fontsize=style.SMALL,
        color=style.GREY,
        zorder=9,  # readable above the points
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.5},
    )
    style.tidy(ax)


def _axes(ax: Axes, limits: tuple[float, float], threshold: float) -> None:
    """Make both axes linear to the threshold, then logarithmic, and the panel square."""
    ticks = _ticks(limits, threshold)
    ax.set_xscale("symlog", linthresh=threshold, linscale=1)
    ax.set_yscale("symlog", linthresh=threshold, linscale=1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    low, high = (ax.transData.transform((end, end)) for end in limits)
    room = 0.04 * (high - low)
    ends = ax.transData.inverted().transform([low - room, high + room])
    ax.plot(ends[:, 0], ends[:, 0], color=style.GREY, zorder=1.5, **_SAME)
    ax.set_xlim(*ends[:, 0])
    ax.set_ylim(*ends[:, 1])
    ax.set_box_aspect(1)


def _ticks(limits: tuple[float, float], threshold: float) -> list[float]:
    """Return 0, the threshold, and the powers of ten beyond, or multiples of 1, 2 and 5.

    Examples
    --------
    >>> _ticks((-1.5, 30.0), 1.0), _ticks((-1.5, 7.0), 1.0)
    ([-1.0, 0.0, 1.0, 10.0], [-1.0, 0.0, 1.0, 2.0, 5.0])
    """
    low, high = limits
    powers = 10.0 ** np.arange(np.floor(np.log10(threshold)), 12)
    if not ((powers > 1.5 * threshold) & (powers <= max(high, -low))).any():
        powers = np.outer(powers, [1, 2, 5]).ravel()  # ticks that show the logarithmic scale
    powers = np.append(threshold, powers[powers > 1.5 * threshold])
    positive, negative = powers[powers <= high], -powers[-powers >= low]
    return [*negative[::-1].tolist(), 0.0, *positive.tolist()]


def _legend(figure: Figure, runs: Sequence[PairedScores], *, one_column: bool) -> None:
    keys = [
        style.key(
            _NAMES[crossing],
            linestyle="none",
            marker=look["marker"],
            color=look["color"],
            markeredgewidth=0,
            markersize=1.2 * look["s"] ** 0.5,
        )
        for crossing, look in _LOOKS.items()
        if crossing == "neither" or any((run.crossing == crossing).any() for run in runs)
    ]
    if all((run.crossing == "").all() for run in runs):
        keys[0].set_label("records (found: unknown, no p-values)")
    line = style.key("no change", color=style.GREY, **_SAME)
    figure.legend(
        handles=[*keys, line],
        loc="outside upper left",
        ncols=2 if one_column else len(keys) + 1,
        fontsize=style.SMALL,
        frameon=False,
        handletextpad=0.4,
        columnspacing=1.2,
        title=FOUND_NAME if len(keys) > 1 else None,
        title_fontsize=style.SMALL,
        alignment="left",
    )


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("paired scores", of="compared records", order=10, needs=(registry.comparison,))
def _of_comparison(comparison: Comparison) -> Drawings:
    runs = [
        PairedScores(
            name=change.name,
            baseline=change.baseline["matched"],
            score=change.baseline["matched"] + change.difference["matched"],
            crossing=np.array(["", *CROSSINGS])[change.crossing + 1],
        )
        for change in comparison.changes
        if isinstance(change, ScoreChange)
    ]
    shows = "The same records in the baseline and in another run."
    yield "paired-scores", paired_scores(runs, comparison.baseline.name), shows
