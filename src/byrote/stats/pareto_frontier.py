"""The Pareto frontier of points in two dimensions, lower being better in both."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_frontier(x: ArrayLike, y: ArrayLike) -> NDArray[np.intp]:
    """Find the points that no other point dominates, by ascending x.

    A point dominates another if it is as low in both coordinates and lower in one. Points with a
    NaN are left out. Returns (k,) indices; equal points by index.

    Examples
    --------
    >>> pareto_frontier([3.0, 1.0, 2.0, 2.0, 2.0], [1.0, 5.0, 2.0, 2.0, 4.0]).tolist()
    [1, 2, 3, 0]
    """
    points = np.column_stack([np.asarray(x, np.float64), np.asarray(y, np.float64)])
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    if len(known) == 0:
        return known
    distinct, inverse = np.unique(points[known], axis=0, return_inverse=True)
    lowest = np.minimum.accumulate(distinct[:, 1])
    member = np.append(True, distinct[1:, 1] < lowest[:-1])  # distinct points rise in x, then in y
    members = np.flatnonzero(member[inverse])
    return known[members[np.argsort(inverse[members], kind="stable")]]
