"""Blocks of rows in which a row's result is the same bit for bit, wherever it stands.

Libraries multiply few rows by other kernels than many, and the last rows of a matrix by others than
the first; which they do depends on the library and on the processor. Kernels add the products of a
row in orders of their own, so that a row's result depends, in its last bits, on how many others it
is computed with. Here rows are computed in blocks of a few fixed sizes, filled up with zeros, which
have been seen to agree on the processor at hand.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

# The largest keeps the gates of all its rows in the cache; the others waste a third at most.
SIZES = (128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)


def agreeing_sizes(compute: Callable[[Tensor], Tensor], rows: Tensor) -> tuple[int, ...]:
    """Of ``SIZES``, those in which every row has the same result bit for bit; the largest first.

    Parameters
    ----------
    compute
        From rows to their results, whose i-th row is that of row i alone.
    rows
        (128, ...) different ones to try.
    """
    for largest in SIZES:  # a single row agrees with itself
        first, turn = rows[:largest], (largest // 2) | 1
        results = compute(first)
        if torch.equal(compute(first.roll(turn, 0)), results.roll(turn, 0)):
            break
    smaller = (size for size in SIZES if size < largest)
    return (
        largest,
        *(size for size in smaller if torch.equal(compute(rows[:size]), results[:size])),
    )


def blocks(n: int, sizes: Sequence[int]) -> Iterator[tuple[slice, int]]:
    """All n rows in order, and the size of the block that each few are to be computed in.

    Examples
    --------
    >>> list(blocks(9, sizes=(4, 2)))
    [(slice(0, 4, None), 4), (slice(4, 8, None), 4), (slice(8, 9, None), 2)]
    """
    for first in range(0, n, sizes[0]):
        end = min(first + sizes[0], n)
        yield slice(first, end), min(size for size in sizes if size >= end - first)


def filled(rows: Tensor, size: int, dim: int = 0) -> Tensor:
    """Rows, counted along a dimension, in memory of their own, with zeros behind up to ``size``."""
    shape = list(rows.shape)
    n, shape[dim] = shape[dim], size
    block = rows.new_empty(shape)
    block.narrow(dim, 0, n).copy_(rows)
    if n < size:
        block.narrow(dim, n, size - n).zero_()
    return block
