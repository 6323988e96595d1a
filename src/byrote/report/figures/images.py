"""Images of records by score, and of records with their nearest samples (Figures 2, 7 to 9)."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from byrote import checks
from byrote.data.records import as_floats
from byrote.errors import InvalidInput, printable
from byrote.report.figures import record_marks, registry, style
from byrote.report.figures.registry import Drawings
from byrote.report.format import number
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.run import Run

Rows = NDArray[np.intp]
FRAME = "#BBBBBB"
_GRID = 8  # images a side in each panel of the gallery's grid


def gallery(
    result: MemorizationResult, images: NDArray[Any], each: int = 10, *, rows: int = 1
) -> Figure:
    """Draw the images with the lowest, median and highest scores, as in Figure 2 of the paper.

    Records found come first, by decreasing effect, and are framed in every group.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) in [0, 1], or uint8, in the order of the result.
    each
        Number of images in a row.
    rows
        With one row, each image has its score above and its id below. With more, each group is a
        grid of this many rows, scores ascending from top left to bottom right.

    Raises
    ------
    InvalidInput
        If ``images`` are not n images, or no record has a score.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> from sklearn.neighbors import KernelDensity
    >>> x = np.random.default_rng(0).random((40, 4, 4))
    >>> result = byrote.score_memorization(KernelDensity(), x, plan=byrote.KFold(4, repeats=2))
    >>> len(gallery(result, x, each=5).axes), len(gallery(result, x, each=3, rows=2).axes)
    (20, 3)
    """
    check_images("images", images, len(result))
    each = checks.integer("each", each, at_least=1)
    rows = checks.integer("rows", rows, at_least=1)
    groups = _groups(result, each * rows)
    return _strips(result, images, groups) if rows == 1 else _grids(result, images, groups, each)


def _groups(result: MemorizationResult, count: int) -> dict[str, Rows]:
    found = np.flatnonzero(record_marks.is_found(result))
    found = found[np.argsort(-result.mean_log[found], kind="stable")][:count]
    order = result.order()[::-1]
    if len(order) == 0:
        raise InvalidInput("result must have a score to draw; it has none")
    # No image is in two groups, unless there are fewer than three.
    count = min(count, max(1, len(order) // 3))
    middle = (len(order) - count) // 2
    return {
        **({"found": found} if len(found) else {}),
        "lowest": order[:count],
        "median": order[middle : middle + count],
        "highest": order[len(order) - count :],
    }


def _strips(result: MemorizationResult, images: NDArray[Any], groups: dict[str, Rows]) -> Figure:
    each = max(len(rows) for rows in groups.values())
    shape = images.shape[1] / images.shape[2]
    size = min(0.62, 6.2 / each)
    figure = style.new_figure(
        max(style.SINGLE, size * each + 0.6), len(groups) * (size * shape + 0.32) + 0.4
    )
    is_found = record_marks.is_found(result)
    for axes, (title, shown) in zip(
        figure.subplots(len(groups), each, squeeze=False), groups.items(), strict=True
    ):
        for ax in axes[len(shown) :]:
            ax.set_visible(False)
        for ax, row in zip(axes, shown, strict=False):
            show(ax, of_row(images, row))
            ax.set_title(number(result.score[row]), fontsize=style.SMALL, pad=2)
            ax.set_xlabel(
                _short(result.ids[row]), fontsize=style.SMALL, labelpad=1, color=style.GREY
            )
            if is_found[row]:
                record_marks.mark_image(ax)
        axes[0].set_ylabel(title, fontsize=style.TEXT)
    figure.suptitle("memorization score M (nats) above, id below each record", fontsize=style.TEXT)
    _legend(figure, result)
    return figure


def _grids(
    result: MemorizationResult, images: NDArray[Any], groups: dict[str, Rows], each: int
) -> Figure:
    groups = {title: rows for title, rows in groups.items() if title != "found"}
    rows = -(-len(groups["median"]) // each)
    height = 2.15 * rows / each * images.shape[1] / images.shape[2] + 0.45
    figure = style.new_figure(style.DOUBLE, height)
    found = record_marks.is_found(result)
    for ax, (title, shown) in zip(figure.subplots(1, 3), groups.items(), strict=True):
        whole = mosaic(images[shown], rows, each)
        ax.imshow(whole, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        ax.set_axis_off()
        _frame_tiles(ax, np.flatnonzero(found[shown]), images.shape[1:3], each)
        low, high = (number(result.score[row]) for row in (shown[0], shown[-1]))
        ax.set_title(f"{title}: M from {low} to {high} nats", fontsize=style.TEXT, pad=3)
    _legend(figure, result)
    return figure


def _frame_tiles(ax: Axes, places: Rows, shape: tuple[int, ...], each: int) -> None:
    """Frame images of a mosaic by their places."""
    height, width, gap = *shape, _gap(*shape)
    for place in places.tolist():
        corner = place % each * (width + gap) - 0.5, place // each * (height + gap) - 0.5
        look: dict[str, Any] = {"edgecolor": style.VERMILION, "linewidth": 1.4, "fill": False}
        ax.add_patch(Rectangle(corner, width, height, **look))


def _legend(figure: Figure, result: MemorizationResult) -> None:
    figure.legend(
        handles=record_marks.keys(result),
        loc="outside lower left",
        fontsize=style.SMALL,
        frameon=False,
        borderpad=0,
        borderaxespad=1.6,  # above the line that is written below
    )


def _short(id_: Any) -> str:
    text = printable(id_)
    return style.short(text if len(text) <= 8 else f"…{text[-7:]}", 8)


def reproduced(
    result: NeighborResult, images: NDArray[Any], samples: NDArray[Any], *, pairs: int = 16
) -> Figure:
    """Draw pairs of a training record (left) and its nearest sample (right), highest ratio first.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) training records in [0, 1], or uint8, in the order of the result.
    samples
        (m, h, w) or (m, h, w, c) samples of the result, in their order.
    pairs
        Number of pairs.

    Raises
    ------
    InvalidInput
        If the images do not fit the result, or no ratio is a number.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> x, rows = np.random.default_rng(0).random((6, 4, 4)), np.arange(6)
    >>> result = SimpleNamespace(ratio=rows / 1.0, nearest_sample=rows, order=lambda: rows[::-1])
    >>> reproduced(result, x, x[:, ::-1], pairs=3).axes[0].get_title()
    'ρ = 5.00'
    """
    pairs = checks.integer("pairs", pairs, at_least=1)
    shown = _ranked(result, images, samples)[:pairs]
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    size = 0.72 * images.shape[1] / images.shape[2]
    figure = style.new_figure(1.65 * columns, rows * (size + 0.25) + 0.25)
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for ax in grid:
        ax.set_axis_off()
    for ax, row in zip(figure.axes, shown, strict=False):
        ax.set_axis_on()
        pair = np.stack([of_row(images, row), of_row(samples, result.nearest_sample[row])])
        show(ax, mosaic(pair, 1, 2))
        ax.set_title(f"ρ = {number(result.ratio[row])}", fontsize=style.SMALL, pad=2)
    figure.suptitle("training record (left) and nearest sample (right)", fontsize=style.TEXT)
    return figure


def _ranked(
    result: NeighborResult, images: NDArray[Any], samples: NDArray[Any]
) -> NDArray[np.intp]:
    """Check the images, and return the rows by descending ratio."""
    check_images("images", images, len(result.ratio))
    check_images("samples", samples)
    if samples.shape[1:] != images.shape[1:]:
        raise InvalidInput(
            f"samples must have the size of the images, {images.shape[1:]}; got {samples.shape[1:]}"
        )
    if np.max(result.nearest_sample) >= len(samples):
        raise InvalidInput(
            "samples must be those that the result was made from, more than"
            f" {np.max(result.nearest_sample)}; got {len(samples)}"
        )
    order = result.order()
    known = order[~np.isnan(result.ratio[order])]
    if len(known) == 0:
        raise InvalidInput("result must have a ratio to draw; it has none")
    return known


# -- single images --------------------------------------------------------------------------------


def check_images(name: str, images: NDArray[Any], n: int | None = None) -> None:
    """Check that images are (n, h, w), or (n, h, w, c) with 1, 3 or 4 channels."""
    grey_or_colour = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3, 4))
    if not grey_or_colour or (n is not None and len(images) != n):
        count = "" if n is None else f"{n} "
        raise InvalidInput(
            f"{name} must be {count}images, (n, h, w) or (n, h, w, c); got {images.shape}"
        )


def of_row(images: NDArray[Any], row: Any) -> NDArray[Any]:
    """Return one of (n, …) images in [0, 1]."""
    return as_floats(images[row : row + 1])[0]


def show(ax: Axes, image: NDArray[Any], *, frame: str = FRAME, width: float = 0.8) -> None:
    """Draw an image in [0, 1] in a frame; grey ones dark on light, as ink on paper."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(frame)
        spine.set_linewidth(width)


