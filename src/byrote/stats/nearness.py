"""Is a record's nearest neighbour nearer than the density about it explains?

Where the density about a record is even, the share of a ball of radius d_K that a ball of radius
d_1 takes up, t = (d_1 / d_K)^m in m dimensions, is the smallest of K - 1 uniform numbers, so

    p = 1 - (1 - t)^(K - 1).

The dimension m is that in which the data lie, not the number of columns: estimated from the farther
half of the K neighbours (so that a few copies do not matter), averaged over the neighbourhood, then
corrected by one factor for all, so that the median of p is 1/2.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_BOUND = 3.0  # by how much a local dimension may exceed the median one


def nearness(distances: Array, neighbors: NDArray[np.intp]) -> Array:
    """p-values of "the nearest neighbour is no nearer than the others let expect".

    Parameters
    ----------
    distances
        (n, K) to the K nearest other records in rising order, K of at least 4.
    neighbors
        (n, K) rows of these records.

    Returns
    -------
    (n,) p-values, 0 at distance zero. Small if a record's nearest neighbour is a near copy. A group
    of more than K/2 near copies sets the scale itself and is not seen.

    References
    ----------
    Levina & Bickel (2004) for the dimension, from distances censored at the farther half.

    Examples
    --------
    >>> from byrote.stats.nearest import nearest
    >>> x = np.random.default_rng(0).normal(size=(500, 3))
    >>> x[7] = x[3] + 1e-6
    >>> p = nearness(*nearest(x, x, 20, exclude=np.arange(500)))
    >>> np.argsort(p)[:2].tolist(), bool(p[3] < 1e-9), bool(0.4 < np.median(p) < 0.6)
    ([3, 7], True, True)
    """
    count = distances.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(distances[:, :1] / distances[:, -1:])[:, 0]  # of the ratio, at most 0
    logs[distances[:, 0] == 0] = -np.inf
    scaled = logs / _inverse_dimension(distances, neighbors)
    apart = scaled[np.isfinite(scaled)]
    middle = np.median(apart) if len(apart) else 0.0
    expected = np.log(-np.expm1(np.log(0.5) / (count - 1)))  # log t at p = 1/2
    factor = expected / middle if middle < 0 else 1.0
    with np.errstate(divide="ignore"):
        p: Array = -np.expm1((count - 1) * np.log1p(-np.exp(factor * scaled)))
    return p


def few_values(distances: Array) -> bool:
    """Whether distances are so few different numbers that they say nothing of density.

    So it is with records of categories: half of them have their K nearest at fewer than K/4
    different distances.

    Examples
    --------
    >>> few_values(np.tile([1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0], (5, 1)))
    True
    """
    steps = np.diff(distances, axis=1) > 1e-9 * distances[:, -1:]
    different = 1 + np.count_nonzero(steps, axis=1)
    return bool(np.median(different) < distances.shape[1] / 4)


def _inverse_dimension(distances: Array, neighbors: NDArray[np.intp]) -> Array:
    """1/m of each record, (n,): the mean over the record and its neighbours."""
    count = distances.shape[1]
    half = count // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(distances[:, -1:] / distances[:, count - 1 - half : count - 1])
    logs[~np.isfinite(logs)] = 0.0
    # total time on test of exponential values of which the nearer ones are censored
    own = (logs.sum(axis=1) + (count - 1 - half) * logs[:, 0]) / half
    mean = (own + own[neighbors].sum(axis=1)) / (count + 1)
    floor = np.median(mean) / _BOUND
    smoothed: Array = np.maximum(mean, floor if floor > 0 else 1.0)
    return smoothed
