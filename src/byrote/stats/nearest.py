"""Exact nearest neighbours by blocked matrix products.

Squared distances as ``|q|^2 - 2 q.r + |r|^2`` cost one float32 matrix product, but cancel badly.
A bound on their rounding errors gives a lower bound for each pair; the distances of references that
it admits are computed again from differences, in float64. The result is that of a float64 search,
whatever the offset and scale of the data, at nearly the speed of the product. Where the bound
excludes little (tight clusters far from one another), the search takes longer. Of many rows of few
columns a tree finds the candidates, and only queries with ties at their last neighbour are left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.stats.neighbor_tree import NeighborTree
from byrote.stats.rows import Rows, as_rows, blocks

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Index = NDArray[np.intp]

QUERY_BLOCK = 4096  # rows, at most
REFERENCE_BLOCK = 1024
_BLOCK_NUMBERS = 1 << 22  # numbers in a block of queries, at most: 16 MB of float32
_PAIR_NUMBERS = 1 << 20  # numbers in a block of differences: 8 MB
_UNIT = 2.0**-24  # relative rounding error of float32
_FEW_COLUMNS = 8  # in which a tree is quicker than products
_TOO_LARGE = 1e30  # squared norm, relative to the references', beyond which float32 may overflow


@dataclass(frozen=True)
class Geometry:
    """Centre and scale of the references: float32 holds ``(rows - centre) * scale``."""

    centre: NDArray[Any]
    scale: float
    slack: float  # relative error of a product, in units of |q|^2 + 2 |r|^2
    floor: float  # what underflow can add to it

    def place(self, rows: NDArray[Any]) -> tuple[Single, Array]:
        """Return rows as float32 coordinates with a spare column, and their squared norms."""
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
    """Find the k nearest references of each query, by Euclidean distance.

    Parameters
    ----------
    queries, references
        (n, d) and (m, d) arrays, or ``Rows``, which are read and converted a block at a time.
        Finite.
    k
        Number of neighbours.
    exclude
        (n,) index of a reference to leave out for each query, such as its own row; or None.
    query_block, reference_block
        Rows read at a time (default: 4,096 queries of up to 1,024 numbers), which do not change
        the result.

    Returns
    -------
    distances, indices
        (n, k) in ascending order, ties by index; infinity and -1 beyond the number of references.

    Examples
    --------
    >>> distances, indices = nearest(np.array([[0.0], [9.0]]), np.array([[1.0], [7.0], [8.5]]), k=2)
    >>> distances.tolist(), indices.tolist()
    ([[1.0, 7.0], [0.5, 2.0]], [[0, 1], [2, 1]])
    """
    queries, references = as_rows(queries), as_rows(references)
    distances = np.full((len(queries), k), np.inf)
    indices = np.full((len(queries), k), -1, dtype=np.intp)
    tree = None
    if references.width <= _FEW_COLUMNS and len(references) > max(reference_block, k + 2):
        parts = blocks(len(references), reference_block)
        tree = NeighborTree(np.concatenate([references.take(part) for part in parts]))
    geometry = geometry_of(references, reference_block)
    for part in blocks(len(queries), query_block or _fitting(queries.width)):
        skipped = None if exclude is None else np.asarray(exclude)[part]
        rows, left = queries.take(part), np.arange(part.start, part.stop)
        if tree is not None:
            distances[part], indices[part], tied = tree.nearest(rows, k, skipped)
            rows, left = rows[tied], left[tied]
            skipped = None if skipped is None else skipped[tied]
        if len(left):
            search = Search(rows, geometry, k, skipped)
            search.visit_all(references, reference_block)
            distances[left], indices[left] = np.sqrt(search.squared), search.indices
    return distances, indices


def nearest_in_each(queries: Any, sets: Sequence[Any]) -> tuple[Array, Index]:
    """Find the nearest member of each of G sets, reading the queries once.

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
    queries, sets = as_rows(queries), [as_rows(references) for references in sets]
    if queries.width <= _FEW_COLUMNS:
        found = [nearest(queries, references) for references in sets]
        near, which = (np.concatenate(each, axis=1) for each in zip(*found, strict=True))
        return np.asarray(near, np.float64), np.asarray(which, np.intp)
    geometries = [geometry_of(references) for references in sets]
    distances = np.empty((len(queries), len(sets)))
    indices = np.empty((len(queries), len(sets)), dtype=np.intp)
    for part in blocks(len(queries), _fitting(queries.width)):
        rows = queries.take(part)
        for column, (references, geometry) in enumerate(zip(sets, geometries, strict=True)):
            search = Search(rows, geometry, 1)
            search.visit_all(references, REFERENCE_BLOCK)
            distances[part, column] = np.sqrt(search.squared[:, 0])
            indices[part, column] = search.indices[:, 0]
    return distances, indices


