"""Training records that samples nearly reproduce (Supplement A)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.report.figures import pixels, style
from byrote.report.text import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reproduced(
    ratio: NDArray[Any],
    nearest: NDArray[Any],
    images: NDArray[Any],
    samples: NDArray[Any],
    *,
    pairs: int = 16,
) -> "Figure":
    """Pairs of a training record (left) and its nearest sample (right), highest ratio first.

    Parameters
    ----------
    ratio
        (n,) distance ratios rho, eq. (6); infinite where a sample equals the record.
    nearest
        (n,) row in ``samples`` of each record's nearest sample.
    images
        (n, h, w) or (n, h, w, c) training records in [0, 1].
    samples
        (m, h, w) or (m, h, w, c), of the same size.
    pairs
        How many to show.

    Raises
    ------
    InvalidInput
        If the arrays do not fit together, or no ratio is a number.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).random((6, 4, 4))
    >>> figure = reproduced(np.arange(6.0), np.arange(6), x, x[:, ::-1], pairs=3)
    >>> figure.axes[0].get_title()
    'ρ = 5.00'
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow to load)

    pairs = checks.integer("pairs", pairs, at_least=1)
    chosen = _chosen(ratio, nearest, images, samples)[:pairs]
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    size = 0.72 * images.shape[1] / images.shape[2]
    figure = Figure(figsize=(1.65 * columns, rows * (size + 0.25) + 0.25), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for ax in grid:
        ax.set_axis_off()
    for ax, row in zip(figure.axes, chosen, strict=False):
        ax.set_axis_on()
        pair = np.stack([images[row], samples[int(nearest[row])]])
        pixels.show(ax, pixels.mosaic(pair, 1, 2))
        ax.set_title(f"ρ = {number(ratio[row])}", fontsize=style.SMALL, pad=2)
    figure.suptitle("training record (left) and nearest sample (right)", fontsize=style.TEXT)
    return figure


def _chosen(
    ratio: NDArray[Any], nearest: NDArray[Any], images: NDArray[Any], samples: NDArray[Any]
) -> NDArray[np.intp]:
    """Rows by falling ratio, after the arguments are found to fit together."""
    ratio = np.asarray(ratio, dtype=np.float64)
    pixels.check_images("images", images, len(ratio))
    pixels.check_images("samples", samples)
    if samples.shape[1:] != images.shape[1:]:
        raise InvalidInput(
            f"samples must have the size of the images, {images.shape[1:]}; got {samples.shape[1:]}"
        )
    if np.shape(nearest) != ratio.shape or np.asarray(nearest).dtype.kind not in "iu":
        raise InvalidInput(f"nearest must be {len(ratio)} rows of samples; got {nearest.shape}")
    if len(nearest) and not 0 <= np.min(nearest) <= np.max(nearest) < len(samples):
        raise InvalidInput(f"nearest must be rows of {len(samples)} samples; some are not")
    known = np.flatnonzero(~np.isnan(ratio))
    if len(known) == 0:
        raise InvalidInput("ratio must have a number to draw; it has none")
    return known[np.argsort(-ratio[known], kind="stable")]
