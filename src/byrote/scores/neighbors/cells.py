"""Cells of a k-means partition, however many records there are."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.neighbors.space import random_subset
from byrote.seeds import Purpose, integer
from byrote.stats.nearest import nearest
from byrote.stats.rows import Rows

_CLUSTERED = 20_000  # records that suffice to place the cells


def cells_of(space: list[Rows], cells: int, seed: int) -> list[NDArray[np.intp]]:
    """The cell of each row of each set; the first set's, 20,000 of them at most, place the cells.

    Examples
    --------
    >>> first, second = cells_of([Rows(np.array([[0.0], [1], [9]])), Rows(np.array([[8.0]]))], 2, 0)
    >>> bool(first[0] == first[1] != first[2] == second[0])
    True
    """
    if cells == 1:
        return [np.zeros(len(rows), dtype=np.intp) for rows in space]
    centres = _centres(space[0], cells, seed)
    return [nearest(rows, centres)[1][:, 0] for rows in space]


def _centres(train: Rows, cells: int, seed: int) -> NDArray[Any]:
    from sklearn.cluster import KMeans  # noqa: PLC0415 (slow to load)
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415

    rows = train.take(random_subset(len(train), _CLUSTERED, seed))
    means = KMeans(cells, n_init=4, random_state=integer(seed, Purpose.EVALUATION), copy_x=False)
    with warnings.catch_warnings():
        # fewer different records than cells: some cells stay empty
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(means.fit(rows).cluster_centers_)
