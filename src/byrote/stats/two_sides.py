"""The values of a table's two sides, of columns that have equally many on each at a time.

A table, (F, n), has the values of n records in F fits, NaN where there is none. Its sides are the
fits that trained on a record and those that did not. Records with as many values on both sides form
matrices, which are computed on as a whole.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from byrote.stats import rows

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]
_BLOCK = 1 << 17  # values computed on at a time: those in a processor's cache


def blocks(values: Array) -> Iterator[slice]:
    """Yield consecutive columns of a table, (F, n), some at a time."""
    return rows.blocks(values.shape[1], max(1, _BLOCK // max(1, len(values))))


def counts(values: Array, included: Flags) -> tuple[Counts, Counts]:
    """Count each column's values on the two sides, (n,) each."""
    inside, outside = np.zeros((2, values.shape[1]), np.intp)
    for value, member in zip(values, included, strict=True):
        known = ~np.isnan(value)
        inside += known & member
        outside += known & ~member
    return inside, outside


def alike(inside: Counts, outside: Counts) -> Iterator[Counts]:
    """Yield columns with equally many values on each side, some at a time.

    Examples
    --------
    >>> [columns.tolist() for columns in alike(np.array([2, 1, 2, 2]), np.array([1, 2, 1, 2]))]
    [[1], [0, 2], [3]]
    """
    key = inside * (outside.max(initial=0) + 1) + outside
    key = key.astype(np.min_scalar_type(key.max(initial=0)))  # short numbers are quick to sort
    order = np.argsort(key, kind="stable")
    for columns in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        fits = max(1, int(inside[columns[:1]].sum() + outside[columns[:1]].sum()))
        for start in range(0, len(columns), most := max(1, _BLOCK // fits)):
            yield columns[start : start + most]


def cut(values: Array, side: Flags) -> Array:
    """Cut out the values on a side of which each column has a, (F, m) -> (a, m), in their order.

    Examples
    --------
    >>> cut(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, False], [False, True]]))
    array([[1., 4.]])
    """
    return np.ascontiguousarray(values.T[side.T].reshape(values.shape[1], -1).T)
