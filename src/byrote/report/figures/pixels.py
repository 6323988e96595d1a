"""Images of records in figures."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.records import as_floats
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME = "#BBBBBB"


def check_images(name: str, images: NDArray[Any], n: int | None = None) -> None:
    """(n, h, w), or (n, h, w, c) with 1, 3 or 4 channels."""
    grey_or_colour = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3, 4))
    if not grey_or_colour or (n is not None and len(images) != n):
        count = "" if n is None else f"{n} "
        raise InvalidInput(
            f"{name} must be {count}images, (n, h, w) or (n, h, w, c); got {images.shape}"
        )


def of_row(images: NDArray[Any], row: Any) -> NDArray[Any]:
    """One of (n, …) images, in [0, 1] however it is stored."""
    return as_floats(images[row : row + 1])[0]


def show(
    ax: "Axes", image: NDArray[Any], *, frame: str = FRAME, width: float = 0.8, style: Any = "-"
) -> None:
    """One image in [0, 1] in a frame; grey ones dark on light, as ink on paper."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(frame)
        spine.set_linewidth(width)
        spine.set_linestyle(style)


def mosaic(images: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Rows times columns images as one, row by row, with a light grey line between them.

    Grey images of (h, w), or of one channel, become (H, W); places without an image are white.
    """
    images = as_floats(images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    height, width, *channels = images.shape[1:]
    gap = max(1, round(0.04 * max(height, width)))
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
