"""The Pareto frontier of points in two dimensions, both of which are better when lower."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_frontier(x: ArrayLike, y: ArrayLike) -> NDArray[np.intp]:
    """The points that no other point dominates, by rising x.

    A point dominates another if it is as low in both and lower in one. Equal points do not
    dominate each other: all of them are members, or none.

    Parameters
    ----------
    x, y
        (n,) coordinates, lower is better; a point with a NaN belongs to no frontier.

    Returns
    -------
    (k,) places of the members, y falling; equal points by place.

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
    found = np.flatnonzero(member[inverse])
    return known[found[np.argsort(inverse[found], kind="stable")]]
