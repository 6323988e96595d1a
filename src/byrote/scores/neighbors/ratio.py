"""The nearest-neighbour distance ratio, eq. (6)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.scores.neighbors.space import (
    Features,
    comparable,
    in_space,
    random_subset,
    settled,
)
from byrote.stats.nearest import nearest_in_each

Array = NDArray[np.float64]


def distance_ratio(
    train: Any,
    validation: Any,
    samples: Any,
    *,
    features: Features | None = None,
    downsample: bool = True,
    seed: int = 0,
) -> Array:
    """How much nearer is a training record to the model's samples than to fresh records?

    ``rho_i = min over validation of d(x_i, v) / min over samples of d(x_i, s)``, Euclidean: eq. (6)
    of van den Burg & Williams (2021). Above 1 a sample is nearer. Of a single record it says
    little: it depends on which samples were drawn.

    Parameters
    ----------
    train, validation, samples
        (n, d) rows of numbers, (n, h, w) or (n, h, w, c) images, or ``Records``. Images of uint8 or
        uint16 stand for x/255 or x/65535. Arrays mapped from files are read a block at a time.
    features
        A function from a block of records (images in [0, 1], not downsampled) to (b, k) numbers,
        between which distances are taken in place of pixels. Rows must not depend on the block.
    downsample
        Halve images first, by means of 2x2 pixels (at the end of an odd side, of those there are).
    seed
        The larger of ``validation`` and ``samples`` is cut to a random subset of the other's size,
        since the nearest of more is nearer.

    Returns
    -------
    numpy.ndarray
        (n,) rho. Infinite for a record at distance zero from a sample; 1 for one at distance zero
        from both sets, which is as near to the one as to the other.

    Raises
    ------
    InvalidInput
        If an argument cannot be used.

    Examples
    --------
    >>> import byrote
    >>> train, validation = np.array([[0.0], [10.0]]), np.array([[2.0], [12.0]])
    >>> byrote.distance_ratio(train, validation, samples=np.array([[1.0], [30.0]]))
    array([2.        , 0.22222222])
    """
    seed = checks.seed("seed", seed)
    records, fresh, drawn = comparable(train=train, validation=validation, samples=samples)
    size = min(len(fresh), len(drawn))
    pair = [_cut(each, size, seed) for each in (fresh, drawn)]
    space = in_space([records, *pair], features=features, downsample=downsample)
    distances, _ = nearest_in_each(space[0], [settled(each) for each in space[1:]])
    return ratio_of(distances[:, 0], distances[:, 1])


def ratio_of(validation: Array, sample: Array) -> Array:
    """The ratio from its two distances, (n,) each; 0/0 is 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((validation == 0) & (sample == 0), 1.0, validation / sample)


def _cut(array: NDArray[Any], size: int, seed: int) -> NDArray[Any]:
    return array if len(array) == size else array[random_subset(len(array), size, seed)]
