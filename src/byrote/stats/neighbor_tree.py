"""Nearest neighbours among rows of few columns, by a tree: all but ties at the last one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_ROUNDING = 1e-9  # relative, of the tree's own distances
_TINY = 1e-140  # distance whose square loses digits


class NeighborTree:
    """References, (m, d), of few columns: with many a tree visits nearly all of them."""

    def __init__(self, rows: NDArray[Any]) -> None:
        from scipy.spatial import KDTree  # noqa: PLC0415 (slow to load)

        self._rows, self._tree = rows, KDTree(rows.astype(np.float64))

    def nearest(
        self, queries: NDArray[Any], k: int, exclude: Index | None = None
    ) -> tuple[Array, Index, NDArray[np.bool_]]:
        """Find the k nearest of more than k + 2 references, but the one to ``exclude``, (n,).

        Returns
        -------
        distances, indices, tied
            (n, k) in ascending order, ties by index; (n,) queries of which the last neighbour may
            be as near as one that was not looked at.

        Examples
        --------
        >>> tree = NeighborTree(np.arange(9.0)[:, None])
        >>> distances, indices, tied = tree.nearest(np.array([[0.2], [3.5]]), 1)
        >>> distances.round(1).tolist(), indices.tolist(), tied.tolist()
        ([[0.2], [0.5]], [[0], [3]], [False, False])
        """
        bound, found = self._tree.query(queries.astype(np.float64), k + 2)
        pairs = np.subtract(queries[:, None], self._rows[found], dtype=np.float64)
        squared = np.einsum("ijk,ijk->ij", pairs, pairs)
        if exclude is not None:
            squared[found == exclude[:, None]] = np.inf
        order = np.lexsort((found, squared), axis=1)[:, :k]
        distances = np.sqrt(np.take_along_axis(squared, order, axis=1))
        last = distances[:, -1]
        apart = (last * (1 + _ROUNDING) < np.asarray(bound)[:, -1]) & ((last == 0) | (last > _TINY))
        return distances, np.take_along_axis(found, order, axis=1), ~apart
