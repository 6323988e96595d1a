"""Arrays of any shape and size, read as rows of numbers, a block at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True)
class Rows:
    """An array of any type or shape, read as (b, d) rows.

    Attributes
    ----------
    array
        (n, ...) numbers; may be memory-mapped, and is read a block at a time.
    dtype
        float32 or float64, type of the rows.
    change
        Function from a block (b, ...) of the array to (b, d) rows. Default: flatten.

    Examples
    --------
    >>> rows = Rows(np.arange(12, dtype=np.uint8).reshape(3, 2, 2))
    >>> rows.take(slice(1, 3))
    array([[ 4.,  5.,  6.,  7.],
           [ 8.,  9., 10., 11.]], dtype=float32)
    """

    array: Any
    dtype: DTypeLike = np.float32
    change: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    def __len__(self) -> int:
        return len(self.array)

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.take(slice(0, 1)).shape[1])

    def take(self, where: slice | NDArray[np.intp]) -> NDArray[np.floating[Any]]:
        """Read the rows at these indices."""
        block = np.asarray(self.array[where])
        if self.change is not None:
            block = self.change(block)
        block = block.reshape(len(block), -1)
        return block.astype(self.dtype, copy=False)


def as_rows(data: Any) -> Rows:
    """Convert an array to rows: float32 where that loses nothing, otherwise float64."""
    return data if isinstance(data, Rows) else Rows(data, exact_type(data))


def exact_type(*arrays: Any) -> np.dtype[Any]:
    """Return the smaller of float32 and float64 that holds the values of all arrays."""
    return np.result_type(np.float32, *(array.dtype for array in arrays))


def groups(numbers: NDArray[np.integer[Any]]) -> list[NDArray[np.intp]]:
    """Return the places of each number, from 0 on, in ascending order.

    Examples
    --------
    >>> [places.tolist() for places in groups(np.array([1, 0, 1]))]
    [[1], [0, 2]]
    """
    short = numbers.astype(np.min_scalar_type(numbers.max(initial=0)))  # which is quick to sort
    return np.split(np.argsort(short, kind="stable"), np.cumsum(np.bincount(short))[:-1])


def blocks(count: int, size: int) -> Iterator[slice]:
    """Yield consecutive slices of at most ``size`` rows that cover ``count`` rows."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
