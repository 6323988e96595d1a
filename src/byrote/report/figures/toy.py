"""Memorization and over-fitting in one dimension (Figure 1)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from byrote.report.figures import registry, style
from byrote.report.figures.registry import Drawings, Selection

Array = NDArray[np.float64]

# Two well-covered regions; the density of a third rests on the last record alone.
KEPT = np.array([-2.9, -2.5, -2.3, -2.1, -1.9, -1.7, -1.2, 0.6, 0.9, 1.1, 1.3, 1.5, 1.8, 2.2])
LEFT_OUT = np.array([-1.45, 2.0, 4.6])
BANDWIDTH, TOO_SMALL = 0.45, 0.04
_GRID = np.linspace(-4.6, 6.4, 1201)


def toy_memorization(ax: Axes | None = None) -> Axes:
    """Draw kernel densities of few records with and without three of them, as in Figure 1a.

    Two of the three lie among others, and their absence changes little. The density around the
    third exists only because it was in the data.

    Examples
    --------
    >>> toy_memorization().get_ylabel()
    'density p(x)'
    """
    ax = style.new_axes(ax)
    whole = density(np.append(KEPT, LEFT_OUT), _GRID, BANDWIDTH)
    part = density(KEPT, _GRID, BANDWIDTH)
    ax.fill_between(_GRID, part, whole, color=style.SKY, alpha=0.45, linewidth=0)
    ax.plot(_GRID, whole, color=style.BLUE, linewidth=1.4, label="all records")
    ax.plot(
        _GRID,
        part,
        color=style.ORANGE,
        linestyle="--",
        linewidth=1.4,
        label="without the blue records",
    )
    _records(ax, KEPT, style.ORANGE, "o")
    _records(ax, LEFT_OUT, style.BLUE, "D")
    lone = LEFT_OUT[-1]
    peak = float(density(np.append(KEPT, LEFT_OUT), np.array([lone]), BANDWIDTH)[0])
    ax.annotate(
        "supported by one\nrecord: memorized",
        (lone, peak),
        xytext=(lone, 2.4 * peak),
        horizontalalignment="center",
        fontsize=style.SMALL,
        arrowprops={"arrowstyle": "->", "linewidth": 0.8},
    )
    _finish(ax, max(whole.max(), part.max()))
    return ax


def toy_overfitting(ax: Axes | None = None) -> Axes:
    """Draw kernel densities of the same records, one with too small a bandwidth: Figure 1b.

    Over-fitting is global: the density is high at every record and low between them, so that it
    is low at unseen records everywhere.

    Examples
    --------
    >>> len(toy_overfitting().lines) >= 2
    True
    """
    ax = style.new_axes(ax)
    records = np.append(KEPT, LEFT_OUT)
    sound = density(records, _GRID, BANDWIDTH)
    over = density(records, _GRID, TOO_SMALL)
    ax.plot(_GRID, over, color=style.VERMILION, linewidth=1.0, label="over-trained")
    ax.plot(_GRID, sound, color=style.BLUE, linestyle="--", linewidth=1.4, label="sound")
    _records(ax, records, style.BLUE, "o")
    _finish(ax, over.max())
    return ax


def density(records: Array, at: Array, bandwidth: float) -> Array:
    """Compute the Gaussian kernel density of records (n,) at places (m,)."""
    from sklearn.neighbors import KernelDensity  # noqa: PLC0415 (slow to load)

    model = KernelDensity(bandwidth=bandwidth).fit(records[:, None])
    return np.exp(model.score_samples(at[:, None]))


def _records(ax: Axes, records: Array, color: str, marker: str) -> None:
    ax.plot(
        records,
        np.full(len(records), -0.045),
        linestyle="none",
        marker=marker,
        markersize=3.5,
        markerfacecolor=color,
        markeredgecolor="black",
        markeredgewidth=0.4,
        transform=ax.get_xaxis_transform(),
        clip_on=False,
        zorder=5,
    )


def _finish(ax: Axes, top: float) -> None:
    ax.set_ylim(0, 1.06 * top)
    ax.set_xlim(_GRID[0], _GRID[-1])
    ax.tick_params(axis="x", pad=7)  # below the records
    ax.set_xlabel("x (records below the axis)")
    ax.set_ylabel("density p(x)")
    style.legend_above(ax)
    style.tidy(ax)


# -- what byrote figures draws --------------------------------------------------------------------


def _asked(selection: Selection) -> Sequence[None]:
    return [None] if selection.toys else []


@registry.figure("toy densities", of="records", order=10, each=_asked, of_run=False)
def _toys(_: None) -> Drawings:
    about = "A toy: kernel densities of {} made-up records on a line, not of the run."
    shows = about.format(len(KEPT) + len(LEFT_OUT))
    yield "toy-memorization", style.figure_of(toy_memorization()), shows
    yield "toy-overfitting", style.figure_of(toy_overfitting()), shows
