"""Exact nearest neighbours by blocked matrix products.

Squared distances as ``|q|^2 - 2 q.r + |r|^2`` cost one float32 matrix product, but cancel badly.
So they only propose: with a bound on their rounding errors they give for each pair a number that
the squared distance cannot fall below, and every reference that may be among the nearest by that
number has its distance computed again from the differences, in float64. The result is that of a
float64 search, whatever the offset and scale of the data, at nearly the speed of the product. Where
the bound settles little (tight clusters far from one another), more distances are computed again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.stats.rows import Rows, as_rows

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Index = NDArray[np.intp]

QUERY_BLOCK = 4096  # rows, at most
REFERENCE_BLOCK = 1024
_BLOCK_NUMBERS = 1 << 22  # numbers in a block of queries, at most: 16 MB of float32
_PAIR_NUMBERS = 1 << 20  # numbers in a block of differences: 8 MB
_UNIT = 2.0**-24  # relative rounding error of float32
_TOO_LARGE = 1e30  # squared norm, relative to the references', beyond which float32 may overflow


@dataclass(frozen=True)
class Geometry:
    """Where the references lie: float32 sees the rows less ``centre``, times ``scale``."""

    centre: NDArray[Any]
    scale: float
    slack: float  # relative error of a product, in units of |q|^2 + 2 |r|^2
    floor: float  # what underflow can add to it

    def place(self, rows: NDArray[Any]) -> tuple[Single, Array]:
        """Rows as float32 coordinates with one column to spare, and their squared norms."""
        placed = np.empty((len(rows), rows.shape[1] + 1), dtype=np.float32)
        with np.errstate(over="ignore"):
            # a difference is rounded relative to itself, so a common offset costs no accuracy
            placed[:, :-1] = (rows - self.centre) * rows.dtype.type(self.scale)
            return placed, _squared_norms(placed[:, :-1])


def nearest(
    queries: Any,
    references: Any,
    k: int = 1,
    *,
    exclude: Any = None,
    query_block: int | None = None,
    reference_block: int = REFERENCE_BLOCK,
) -> tuple[Array, Index]:
    """The k nearest references of each query, by Euclidean distance.

    Parameters
    ----------
    queries, references
        (n, d) and (m, d) arrays, or ``Rows``, which are read and converted a block at a time.
        Finite.
    k
        How many neighbours.
    exclude
        (n,) for each query the reference that does not count, such as its own row; or None.
    query_block, reference_block
        Rows taken at a time, 4,096 queries of up to 1,024 numbers if not given. They change memory
        and speed, not the result.

    Returns
    -------
    distances, indices
        (n, k) in rising order, of equal distances the lower index first. Where there are fewer
        than k references, infinity and -1. The search uses the threads that BLAS has.

    Examples
    --------
    >>> distances, indices = nearest(np.array([[0.0], [9.0]]), np.array([[1.0], [7.0], [8.5]]), k=2)
    >>> distances.tolist(), indices.tolist()
    ([[1.0, 7.0], [0.5, 2.0]], [[0, 1], [2, 1]])
    """
    queries, references = as_rows(queries), as_rows(references)
    geometry = geometry_of(references, reference_block)
    distances = np.full((len(queries), k), np.inf)
    indices = np.full((len(queries), k), -1, dtype=np.intp)
    for part in blocks(len(queries), query_block or _fitting(queries.width)):
        skipped = None if exclude is None else np.asarray(exclude)[part]
        search = Search(queries.take(part), geometry, k, skipped)
        search.look_through(references, reference_block)
        distances[part], indices[part] = np.sqrt(search.squared), search.indices
    return distances, indices


def nearest_in_each(queries: Any, sets: Sequence[Any]) -> tuple[Array, Index]:
    """The nearest member of each of G sets, reading the queries once.

    Parameters
    ----------
    queries
        (n, d) array or ``Rows``.
    sets
        G arrays (m, d) or ``Rows``, of any sizes.

    Returns
    -------
    distances, indices
        (n, G), the indices within each set.

    Examples
    --------
    >>> sets = np.array([[5.0], [3.0]]), np.array([[1.0]])
    >>> distances, indices = nearest_in_each(np.array([[0.0]]), sets)
    >>> distances.tolist(), indices.tolist()
    ([[3.0, 1.0]], [[1, 0]])
    """
    queries, sets = as_rows(queries), [as_rows(each) for each in sets]
    geometries = [geometry_of(each) for each in sets]
    distances = np.empty((len(queries), len(sets)))
    indices = np.empty((len(queries), len(sets)), dtype=np.intp)
    for part in blocks(len(queries), _fitting(queries.width)):
        rows = queries.take(part)
        for column, (each, geometry) in enumerate(zip(sets, geometries, strict=True)):
            search = Search(rows, geometry, 1)
            search.look_through(each, REFERENCE_BLOCK)
            distances[part, column] = np.sqrt(search.squared[:, 0])
            indices[part, column] = search.indices[:, 0]
    return distances, indices


def geometry_of(references: Rows, block: int = REFERENCE_BLOCK) -> Geometry:
    """Centre and scale of the references, in two passes over them."""
    width = references.width
    total = np.zeros(width)
    for part in blocks(len(references), block):
        total += references.take(part).sum(axis=0, dtype=np.float64)
    centre = (total / len(references)).astype(references.dtype)
    largest = 0.0
    for part in blocks(len(references), block):
        largest = max(largest, float(np.abs(references.take(part) - centre).max()))
    # a power of two changes no digit; norms then lie near 1, far from overflow and underflow
    scale = 2.0 ** -np.ceil(np.log2(largest * np.sqrt(width))) if largest > 0 else 1.0
    return Geometry(centre, float(scale), 1.05 * (width + 20) * _UNIT, 4 * (width + 1) * 2.0**-126)


def blocks(count: int, size: int) -> Iterator[slice]:
    """Consecutive slices of at most ``size`` that cover ``count`` rows."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _fitting(width: int) -> int:
    return min(QUERY_BLOCK, max(256, _BLOCK_NUMBERS // width))


class Search:
    """A block of queries and the nearest references that they have met so far."""

    def __init__(
        self, rows: NDArray[Any], geometry: Geometry, k: int, exclude: Index | None = None
    ) -> None:
        self._rows, self._geometry, self._exclude = rows, geometry, exclude
        self._placed, self._norms = geometry.place(rows)
        self._placed[:, :-1] *= -2
        self._placed[:, -1] = 1
        self._wild = ~(self._norms < _TOO_LARGE)
        self.squared = np.full((len(rows), k), np.inf)
        self.indices = np.full((len(rows), k), -1, dtype=np.intp)

    def look_through(self, references: Rows, block: int) -> None:
        """Let all references be found."""
        for start in range(0, len(references), block):
            self.look_at(references.take(slice(start, start + block)), start)

    def look_at(self, references: NDArray[Any], start: int) -> None:
        """Let these references, the first of which has the index ``start``, be found."""
        low, norms = self._lower_bounds(references, start)
        maybe = low <= self._reach(low, norms)[:, None]
        found = np.flatnonzero(maybe)
        rows, columns = np.divmod(found, maybe.shape[1])
        self._keep(rows, columns + start, self._squared_distances(references, rows, columns))

    def _lower_bounds(self, references: NDArray[Any], start: int) -> tuple[Single, Array]:
        """Bounds of |q - r|^2 from below, short of a term of the query alone; and |r|^2."""
        placed, norms = self._geometry.place(references)
        placed[:, -1] = norms * (1 - 2 * self._geometry.slack)
        with np.errstate(over="ignore", invalid="ignore"):
            low = self._placed @ placed.T
        if self._wild.any():
            low[self._wild] = -np.inf
        own = self._own(start, len(references))
        low[own] = np.inf
        return low, norms

    def _own(self, start: int, count: int) -> tuple[Index, Index]:
        """Places of the excluded pairs among these references."""
        if self._exclude is None:
            return np.empty(0, np.intp), np.empty(0, np.intp)
        columns = self._exclude - start
        rows = np.flatnonzero((columns >= 0) & (columns < count))
        return rows, columns[rows]

    def _reach(self, low: Single, norms: Array) -> Single:
        """The lower bound up to which a reference may be among the k nearest, per query."""
        k, slack = self.squared.shape[1], self._geometry.slack
        mine = self._norms * (1 - slack) - self._geometry.floor
        scale = self._geometry.scale
        reach = self.squared[:, -1] * scale * scale * (1 + 1e-9) - mine
        # beyond the first blocks what was met bounds nearly as well as a search of the block for k
        met = k > 1 and bool(np.isfinite(self.squared[:, -1]).all())
        if low.shape[1] >= k and not met:
            pick = low.argmin(axis=1)[:, None] if k == 1 else _smallest(low, k)
            width = 2 * slack * (self._norms + 2 * norms[pick].max(axis=1))
            highest = np.take_along_axis(low, pick, axis=1).max(axis=1)
            reach = np.minimum(reach, highest + width + 2 * self._geometry.floor)
        reach[self._wild] = np.inf
        with np.errstate(over="ignore"):
            return np.nextafter(reach.astype(np.float32), np.float32(np.inf))

    def _squared_distances(self, references: NDArray[Any], rows: Index, columns: Index) -> Array:
        squared = np.empty(len(rows))
        for part in blocks(len(rows), max(1, _PAIR_NUMBERS // self._rows.shape[1])):
            mine, theirs = self._rows[rows[part]], references[columns[part]]
            squared[part] = _squared_norms(np.subtract(mine, theirs, dtype=np.float64))
        return squared

    def _keep(self, rows: Index, indices: Index, squared: Array) -> None:
        """Merge candidates into the k nearest of their queries."""
        k = self.squared.shape[1]
        met = np.unique(rows)
        rows = np.concatenate([np.repeat(met, k), rows])
        indices = np.concatenate([self.indices[met].ravel(), indices])
        squared = np.concatenate([self.squared[met].ravel(), squared])
        order = np.lexsort((indices, squared, rows))
        rows, indices, squared = rows[order], indices[order], squared[order]
        first = np.searchsorted(rows, met)
        best = first[:, None] + np.arange(k)
        self.squared[met], self.indices[met] = squared[best], indices[best]


def _squared_norms(rows: NDArray[Any]) -> Array:
    return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)


def _smallest(low: Single, k: int) -> Index:
    return np.argpartition(low, k - 1, axis=1)[:, :k]