def geometry_of(references: Rows, block: int = REFERENCE_BLOCK) -> Geometry:
    """Compute centre and scale of the references in two passes."""
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


def _fitting(width: int) -> int:
    return min(QUERY_BLOCK, max(256, _BLOCK_NUMBERS // width))


class Search:
    """A block of queries with the nearest of the references visited so far."""

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

    def visit_all(self, references: Rows, block: int) -> None:
        """Visit all references, a block at a time."""
        for start in range(0, len(references), block):
            self.visit(references.take(slice(start, start + block)), start)

    def visit(self, references: NDArray[Any], start: int) -> None:
        """Visit a block of references, the first of which has the index ``start``."""
        low, norms = self._lower_bounds(references, start)
        candidate = low <= self._highest_admitted(low, norms)[:, None]
        rows, columns = np.divmod(np.flatnonzero(candidate), candidate.shape[1])
        self._merge(rows, columns + start, self._squared_distances(references, rows, columns))

    def _lower_bounds(self, references: NDArray[Any], start: int) -> tuple[Single, Array]:
        """Bound |q - r|^2 from below, without the term of the query alone; return also |r|^2."""
        placed, norms = self._geometry.place(references)
        placed[:, -1] = norms * (1 - 2 * self._geometry.slack)
        with np.errstate(over="ignore", invalid="ignore"):
            low = self._placed @ placed.T
        if self._wild.any():
            low[self._wild] = -np.inf
        low[self._excluded(start, len(references))] = np.inf
        return low, norms

    def _excluded(self, start: int, count: int) -> tuple[Index, Index]:
        """Return rows and columns of the excluded pairs among these references."""
        if self._exclude is None:
            return np.empty(0, np.intp), np.empty(0, np.intp)
        columns = self._exclude - start
        rows = np.flatnonzero((columns >= 0) & (columns < count))
        return rows, columns[rows]

    def _highest_admitted(self, low: Single, norms: Array) -> Single:
        """Return the lower bound up to which a reference may be among the k nearest, by query."""
        k, slack = self.squared.shape[1], self._geometry.slack
        omitted = self._norms * (1 - slack) - self._geometry.floor
        scale = self._geometry.scale
        limit = self.squared[:, -1] * scale * scale * (1 + 1e-9) - omitted
        # beyond the first blocks the k nearest so far bound nearly as well as those of the block
        bounded = k > 1 and bool(np.isfinite(self.squared[:, -1]).all())
        if low.shape[1] >= k and not bounded:
            pick = low.argmin(axis=1)[:, None] if k == 1 else _smallest(low, k)
            width = 2 * slack * (self._norms + 2 * norms[pick].max(axis=1))
            highest = np.take_along_axis(low, pick, axis=1).max(axis=1)
            limit = np.minimum(limit, highest + width + 2 * self._geometry.floor)
        limit[self._wild] = np.inf
        with np.errstate(over="ignore"):
            return np.nextafter(limit.astype(np.float32), np.float32(np.inf))

    def _squared_distances(self, references: NDArray[Any], rows: Index, columns: Index) -> Array:
        squared = np.empty(len(rows))
        for part in blocks(len(rows), max(1, _PAIR_NUMBERS // self._rows.shape[1])):
            pair = self._rows[rows[part]], references[columns[part]]
            squared[part] = _squared_norms(np.subtract(*pair, dtype=np.float64))
        return squared

    def _merge(self, rows: Index, indices: Index, squared: Array) -> None:
        """Merge candidates into the k nearest of their queries."""
        k = self.squared.shape[1]
        queries = np.unique(rows)
        rows = np.concatenate([np.repeat(queries, k), rows])
        indices = np.concatenate([self.indices[queries].ravel(), indices])
        squared = np.concatenate([self.squared[queries].ravel(), squared])
        order = np.lexsort((indices, squared, rows))
        rows, indices, squared = rows[order], indices[order], squared[order]
        first = np.searchsorted(rows, queries)
        best = first[:, None] + np.arange(k)
        self.squared[queries], self.indices[queries] = squared[best], indices[best]


def _squared_norms(rows: NDArray[Any]) -> Array:
    return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)


def _smallest(low: Single, k: int) -> Index:
    return np.argpartition(low, k - 1, axis=1)[:, :k]
