"""Figures, each one function ``(result, …, ax=None) -> Axes`` or ``-> Figure``."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.scores.result import MemorizationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito (2008): told apart by colour-blind readers and in grey.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#595959"


def score_distribution(result: MemorizationResult, ax: "Axes | None" = None) -> "Axes":
    """Histogram of the memorization score with its 95th percentile, as in Figure 4c of the paper.

    The few scores beyond the 99.9th percentile are counted at the right edge.

    Raises
    ------
    InvalidInput
        If no record has a finite score.
    """
    score = result.score[np.isfinite(result.score)]
    if len(score) == 0:
        raise InvalidInput("result must have a finite score to draw; it has none")
    ax = _axes(ax)
    low, high = score.min(), np.quantile(score, 0.999)
    if high <= low:
        low, high = low - 0.5, low + 0.5
    bins = min(100, max(20, int(np.sqrt(len(score)))))
    ax.hist(np.clip(score, low, high), bins=bins, range=(low, high), color=BLUE, alpha=0.85)
    q95 = float(np.quantile(score, 0.95))
    ax.axvline(q95, color=ORANGE, linestyle="--", linewidth=1.5)
    ax.annotate(
        f"95th percentile: {q95:.3g}",
        (q95, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(5, 0),
        textcoords="offset points",
        color=ORANGE,
        verticalalignment="top",
    )
    beyond = int((score > high).sum())
    if beyond:
        text = f"{beyond} above,\nup to {score.max():.3g}"
        ax.annotate(
            text, (0.99, 0.5), xycoords="axes fraction", horizontalalignment="right", color=GREY
        )
    ax.set_xlabel("memorization score M (nats)")
    ax.set_ylabel("records")
    _tidy(ax)
    return ax


def gallery(result: MemorizationResult, images: NDArray[Any], each: int = 10) -> "Figure":
    """The images with the lowest, the median and the highest scores, as in Figure 2 of the paper.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) in [0, 1], in the order of the result.
    each
        How many images a row shows.

    Raises
    ------
    InvalidInput
        If ``images`` are not n images.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    if images.ndim not in (3, 4) or len(images) != len(result):
        raise InvalidInput(
            f"images must be {len(result)} images, (n, h, w) or (n, h, w, c); got {images.shape}"
        )
    order = result.order()[::-1]
    each = min(each, len(order))
    middle = (len(order) - each) // 2
    rows = {
        "lowest": order[:each],
        "median": order[middle : middle + each],
        "highest": order[len(order) - each :],
    }
    figure = Figure(figsize=(0.75 * each + 1.0, 3.2), layout="constrained")
    grid = figure.subplots(3, each, squeeze=False)
    for axes, (title, chosen) in zip(grid, rows.items(), strict=True):
        for ax, row in zip(axes, chosen, strict=True):
            ax.imshow(images[row], cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            ax.set_title(f"{result.score[row]:.3g}", fontsize=8, pad=2)
            ax.set_xticks([])
            ax.set_yticks([])
            for spine in ax.spines.values():
                spine.set_color("#BBBBBB")
        axes[0].set_ylabel(title, fontsize=9)
    figure.suptitle("memorization score M (nats)", fontsize=9)
    return figure


def figure_of(ax: "Axes") -> "Figure":
    """The figure that axes belong to."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise InvalidInput("ax must belong to a figure; it belongs to none")
    return figure


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    return Figure(figsize=(5.0, 3.2), layout="constrained").subplots()


def _tidy(ax: "Axes") -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
