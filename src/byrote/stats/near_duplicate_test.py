"""Test for near-duplicates: nearest neighbours nearer than the local density explains.

Where the density around a record is even, the share of a ball of radius d_K that a ball of radius
d_1 takes up, t = (d_1 / d_K)^m in m dimensions, is the smallest of K - 1 uniform numbers, so

    p = 1 - (1 - t)^(K - 1).

The intrinsic dimension m is estimated from the farther half of the K neighbours (so that a few
copies do not matter; Levina & Bickel 2004), averaged over the neighbourhood, then corrected by one
factor for all records, so that the median of p is 1/2.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_BOUND = 3.0  # largest ratio of a local dimension to the median one


def near_duplicate_p_values(distances: Array, neighbors: NDArray[np.intp]) -> Array:
    """Compute p-values of "the nearest neighbour is as far as the local density explains".

    Parameters
    ----------
    distances
        (n, K) to the K nearest other records, in ascending order; K at least 4.
    neighbors
        (n, K) rows of these records.

    Returns
    -------
    (n,) p-values, 0 at distance zero, small if a record has a near copy. A group of more than K/2
    near copies determines the scale itself and is not detected.

    Examples
    --------
    >>> from byrote.stats.nearest import nearest
    >>> x = np.random.default_rng(0).normal(size=(500, 3))
    >>> x[7] = x[3] + 1e-6
    >>> p = near_duplicate_p_values(*nearest(x, x, 20, exclude=np.arange(500)))
    >>> np.argsort(p)[:2].tolist(), bool(p[3] < 1e-9), bool(0.4 < np.median(p) < 0.6)
    ([3, 7], True, True)
    """
    count = distances.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(distances[:, :1] / distances[:, -1:])[:, 0]  # of the ratio, at most 0
    logs[distances[:, 0] == 0] = -np.inf
    scaled = logs / _inverse_dimension(distances, neighbors)
    finite = scaled[np.isfinite(scaled)]
    median = np.median(finite) if len(finite) else 0.0
    expected = np.log(-np.expm1(np.log(0.5) / (count - 1)))  # log t at p = 1/2
    factor = expected / median if median < 0 else 1.0
    with np.errstate(divide="ignore"):
        p: Array = -np.expm1((count - 1) * np.log1p(-np.exp(factor * scaled)))
    return p


def has_few_distances(distances: Array) -> bool:
    """Whether distances have too few different values for a density, as of categorical data.

    That is, the K neighbours of the median record have fewer than K/4 different distances.

    Examples
    --------
    >>> has_few_distances(np.tile(np.repeat([1.0, 2.0], [2, 10]), (5, 1)))
    True
    """
    steps = np.diff(distances, axis=1) > 1e-9 * distances[:, -1:]
    distinct = 1 + np.count_nonzero(steps, axis=1)
    return bool(np.median(distinct) < distances.shape[1] / 4)


def _inverse_dimension(distances: Array, neighbors: NDArray[np.intp]) -> Array:
    """Estimate 1/m of each record, (n,), averaged over the record and its neighbours."""
    count = distances.shape[1]
    half = count // 2
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(distances[:, -1:] / distances[:, count - 1 - half : count - 1])
    logs[~np.isfinite(logs)] = 0.0
    # total time on test of exponential values of which the nearer ones are censored
    local = (logs.sum(axis=1) + (count - 1 - half) * logs[:, 0]) / half
    mean = (local + local[neighbors].sum(axis=1)) / (count + 1)
    floor = np.median(mean) / _BOUND
    smoothed: Array = np.maximum(mean, floor if floor > 0 else 1.0)
    return smoothed
