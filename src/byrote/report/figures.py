"""Figures, each one function ``(result, …, ax=None) -> Axes`` or ``-> Figure``."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.pixels import as_floats
from byrote.errors import InvalidInput
from byrote.report.text import number
from byrote.scores.distribution import quantiles
from byrote.scores.result import MemorizationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito (2008): told apart by colour-blind readers and in grey.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#595959"


def score_distribution(result: MemorizationResult, ax: "Axes | None" = None) -> "Axes":
    """Histogram of the memorization score with its 95th percentile, as in Figure 4c of the paper.

    The few scores that lie far out are drawn, and counted, at the edge.

    Raises
    ------
    InvalidInput
        If no record has a finite score.
    """
    score = result.score[np.isfinite(result.score)]
    if len(score) == 0:
        raise InvalidInput("result must have a finite score to draw; it has none")
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 (slow to load)

    ax = _axes(ax)
    low, high = _edges(score)
    rounding = 1e-9 * max(abs(low), abs(high))
    if high - low <= rounding:
        low, high = low - max(0.5, rounding), high + max(0.5, rounding)
    bins = min(100, max(20, int(np.sqrt(len(score)))))
    ax.hist(np.clip(score, low, high), bins=bins, range=(low, high), color=BLUE, alpha=0.85)
    q95 = quantiles(result.score[~np.isnan(result.score)], (0.95,))[0]
    ax.axvline(q95, color=ORANGE, linestyle="--", linewidth=1.5)
    right = q95 > low + 0.65 * (high - low)  # then there is no room to its right
    ax.margins(y=0.15)  # so that the label stands above the bars
    ax.annotate(
        f"95th percentile: {number(q95)}",
        (q95, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if right else 5, 0),
        textcoords="offset points",
        color=ORANGE,
        horizontalalignment="right" if right else "left",
        verticalalignment="top",
    )
    text = "\n".join(_beyond(result.score, low, high))
    if text:
        ax.annotate(
            text, (0.99, 0.5), xycoords="axes fraction", horizontalalignment="right", color=GREY
        )
    ax.set_xlabel("memorization score M (nats)")
    ax.set_ylabel("records")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    _tidy(ax)
    return ax


def gallery(result: MemorizationResult, images: NDArray[Any], each: int = 10) -> "Figure":
    """The images with the lowest, the median and the highest scores, as in Figure 2 of the paper.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) in [0, 1], or uint8, in the order of the result.
    each
        How many images a row shows.

    Raises
    ------
    InvalidInput
        If ``images`` are not n images.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    grey_or_colour = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3, 4))
    if not grey_or_colour or len(images) != len(result):
        raise InvalidInput(
            f"images must be {len(result)} images, (n, h, w) or (n, h, w, c); got {images.shape}"
        )
    order = result.order()[::-1]
    if len(order) == 0:
        raise InvalidInput("result must have a score to draw; it has none")
    # No image stands in two rows, unless there are fewer than three.
    each = min(checks.integer("each", each, at_least=1), max(1, len(order) // 3))
    middle = (len(order) - each) // 2
    rows = {
        "lowest": order[:each],
        "median": order[middle : middle + each],
        "highest": order[len(order) - each :],
    }
    figure = Figure(figsize=(0.75 * each + 1.0, 3.2), layout="constrained")
    grid = figure.subplots(3, each, squeeze=False)
    for axes, (title, chosen) in zip(grid, rows.items(), strict=True):
        shown = as_floats(images[chosen])
        for ax, row, image in zip(axes, chosen, shown, strict=True):
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            ax.set_title(number(result.score[row]), fontsize=8, pad=2)
            ax.set_xlabel(_short(result.ids[row]), fontsize=6, labelpad=1, color=GREY)
            ax.set_xticks([])
            ax.set_yticks([])
            for spine in ax.spines.values():
                spine.set_color("#BBBBBB")
        axes[0].set_ylabel(title, fontsize=9)
    figure.suptitle("memorization score M (nats) above, id below each record", fontsize=9)
    return figure


def figure_of(ax: "Axes") -> "Figure":
    """The figure that axes belong to."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise InvalidInput("ax must belong to a figure; it belongs to none")
    return figure


def _edges(score: NDArray[np.float64]) -> tuple[float, float]:
    """As far out as four times the distance of the 5th and the 95th percentile from the median.

    With an edge further out a histogram of skewed scores would show one bar.
    """
    q05, median, q95 = np.quantile(score, (0.05, 0.5, 0.95))
    if q05 == q95:
        return float(score.min()), float(score.max())
    low, high = median - 4 * (median - q05), median + 4 * (q95 - median)
    return max(float(score.min()), float(low)), min(float(score.max()), float(high))


def _beyond(score: NDArray[np.float64], low: float, high: float) -> list[str]:
    found = []
    finite = score[np.isfinite(score)]
    if above := np.count_nonzero(finite > high):
        found.append(f"{above} beyond the edge,\nup to {number(finite.max())}")
    if below := np.count_nonzero(finite < low):
        found.append(f"{below} before the edge,\ndown to {number(finite.min())}")
    if infinite := np.count_nonzero(np.isinf(score)):
        found.append(f"{infinite} infinite")
    return found


def _short(id_: Any) -> str:
    text = str(id_)
    return text if len(text) <= 10 else f"…{text[-9:]}"


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    return Figure(figsize=(5.0, 3.2), layout="constrained").subplots()


def _tidy(ax: "Axes") -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
