"""The nearest-neighbour distance ratio rho, eq. (6)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.scores.neighbors.space import (
    Features,
    comparable,
    converted,
    in_space,
    random_subset,
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
    """Compare each training record's distances to the model's samples and to fresh records.

    ``rho_i = min over validation of d(x_i, v) / min over samples of d(x_i, s)``, Euclidean: eq. (6)
    of van den Burg & Williams (2021). Above 1 a sample is nearer. For a single record it is
    unreliable, since it depends on which samples were drawn.

    Parameters
    ----------
    train, validation, samples
        (n, d) rows of numbers, (n, h, w) or (n, h, w, c) images, or ``Records``. Images of uint8 or
        uint16 stand for x/255 or x/65535. Memory-mapped arrays are read a block at a time. If
        ``train`` is a data frame or ``Records`` of a table, the others are too, or arrays encoded
        like such ``Records``; numbers are standardized as those of ``train``, and two categories
        that differ are at distance 1.
    features
        A function from a block of records (images in [0, 1], not downsampled) to (b, k) numbers, in
        place of pixels. A row must not depend on its block.
    downsample
        Halve images first, by means of 2x2 pixels (fewer at the end of an odd side).
    seed
        Seed of the random subset to which the larger of ``validation`` and ``samples`` is reduced:
        the nearest of more is nearer.

    Returns
    -------
    numpy.ndarray
        (n,) rho. Infinite at distance zero from a sample; 1 at distance zero from both sets.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> train, validation = np.array([[0.0], [10.0]]), np.array([[2.0], [12.0]])
    >>> byrote.neighbors.distance_ratio(train, validation, samples=np.array([[1.0], [30.0]]))
    array([2.        , 0.22222222])
    """
    seed = checks.seed("seed", seed)
    records, fresh, drawn = comparable(train=train, validation=validation, samples=samples)
    size = min(len(fresh), len(drawn))
    pair = [_cut(each, size, seed) for each in (fresh, drawn)]
    space = in_space([records, *pair], features=features, downsample=downsample)
    distances, _ = nearest_in_each(space[0], [converted(each) for each in space[1:]])
    return ratio_of(distances[:, 0], distances[:, 1])


def ratio_of(validation: Array, sample: Array) -> Array:
    """Divide two distances, (n,) each; 0/0 is 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((validation == 0) & (sample == 0), 1.0, validation / sample)


def _cut(array: NDArray[Any], size: int, seed: int) -> NDArray[Any]:
    return array if len(array) == size else array[random_subset(len(array), size, seed)]
