"""Every record's score in the baseline against its score in other runs: who changed sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import reach, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
_MOST, _ACROSS = 9, 3
_MANY = 2000  # records from which on points are a picture in a vector file, and paler
# In the order of drawing; markers tell them apart in grey.
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
    """Scores of n records in the baseline and in another run; nats.

    crossing: (n,) "neither", "both", "newly" or "no longer" memorized, "" where it is not known.
    """

    name: str
    baseline: Array
    score: Array
    crossing: NDArray[np.str_]


def paired_scores(
    runs: Sequence[PairedScores], baseline: str, *, label: str = "matched score"
) -> "Figure":
    """Scores in the baseline against those of each other run, a panel a run.

    Records below the line are memorized less than in the baseline. Axes are linear about zero and
    logarithmic further out, where the memorized records are; all panels share them.

    Parameters
    ----------
    runs
        At most nine.
    baseline
        What the baseline is called.
    label
        What the scores are.

    Raises
    ------
    InvalidInput
        If there is no run or too many, or no record has finite scores.

    Examples
    --------
    >>> import numpy as np
    >>> one = PairedScores("mild", np.array([0.1, 30.0]), np.array([0.2, 4.0]),
    ...                    np.array(["neither", "no longer"]))
    >>> figure = paired_scores([one], "plain")
    >>> figure.axes[0].get_title(loc="left")
    'mild'
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    limits, threshold = _scale(runs)
    across = min(len(runs), _ACROSS)
    down = -(-len(runs) // across)
    side = 3.0 if across == 1 else 2.55 if across == 2 else 2.2
    width = max(side * across, style.SINGLE)
    figure = Figure(figsize=(width, side * down + 0.55), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for ax, one in zip(axes.flat, runs, strict=False):
        _panel(ax, one, limits, threshold)
    for ax in list(axes.flat)[len(runs) :]:
        ax.set_visible(False)
    for ax in list(axes.flat)[max(0, len(runs) - across) : len(runs)]:
        ax.tick_params(labelbottom=True)
    figure.supxlabel(f"{label} in {style.short(baseline, 24)} (nats)", fontsize=style.TEXT)
    figure.supylabel(f"{label} (nats)", fontsize=style.TEXT)
    _legend(figure, runs, one_column=across == 1)
    return figure


def _scale(runs: Sequence[PairedScores]) -> tuple[tuple[float, float], float]:
    """Ends of both axes, and up to where they are linear: about the bulk of the scores."""
    if not 1 <= len(runs) <= _MOST:
        raise InvalidInput(f"runs must be 1 to {_MOST} in number; got {len(runs)}")
    values = np.concatenate([v[_finite(one)] for one in runs for v in (one.baseline, one.score)])
    if not len(values):
        raise InvalidInput("runs must have records with finite scores; there are none")
    low, high = reach.edges(values, reach=np.inf)
    # Scores below zero are noise; a logarithm of noise would draw patterns that are not there.
    bulk = max(np.quantile(np.abs(values), 0.9), -np.quantile(values, 0.01), 1e-3)
    power = 10.0 ** np.floor(np.log10(bulk))
    threshold = float(next(step * power for step in (1, 2, 5, 10) if step * power >= bulk))
    return (low, high), threshold


def _finite(one: PairedScores) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(one.baseline) & np.isfinite(one.score))


def _panel(ax: "Axes", one: PairedScores, limits: tuple[float, float], threshold: float) -> None:
    there = _finite(one)
    many = there.sum() > _MANY
    for place, (crossing, look) in enumerate(_LOOKS.items()):
        own = there & (one.crossing == crossing)
        if crossing == "neither":
            own |= there & (one.crossing == "")
        alpha = 0.25 if many and crossing == "neither" else 0.75
        x, y = one.baseline[own], one.score[own]
        ax.scatter(x, y, alpha=alpha, zorder=2 + place, rasterized=bool(many), **look)
    _axes(ax, limits, threshold)
    ax.set_title(style.short(one.name, 28), loc="left", fontsize=style.TEXT)
    lines = [f"{c}: {int((one.crossing == c).sum()):,}" for c in ("no longer", "newly", "both")]
    if (one.crossing == "").all():
        lines = []
    if infinite := int((~there).sum()):
        lines.append(f"not drawn, infinite or unknown: {infinite:,}")
    ax.annotate(
        "\n".join(lines),
        (0.03, 0.98),
        xycoords="axes fraction",
        verticalalignment="top",
        fontsize=style.SMALL,
        color=style.GREY,
        zorder=9,  # above the points, on a ground that keeps it readable among them
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.5},
    )
    style.tidy(ax)


def _axes(ax: "Axes", limits: tuple[float, float], threshold: float) -> None:
    """Linear to the threshold, then logarithmic; square, for both axes are the same."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: PLC0415

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
    """0, the threshold, and the powers of ten beyond, as far as they reach; else twos and fives.

    Examples
    --------
    >>> _ticks((-1.5, 30.0), 1.0), _ticks((-1.5, 7.0), 1.0)
    ([-1.0, 0.0, 1.0, 10.0], [-1.0, 0.0, 1.0, 2.0, 5.0])
    """
    low, high = limits
    powers = 10.0 ** np.arange(np.floor(np.log10(threshold)), 12)
    if not ((powers > 1.5 * threshold) & (powers <= max(high, -low))).any():
        powers = np.outer(powers, [1, 2, 5]).ravel()  # or nothing would say that it is logarithmic
    powers = np.append(threshold, powers[powers > 1.5 * threshold])
    positive, negative = powers[powers <= high], -powers[-powers >= low]
    return [*negative[::-1].tolist(), 0.0, *positive.tolist()]


def _legend(figure: "Figure", runs: Sequence[PairedScores], *, one_column: bool) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415 (slow to load)

    keys = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=look["marker"],
            color=look["color"],
            markeredgewidth=0,
            markersize=1.2 * look["s"] ** 0.5,
            label=_NAMES[crossing],
        )
        for crossing, look in _LOOKS.items()
        if crossing == "neither" or any((one.crossing == crossing).any() for one in runs)
    ]
    if all((one.crossing == "").all() for one in runs):
        keys[0].set_label("records; nothing says which are memorized")
    line = Line2D([], [], color=style.GREY, label="no change", **_SAME)
    figure.legend(
        handles=[*keys, line],
        loc="outside upper left",
        ncols=2 if one_column else len(keys) + 1,
        fontsize=style.SMALL,
        frameon=False,
        handletextpad=0.4,
        columnspacing=1.2,
        title="memorized (q ≤ 0.05)" if len(keys) > 1 else None,
        title_fontsize=style.SMALL,
        alignment="left",
    )
