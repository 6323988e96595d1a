"""Ranks, as scipy's, without the second that scipy.stats takes to load."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def midranks(values: ArrayLike) -> Array:
    """Rank numbers over the last axis, from 1; equal ones have their mean rank. No NaN.

    Examples
    --------
    >>> midranks([3.0, 1.0, 3.0, -np.inf])
    array([3.5, 2. , 3.5, 1. ])
    """
    numbers = np.asarray(values)
    order = np.argsort(numbers, axis=-1)
    ordered, places = np.take_along_axis(numbers, order, -1), np.arange(numbers.shape[-1])
    new = np.ones((*numbers.shape[:-1], len(places) + 1), bool)  # from the one before, to the next
    new[..., 1:-1] = ordered[..., 1:] != ordered[..., :-1]
    first = np.maximum.accumulate(np.where(new[..., :-1], places, 0), axis=-1)
    last = np.where(new[..., 1:], places, len(places))[..., ::-1]
    last = np.minimum.accumulate(last, axis=-1)[..., ::-1]
    ranks = np.empty(numbers.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, -1)
    return ranks


def rank_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Compute Spearman's correlation of two variables that vary, (n,) each.

    Examples
    --------
    >>> round(rank_correlation([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 9.0]), 6)
    0.8
    """
    return float(np.corrcoef(midranks(x), midranks(y))[0, 1])
