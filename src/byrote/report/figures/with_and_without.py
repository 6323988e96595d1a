"""Records found, as each fit sees them: trained on and held out."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Patch
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans.design import IN, OUT
from byrote.report.figures import images as pictures
from byrote.report.figures import record_marks, registry, style
from byrote.report.figures.far_values import arrow_at_edge
from byrote.report.figures.registry import Drawings, Selection
from byrote.report.format import number
from byrote.runs.table import Table
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.run import Run

Rows = NDArray[np.intp]
_BAND = (0.05, 0.95)  # quantiles of all records, held out
_IMAGE = 25.0  # points, the height of an image
_SIDES: dict[int, tuple[str, dict[str, Any]]] = {
    OUT: ("a fit without it", {"marker": "s", "markersize": 4, "color": style.GREY}),
    IN: ("a fit with it", {"marker": "o", "markersize": 4.5, "color": style.BLUE}),
}
_ARROW: dict[str, Any] = {
    "arrowstyle": "->",
    "color": "black",
    "linewidth": 0.8,
    "shrinkA": 0,
    "shrinkB": 0,
}
_MARGIN: dict[str, Any] = {
    "xytext": (8, 0),
    "textcoords": "offset points",
    "verticalalignment": "center",
    "fontsize": style.SMALL,
    "annotation_clip": False,
}


def with_and_without(
    run: Run, images: NDArray[Any] | None = None, *, records: int = 8, ax: Axes | None = None
) -> Axes:
    """Draw the log-likelihood of records found, in every fit with them and without them.

    Of the records found those with the highest M, one row each, with their images if these are
    given. The arrow leads from log P held out to log P in training, eq. (1): its length is M. The
    band is where 90 % of all records lie when they are held out. Arrows at the left edge are fits
    that give the record a density of zero.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) in [0, 1], or uint8, in the order of the result.
    records
        Number of rows, at most.

    Raises
    ------
    InvalidInput
        If no record was found, or ``images`` are not n images.

    Examples
    --------
    >>> import byrote, numpy as np, tempfile
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.append(np.random.default_rng(0).normal(size=100), 6.0)[:, None]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan, path = byrote.KFold(5, repeats=4), folder + "/run"
    ...     _ = byrote.score_memorization(KernelDensity(), x, plan=plan, out=path)
    ...     ax = with_and_without(byrote.open_run(path))
    >>> ax.get_xlabel()
    'log-likelihood in each fit (nats)'
    """
    records, result = checks.integer("records", records, at_least=1), run.memorization()
    if images is not None:
        pictures.check_images("images", images, len(result))
    found = record_marks.is_found(result)
    order = result.order()
    rows = order[found[order]][:records]
    if not len(rows):
        raise InvalidInput(f"none was found (q ≤ {SIGNIFICANCE:g})")
    ax = style.new_axes(ax, width=style.DOUBLE, height=0.42 * len(rows) + 0.95)
    band = _band(ax, result)
    _fits(ax, run.table(), rows)
    _arrows(ax, result, rows)
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.set_yticks(range(len(rows)), [style.short(result.ids[row], 12) for row in rows])
    ax.set_xlabel("log-likelihood in each fit (nats)")
    style.tidy(ax)
    ax.tick_params(axis="y", length=0)
    if images is not None:
        _images(ax, images, rows)
    sides = [style.key(name, linestyle="none", **look) for name, look in _SIDES.values()]
    style.legend_above(ax, handles=[*sides, band])
    return ax


def _fits(ax: Axes, table: Table, rows: Rows) -> None:
    """Draw a mark for each fit."""
    columns = np.searchsorted(table.rows, rows)
    log_prob, roles = table.log_prob[:, columns], table.roles()[:, columns]
    for role, (_, look) in _SIDES.items():
        fit, places = np.nonzero((roles == role) & np.isfinite(log_prob))
        ax.plot(log_prob[fit, places], places, linestyle="none", alpha=0.75, zorder=3, **look)
        for place in np.flatnonzero(((roles == role) & np.isneginf(log_prob)).any(axis=0)):
            arrow_at_edge(ax, float(place), number(-np.inf), right=False, color=look["color"])


def _arrows(ax: Axes, result: MemorizationResult, rows: Rows) -> None:
    """Draw an arrow from held out to in training, and write M beside it."""
    margin = ax.get_yaxis_transform()
    ends = ax.get_xlim()
    for place, row in enumerate(rows):
        start, end = np.clip([result.log_prob_out[row], result.log_prob_in[row]], *ends)
        ax.annotate("", (end, place), (start, place), arrowprops=_ARROW, zorder=4)
        ax.annotate(number(result.score[row]), (1, place), xycoords=margin, **_MARGIN)
    ax.annotate("M (nats)", (1, -0.75), xycoords=margin, **_MARGIN)


def _band(ax: Axes, result: MemorizationResult) -> Patch:
    """Shade where most records lie when held out; return its entry of the legend."""
    held_out = result.log_prob_out[np.isfinite(result.log_prob_out)]
    low, high = np.quantile(held_out, _BAND)
    name = f"{_BAND[1] - _BAND[0]:.0%} of all records, held out"
    return ax.axvspan(low, high, color="#E8E8E8", linewidth=0, zorder=0, label=name)


def _images(ax: Axes, images: NDArray[Any], rows: Rows) -> None:
    """Draw the images of records left of the axis, and move the ids out of their way."""
    for place, row in enumerate(rows):
        image = pictures.of_row(images, row)
        picture = OffsetImage(
            image,
            zoom=_IMAGE / len(image),
            cmap="gray_r",
            norm=Normalize(0, 1),
            interpolation="nearest",
        )
        box = AnnotationBbox(
            picture,
            (0, place),
            xycoords=ax.get_yaxis_transform(),
            xybox=(-0.7 * _IMAGE, 0),
            boxcoords="offset points",
            pad=0,
            bboxprops={"edgecolor": style.VERMILION, "linewidth": 1.2},
        )
        ax.add_artist(box)
    ax.tick_params(axis="y", pad=1.3 * _IMAGE)


# -- what byrote figures draws --------------------------------------------------------------------


def _images_if_any(selection: Selection) -> NDArray[Any] | None:
    try:
        return registry.images(selection)
    except InvalidInput:  # rows of numbers, or an array that was in memory
        return None


@registry.figure(
    "figure of the records found", of="records", order=10, needs=(registry.run, _images_if_any)
)
def _records_found(run: Run, images: NDArray[Any] | None) -> Drawings:
    shows = "Of the records found those with the highest M, in every fit."
    yield "with-and-without", style.figure_of(with_and_without(run, images)), shows
