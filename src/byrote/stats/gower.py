"""Gower's distance between rows of numbers and categories, exactly and in blocks.

The mean over columns of |a - b| / range for numbers and of 0 or 1 for categories (Gower 1971). A
missing value is at distance 0 from another missing value and at distance 1 from any value.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.stats.rows import blocks

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_BLOCK = 1 << 17  # distances computed at a time: they stay in a processor's cache


@dataclass(frozen=True, eq=False)
class MixedRows:
    """Rows of numbers and categories.

    Attributes
    ----------
    numbers
        (n, p) in units of the range of their column; NaN where missing.
    codes
        (n, q) integers, equal for equal categories; missing is a category of its own.

    Examples
    --------
    >>> rows = MixedRows(np.array([[0.0], [0.5]]), np.array([[1], [2]]))
    >>> len(rows), rows.width, rows.take(slice(0, 1)).codes.tolist()
    (2, 2, [[1]])
    """

    numbers: Array
    codes: NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.numbers.shape[1] + self.codes.shape[1]

    def take(self, where: slice | Index) -> "MixedRows":
        """Select rows."""
        return MixedRows(self.numbers[where], self.codes[where])


def gower_distances(queries: MixedRows, references: MixedRows) -> Iterator[tuple[slice, Array]]:
    """Yield consecutive queries, as a slice, with their (b, m) distances from all references.

    The array is valid until the next one.

    Examples
    --------
    >>> rows = MixedRows(np.array([[0.0], [0.5], [np.nan]]), np.array([[1], [1], [2]]))
    >>> [distances.tolist() for _, distances in gower_distances(rows, rows)]
    [[[0.0, 0.25, 1.0], [0.25, 0.0, 1.0], [1.0, 1.0, 0.0]]]
    """
    count = max(1, min(len(queries), _BLOCK // len(references)))
    total, step = np.empty((2, count, len(references)))
    numbers = [np.ascontiguousarray(column) for column in references.numbers.T]
    codes = [np.ascontiguousarray(column) for column in references.codes.T]
    for part in blocks(len(queries), count):
        rows = queries.take(part)
        distances, term = total[: len(rows)], step[: len(rows)]
        distances[:] = 0
        for query, reference in zip(rows.numbers.T, numbers, strict=True):
            distances += _difference(query[:, None], reference, term)
        for category, other in zip(rows.codes.T, codes, strict=True):
            distances += category[:, None] != other
        distances /= queries.width
        yield part, distances


def nearest_mixed(
    queries: MixedRows, references: MixedRows, k: int = 1, *, exclude: Index | None = None
) -> tuple[Array, Index]:
    """Find the k nearest references of each query by Gower's distance.

    Arguments and results are those of ``byrote.stats.nearest.nearest``.

    Examples
    --------
    >>> rows = MixedRows(np.array([[0.0], [0.5], [0.4]]), np.array([[1], [2], [1]]))
    >>> distances, indices = nearest_mixed(rows, rows, exclude=np.arange(3))
    >>> distances.ravel().tolist(), indices.ravel().tolist()
    ([0.2, 0.55, 0.2], [2, 2, 0])
    """
    nearest = np.full((len(queries), k), np.inf)
    indices = np.full((len(queries), k), -1, dtype=np.intp)
    for part, distances in gower_distances(queries, references):
        if exclude is not None:
            distances[np.arange(len(distances)), exclude[part]] = np.inf
        found = _first(distances, min(k, len(references)))
        nearest[part, : found.shape[1]] = np.take_along_axis(distances, found, axis=1)
        indices[part, : found.shape[1]] = found
    indices[np.isinf(nearest)] = -1
    return nearest, indices


def paired_distances(first: MixedRows, second: MixedRows) -> Array:
    """Compute Gower's distance of each row from the other's row of the same number, (n,).

    Examples
    --------
    >>> rows = MixedRows(np.array([[0.0], [0.5]]), np.array([[1], [1]]))
    >>> paired_distances(rows, rows.take(np.array([1, 0]))).tolist()
    [0.25, 0.25]
    """
    numbers = np.abs(first.numbers - second.numbers)
    gaps = np.isnan(first.numbers), np.isnan(second.numbers)
    numbers = np.where(gaps[0] | gaps[1], gaps[0] != gaps[1], numbers)
    total = numbers.sum(axis=1) + (first.codes != second.codes).sum(axis=1)
    return np.asarray(total / first.width)


def _difference(query: Array, reference: Array, out: Array) -> Array:
    """Compute |query - reference|, (b, 1) and (m,) -> (b, m)."""
    np.subtract(query, reference, out=out)
    np.abs(out, out=out)
    gaps = np.isnan(query), np.isnan(reference)
    if gaps[0].any() or gaps[1].any():
        np.copyto(out, gaps[0] != gaps[1], where=gaps[0] | gaps[1])
    return out


def _first(distances: Array, k: int) -> Index:
    """Find the columns of the k smallest distances of each row, in order; ties by column."""
    if k == 1:
        return distances.argmin(axis=1)[:, None]
    limit = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    rows, columns = np.nonzero(distances <= limit)
    order = np.lexsort((columns, distances[rows, columns], rows))
    first = np.searchsorted(rows, np.arange(len(distances)))  # rows are sorted before and after
    return np.asarray(columns[order][first[:, None] + np.arange(k)])