def mosaic(images: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Join rows times columns images into one, with light grey lines between them.

    Grey images, or those of one channel, become (H, W); missing images are white.
    """
    images = as_floats(images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    height, width, *channels = images.shape[1:]
    gap = _gap(height, width)
    white, line = (0.0, 0.2) if images.ndim == 3 else (1.0, 0.8)  # grey ones are dark on light
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, *channels)
    whole = np.full(shape, line, dtype=np.float64)
    if channels == [4]:
        whole[..., 3] = 1.0  # opaque
    for place in range(rows * columns):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        image = images[place] if place < len(images) else white
        whole[top : top + height, left : left + width] = image
    return whole


def _gap(height: int, width: int) -> int:
    """Return the width of the lines of a mosaic, pixels."""
    return max(1, round(0.04 * max(height, width)))


# -- what byrote figures draws --------------------------------------------------------------------


@registry.figure("gallery", of="records", order=70, needs=(registry.scores, registry.images))
def _galleries(result: MemorizationResult, images: NDArray[Any]) -> Drawings:
    shows = "Records with the lowest, median and highest scores M."
    yield "gallery", gallery(result, images), shows
    yield "gallery-grid", gallery(result, images, _GRID, rows=_GRID), shows


@registry.figure(
    "reproduced records",
    of="records",
    order=110,
    needs=(registry.run, registry.neighbors, registry.images),
)
def _reproduced(run: Run, neighbors: NeighborResult, images: NDArray[Any]) -> Drawings:
    about = neighbors.description
    samples = run.sample(about["samples"], seed=about["seed"])
    shows = (
        "Records with the highest distance ratio ρ, beside their nearest samples. Above 1 a sample"
        " is nearer than any validation record, which need not make it a copy."
    )
    yield "reproduced", reproduced(neighbors, images, samples), shows
