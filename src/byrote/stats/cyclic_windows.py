"""Means and sums of squares of the values that follow a place, cyclically: linear in the values.

A window of w values is the end of one block of w and the beginning of the next (van Herk 1992). The
moments of every beginning and every end are running ones, and two of them are merged (Chan, Golub &
LeVeque 1983). Nothing is subtracted, so a value outside the window leaves no rounding error in it.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]

_BLOCK = 1 << 20  # values computed on at a time


def moments(values: Array, side: Flags, count: Counts, after: Counts) -> tuple[Array, Array]:
    """Mean and sum of squared deviations of the ``count`` values of a side that come after a row.

    Parameters
    ----------
    values, side
        (F, n) values by column, and which of them are on the side.
    count
        (n,) how many values a window has: at least 1, fewer than the column has on the side, or
        any number where nothing is asked.
    after
        (F, n) the row after which each window begins; it runs down the column and begins again at
        its top.

    Returns
    -------
    (F, n) means and (F, n) sums of squares; without sense in columns with nothing on the side.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [4.0], [9.0]])
    >>> rows = np.arange(4)[:, None]
    >>> mean, squares = moments(values, np.ones((4, 1), bool), np.array([2]), rows)
    >>> mean.ravel().tolist(), squares.ravel().tolist()
    ([3.0, 6.5, 5.0, 1.5], [2.0, 12.5, 32.0, 0.5])
    """
    mean, squares = np.empty_like(values), np.empty_like(values)
    size = max(1, _BLOCK // max(1, len(values)))
    for start in range(0, values.shape[1], size):
        block = slice(start, start + size)
        mean[:, block], squares[:, block] = _of_block(
            values[:, block], side[:, block], count[block], after[:, block]
        )
    return mean, squares


def _of_block(values: Array, side: Flags, count: Counts, after: Counts) -> tuple[Array, Array]:
    size = np.maximum(side.sum(axis=0), 1)
    width = np.clip(count, 1, size)
    first = np.take_along_axis(np.cumsum(side, axis=0), after, axis=0) % size
    turns = np.arange(2 * int(size.max()))[:, None]
    order = np.argsort(~side, axis=0, kind="stable")
    twice = np.take_along_axis(values, np.take_along_axis(order, turns % size, axis=0), axis=0)
    into = first % width  # how far into its block a window begins, as many it has of the next
    tail = _gather(_running(twice[::-1], (-1 - turns[::-1]) % width, reverse=True), first)
    head = _gather(_running(twice, turns % width), first + width - 1)
    share = into / width  # of the window that lies in the next block
    apart = np.where(into > 0, head[0] - tail[0], 0.0)
    mean = tail[0] + share * apart
    squares = tail[1] + np.where(into > 0, head[1], 0.0) + apart**2 * share * (width - into)
    return mean, squares


def _gather(running: tuple[Array, Array], row: Counts) -> tuple[Array, Array]:
    mean, squares = running
    return np.take_along_axis(mean, row, axis=0), np.take_along_axis(squares, row, axis=0)


def _running(values: Array, place: Counts, *, reverse: bool = False) -> tuple[Array, Array]:
    """Welford's running moments down the columns, begun anew wherever ``place`` is 0."""
    mean, squares = np.empty_like(values), np.empty_like(values)
    middle, total = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for row, (value, seen) in enumerate(zip(values, place, strict=True)):
        begun = seen > 0
        step = value - np.where(begun, middle, value)
        middle = np.where(begun, middle, value) + step / (seen + 1)
        total = np.where(begun, total, 0.0) + step * (value - middle)
        mean[row], squares[row] = middle, total
    return (mean[::-1], squares[::-1]) if reverse else (mean, squares)
