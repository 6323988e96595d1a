"""How far the mean of a ratio of nearest distances can be trusted.

The records share one validation set and one sample set, so their ratios are dependent, and the
spread over records says little about the mean. Both sets are cut into the same number of random
blocks of the same sizes; what the mean does when blocks are left out, or trade places, tells.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from byrote.stats import jackknife

Array = NDArray[np.float64]


def interval_of_mean(above: Array, below: Array, *, level: float = 0.95) -> tuple[float, float]:
    """t-interval of the mean over records of ``min(above) / min(below)``, by jackknife over blocks.

    Parameters
    ----------
    above, below
        (G, n) distance from each record to the nearest member of each block of the one set and of
        the other. Positive.

    Returns
    -------
    low, high
        The variances of leaving out a block of each set are added, their degrees of freedom joined
        as Welch and Satterthwaite have it. The records are held fixed: the interval speaks of other
        draws of both sets. NaN with fewer than two blocks.

    Examples
    --------
    >>> low, high = interval_of_mean(np.array([[2.0], [3.0], [2.2]]), np.array([[1.0], [1.2], [2]]))
    >>> low < 2 < high
    True
    """
    top, bottom = above.min(axis=0), below.min(axis=0)
    mean = float((top / bottom).mean())
    of_above = np.array([(kept / bottom).mean() for kept in _without_each(above)])
    of_below = np.array([(top / kept).mean() for kept in _without_each(below)])
    variances = np.array([jackknife.standard_error(r) ** 2 for r in (of_above, of_below)])
    if not np.isfinite(variances).all():
        return float("nan"), float("nan")
    if variances.sum() == 0:
        return mean, mean
    freedom = (len(above) - 1) * variances.sum() ** 2 / (variances**2).sum()
    half = float(stdtrit(freedom, (1 + level) / 2) * np.sqrt(variances.sum()))
    return mean - half, mean + half


def exchanged_means(above: Array, below: Array) -> Array:
    """The mean ratio for each of the 2^G ways in which paired blocks may trade places.

    Parameters
    ----------
    above, below
        (G, n) as for ``interval_of_mean``; blocks of the same row have the same size.

    Returns
    -------
    numpy.ndarray
        (2^G,) the first is the mean as observed. If both sets are drawn from one distribution the
        observed one is a random choice among them.

    Examples
    --------
    >>> exchanged_means(np.array([[2.0]]), np.array([[1.0]])).tolist()
    [2.0, 0.5]
    """
    none = np.full(above.shape[1], np.inf)
    return np.array(list(_exchanged(none, none, above, below)))


def _exchanged(top: Array, bottom: Array, above: Array, below: Array) -> Iterator[float]:
    """Depth first, so that arrangements that begin alike share the minima of their beginning."""
    if len(above) == 0:
        yield float((top / bottom).mean())
        return
    for first, second in ((above[0], below[0]), (below[0], above[0])):
        yield from _exchanged(
            np.minimum(top, first), np.minimum(bottom, second), above[1:], below[1:]
        )


def _without_each(blocks: Array) -> Iterator[Array]:
    """The minimum over all blocks but one, for each that is left out."""
    if len(blocks) < 2:
        return
    for left_out in range(len(blocks)):
        yield np.delete(blocks, left_out, axis=0).min(axis=0)
