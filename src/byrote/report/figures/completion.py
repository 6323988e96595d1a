"""Greedy completion of secrets by the number of characters given."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.report.figures import exposure_marks as marks
from byrote.report.figures import style
from byrote.stats.estimate import proportion

Array = NDArray[np.float64]
_ENOUGH = 3  # secrets of a level; intervals of fewer are wide, and hide the rest


def completion_by_prefix(
    given: ArrayLike, recovered: ArrayLike, insertions: ArrayLike, *, chance: float | None = None
) -> Figure:
    """Draw greedy completion by the number of characters given, by level of insertion.

    Left, the share of the remaining characters that come out right, in their places: mean over the
    canaries of a level. Right, the share of canaries whose whole remainder comes out, with Wilson's
    95 % interval where a level has three secrets or more. The post's model, given "2812", completes
    "65017".

    Parameters
    ----------
    given
        (L,) numbers of leading characters of the secret that the model is given, ascending.
    recovered
        (n, L) share of the remaining characters that are right; NaN where it was not tried.
    insertions
        (n,) number of times that each canary is in the corpus.
    chance
        Share that is right by guessing: 0.1 for digits.

    Raises
    ------
    InvalidInput
        If the arrays do not fit together, or a share is not between 0 and 1.

    Examples
    --------
    >>> figure = completion_by_prefix([0, 2, 4], [[0.0, 0.5, 1.0], [0.1, 0.2, 1.0]], [4, 4])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['remaining characters right', 'secrets completed']
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
        _curve(left, lengths, _mean(rows), look)
        _successes(right, lengths, rows, look, place - (len(looks) - 1) / 2)
    keys = _keys(looks, times)
    if chance is not None:
        line = left.axhline(chance, color="black", linewidth=0.9, linestyle=(0, (1, 1.2)))
        line.set_label("guessing")
        keys.append(line)
    _finish(figure, left, right, keys)
    return figure


def _mean(rows: Array) -> Array:
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        return np.where(known, rows, 0).sum(axis=0) / known.sum(axis=0)


def _curve(ax: Axes, x: NDArray[Any], y: Array, look: dict[str, Any]) -> None:
    known = ~np.isnan(y)
    if not known.any():
        return  # an empty line that is not clipped would count as one at the figure's corner
    ax.plot(x[known], y[known], linewidth=1.3, markersize=4, clip_on=False, **look)


def _successes(
    ax: Axes, lengths: NDArray[Any], rows: Array, look: dict[str, Any], place: float
) -> None:
    """Draw the share of secrets completed; levels stand a little apart, so that intervals do."""
    tried = (~np.isnan(rows)).sum(axis=0)
    done = (rows == 1).sum(axis=0)
    known = np.flatnonzero(tried)
    x = lengths[known] + 0.11 * place
    if len(rows) >= _ENOUGH:
        ends = np.array([proportion(done[i], tried[i]).interval for i in known]).reshape(-1, 2)
        ax.vlines(x, ends[:, 0], ends[:, 1], color=look["color"], linewidth=0.7, alpha=0.6)
    _curve(ax, x, done[known] / tried[known], look)


def _keys(looks: dict[int, dict[str, Any]], times: NDArray[Any]) -> list[Any]:

    return [
        style.key(
            marks.level_name(level, int((times == level).sum())),
            linewidth=1.3,
            markersize=4,
            **look,
        )
        for level, look in looks.items()
    ]


def _finish(figure: Figure, left: Axes, right: Axes, keys: list[Any]) -> None:

    for ax, label in ((left, "remaining characters right"), (right, "secrets completed")):
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
    )
