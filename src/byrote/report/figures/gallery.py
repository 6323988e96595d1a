"""The records with the lowest, the median and the highest scores (Figures 2 and 7 to 9)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput, printable
from byrote.report.figures import pixels, style
from byrote.report.format import number
from byrote.scores.result import MemorizationResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = NDArray[np.intp]


def gallery(
    result: MemorizationResult, images: NDArray[Any], each: int = 10, *, rows: int = 1
) -> "Figure":
    """The images with the lowest, the median and the highest scores, as in Figure 2 of the paper.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) in [0, 1], or uint8, in the order of the result.
    each
        How many images a row shows.
    rows
        With one row, each image has its score above and its id below. With more, the three groups
        stand side by side as grids of so many rows, scores rising from top left to bottom right.

    Raises
    ------
    InvalidInput
        If ``images`` are not n images, or nothing has a score.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).random((40, 4, 4))
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(4, repeats=2))
    >>> len(gallery(result, x, each=5).axes), len(gallery(result, x, each=3, rows=2).axes)
    (15, 3)
    """
    pixels.check_images("images", images, len(result))
    each = checks.integer("each", each, at_least=1)
    rows = checks.integer("rows", rows, at_least=1)
    groups = _groups(result, each * rows)
    return _strips(result, images, groups) if rows == 1 else _grids(result, images, groups, each)


def _groups(result: MemorizationResult, count: int) -> dict[str, Rows]:
    order = result.order()[::-1]
    if len(order) == 0:
        raise InvalidInput("result must have a score to draw; it has none")
    # No image stands in two groups, unless there are fewer than three.
    count = min(count, max(1, len(order) // 3))
    middle = (len(order) - count) // 2
    return {
        "lowest": order[:count],
        "median": order[middle : middle + count],
        "highest": order[len(order) - count :],
    }


def _strips(result: MemorizationResult, images: NDArray[Any], groups: dict[str, Rows]) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    each = len(groups["median"])
    shape = images.shape[1] / images.shape[2]
    size = min(0.62, 6.2 / each)
    figure = Figure(
        figsize=(max(style.SINGLE, size * each + 0.6), 3 * (size * shape + 0.32) + 0.22),
        layout="constrained",
    )
    for axes, (title, chosen) in zip(
        figure.subplots(3, each, squeeze=False), groups.items(), strict=True
    ):
        for ax, row in zip(axes, chosen, strict=True):
            pixels.show(ax, pixels.of_row(images, row))
            ax.set_title(number(result.score[row]), fontsize=style.SMALL, pad=2)
            ax.set_xlabel(
                _short(result.ids[row]), fontsize=style.SMALL, labelpad=1, color=style.GREY
            )
        axes[0].set_ylabel(title, fontsize=style.TEXT)
    figure.suptitle("memorization score M (nats) above, id below each record", fontsize=style.TEXT)
    return figure


def _grids(
    result: MemorizationResult, images: NDArray[Any], groups: dict[str, Rows], each: int
) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    rows = -(-len(groups["median"]) // each)
    height = 2.15 * rows / each * images.shape[1] / images.shape[2] + 0.25
    figure = Figure(figsize=(style.DOUBLE, height), layout="constrained")
    for ax, (title, chosen) in zip(figure.subplots(1, 3), groups.items(), strict=True):
        whole = pixels.mosaic(images[chosen], rows, each)
        ax.imshow(whole, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        ax.set_axis_off()
        low, high = (number(result.score[row]) for row in (chosen[0], chosen[-1]))
        ax.set_title(f"{title}: M from {low} to {high} nats", fontsize=style.TEXT, pad=3)
    return figure


def _short(id_: Any) -> str:
    text = printable(id_)
    return style.short(text if len(text) <= 8 else f"…{text[-7:]}", 8)
