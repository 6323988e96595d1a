"""Training records that samples nearly reproduce (Supplement A)."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.report.figures import pixels, style
from byrote.report.format import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Nearest(Protocol):
    """Distance ratios with the sample that is nearest to each of n training records."""

    @property
    def ratio(self) -> NDArray[Any]:
        """(n,) rho, eq. (6); infinite where a sample equals the record."""

    @property
    def nearest_sample(self) -> NDArray[Any]:
        """(n,) which sample is the nearest."""

    def order(self) -> NDArray[np.intp]:
        """Rows by falling ratio."""


def reproduced(
    result: Nearest, images: NDArray[Any], samples: NDArray[Any], *, pairs: int = 16
) -> "Figure":
    """Pairs of a training record (left) and its nearest sample (right), highest ratio first.

    Parameters
    ----------
    images
        (n, h, w) or (n, h, w, c) training records in [0, 1], or uint8, in the order of the result.
    samples
        (m, h, w) or (m, h, w, c): those that the result was made from, in their order.
    pairs
        How many to show.

    Raises
    ------
    InvalidInput
        If the images do not fit the result, or no ratio is a number.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> x, rows = np.random.default_rng(0).random((6, 4, 4)), np.arange(6)
    >>> found = SimpleNamespace(ratio=rows / 1.0, nearest_sample=rows, order=lambda: rows[::-1])
    >>> reproduced(found, x, x[:, ::-1], pairs=3).axes[0].get_title()
    'ρ = 5.00'
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    pairs = checks.integer("pairs", pairs, at_least=1)
    chosen = _chosen(result, images, samples)[:pairs]
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    size = 0.72 * images.shape[1] / images.shape[2]
    figure = Figure(figsize=(1.65 * columns, rows * (size + 0.25) + 0.25), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for ax in grid:
        ax.set_axis_off()
    for ax, row in zip(figure.axes, chosen, strict=False):
        ax.set_axis_on()
        pair = np.stack(
            [pixels.of_row(images, row), pixels.of_row(samples, result.nearest_sample[row])]
        )
        pixels.show(ax, pixels.mosaic(pair, 1, 2))
        ax.set_title(f"ρ = {number(result.ratio[row])}", fontsize=style.SMALL, pad=2)
    figure.suptitle("training record (left) and nearest sample (right)", fontsize=style.TEXT)
    return figure


def _chosen(result: Nearest, images: NDArray[Any], samples: NDArray[Any]) -> NDArray[np.intp]:
    """Rows by falling ratio, after the arguments are found to fit together."""
    pixels.check_images("images", images, len(result.ratio))
    pixels.check_images("samples", samples)
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
