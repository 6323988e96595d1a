"""Exposure of a rank that is known."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.stats.exposure import from_rank


def exposure_from_rank(rank: ArrayLike, space_size: int) -> Any:
    """Exposure in bits of a rank among all candidates: log2 of their number minus log2 of the rank.

    Carlini et al. 2019, definition 4.

    Parameters
    ----------
    rank
        A whole number, or an array of any shape of them: 1 is the likeliest of all candidates.
    space_size
        The number of candidates; whole numbers of any size.

    Returns
    -------
    A float, or an array in the shape of ``rank``.

    Raises
    ------
    InvalidInput
        If a rank is no whole number from 1 to ``space_size``.

    Examples
    --------
    >>> from byrote import exposure_from_rank
    >>> exposure_from_rank(4, 16)
    2.0
    >>> print(exposure_from_rank([1, 2, 10**9], 10**9).round(3))
    [29.897 28.897  0.   ]
    """
    space_size = checks.size("space_size", space_size)
    checks.array("rank", rank)
    ranks = np.asarray(rank, dtype=object)  # of any length of integer
    for value in ranks.ravel():
        if not _whole(value) or not 1 <= _plain(value) <= space_size:
            raise InvalidInput(
                f"rank must be a whole number from 1 to space_size = {checks.brief(space_size)};"
                f" got {checks.brief(value)}"
            )
    bits: NDArray[np.float64] = from_rank(ranks.ravel(), space_size).reshape(ranks.shape)
    return float(bits) if bits.ndim == 0 else bits


def _whole(value: Any) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool) and _plain(value) % 1 == 0


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, int | np.integer) else float(value)
