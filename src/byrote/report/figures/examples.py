"""Example records above the counts by log-likelihood (the strips of Figures 3, 10 and 11)."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from numpy.typing import NDArray

from byrote import checks
from byrote.report.figures import images as pictures
from byrote.report.figures import log_prob, record_marks, registry, style
from byrote.report.figures.log_prob import Binned
from byrote.report.figures.registry import Drawings
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.seeds import Purpose, generator

Picks = list[tuple[int, NDArray[np.intp], NDArray[np.intp]]]  # bin, highest by M, others


def memorized_examples(
    result: MemorizationResult,
    images: NDArray[Any],
    *,
    share: float = 0.05,
    bins: int = 20,
    columns: int = 8,
    each: int = 2,
    seed: int = 0,
) -> Figure:
    """Draw the counts of ``memorized_by_log_prob`` with examples from several bins: Figure 3a.

    The highest by M, in a thick frame, are above the others, in a thin one; records found are in a
    frame of their colour and under a diamond. Dashed lines lead to their bins.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) in [0, 1], or uint8, in the order of the result.
    columns
        Number of bins with examples, spread over those that are not empty.
    each
        Number of records of either group per bin, sampled with ``seed``.

    Raises
    ------
    InvalidInput
        If ``images`` are not n images, or no record can be drawn.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).random((40, 4, 4))
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(4, repeats=2))
    >>> memorized_examples(result, x).axes[0].get_ylabel()
    'records'
    """
    pictures.check_images("images", images, len(result))
    each = checks.integer("each", each, at_least=1)
    columns = checks.integer("columns", columns, at_least=1)
    binned = log_prob.binned(result, share, bins)
    picks = _pick(binned, columns, each, seed)
    size = min(0.62, 5.6 / len(picks)) * images.shape[1] / images.shape[2]
    figure = style.new_figure(style.DOUBLE, 2 * each * size + 2.7)
    halves = figure.add_gridspec(2, 1, height_ratios=[2 * each * size + 0.25, 2.4])
    ax = figure.add_subplot(halves[1])
    log_prob.draw_counts(ax, result, binned)
    ax.legend(
        handles=log_prob.keys(ax, result, binned.numbers("highest by M")),
        loc="upper left",
        bbox_to_anchor=(0, -0.18),
        ncols=2,
        fontsize=style.SMALL,
        frameon=False,
    )
    style.tidy(ax)
    strip = halves[0].subgridspec(2 * each, len(picks)).subplots(squeeze=False)
    found = record_marks.is_found(result)
    for column, (place, high, others) in zip(strip.T, picks, strict=True):
        _column(column, images, (high, others), each, found)
        _lead(ax, column, binned, place)
    return figure


def _pick(binned: Binned, columns: int, each: int, seed: int) -> Picks:
    """Sample records from bins spread over those with records of both groups, or of any."""
    high, others = binned.bins.counts(binned.high), binned.bins.counts(~binned.high)
    both = np.flatnonzero((high > 0) & (others > 0))
    filled = both if len(both) >= columns else np.flatnonzero(high + others)
    spread = np.unique(np.linspace(0, len(filled) - 1, columns).round().astype(int))
    random = generator(seed, Purpose.EXAMPLES)

    def draw(group: NDArray[np.bool_], place: int) -> NDArray[np.intp]:
        rows = binned.rows[group & (binned.bins.place == place)]
        return random.choice(rows, min(each, len(rows)), replace=False)

    return [(int(b), draw(binned.high, b), draw(~binned.high, b)) for b in filled[spread]]


def _column(
    column: NDArray[Any],
    images: NDArray[Any],
    groups: tuple[NDArray[np.intp], NDArray[np.intp]],
    each: int,
    found: NDArray[np.bool_],
) -> None:
    for ax in column:
        ax.set_axis_off()
    # Both groups start from the middle, without a gap between them.
    high, others = groups
    for axes, rows, color, width in (
        (column[each - len(high) :], high, style.SKY, 2.5),
        (column[each:], others, style.BLUE, 1.0),
    ):
        for ax, row in zip(axes, rows, strict=False):
            ax.set_axis_on()
            pictures.show(ax, pictures.of_row(images, row), frame=color, width=width)
            if found[row]:
                record_marks.mark_image(ax)


def _lead(ax: Axes, column: NDArray[Any], binned: Binned, place: int) -> None:
    """Draw a dashed line from the column's last image to the bar of its bin."""
    last = [axes for axes in column if axes.axison][-1]
    height = np.count_nonzero(binned.bins.place == place)
    marked = any((binned.bins.place[g.rows[binned.rows]] == place).any() for g in binned.marked)
    line = ConnectionPatch(
        (0.5, -0.03),
        (binned.bins.centres[place], height + (0.23 if marked else 0.085) * ax.get_ylim()[1]),
        "axes fraction",
        "data",
        axesA=last,
        axesB=ax,
        linestyle=(0, (4, 3)),
        linewidth=0.6,
        color=style.GREY,
    )
    line.set_in_layout(False)
    figure = style.figure_of(ax)
    figure.add_artist(line)


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("gallery", of="records", order=71, needs=(registry.scores, registry.images))
def _memorized_examples(result: MemorizationResult, images: NDArray[Any]) -> Drawings:
    shows = "Records drawn at random, by log-likelihood and score M."
    yield "memorized-examples", memorized_examples(result, images), shows
