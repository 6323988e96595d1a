"""One p-value from several (Fisher 1925)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc


def combined_p_value(p_values: ArrayLike, groups: ArrayLike | None = None) -> float:
    """P-value of "all the hypotheses hold": Fisher's method.

    Tests without a p-value (NaN) are not counted; NaN if none is left.

    Parameters
    ----------
    p_values
        (n,) independent of one another, but for those of one group.
    groups
        (n,) the group of each; those of one group may depend on each other in any way, and count
        once, as twice their mean (Rüschendorf 1982). If not given, each is a group of its own.

    Examples
    --------
    >>> round(combined_p_value([0.1, 0.1, np.nan]), 6)
    0.056052
    >>> round(combined_p_value([0.05, 0.05, 0.1], ["a", "a", "b"]), 6)
    0.056052
    """
    values = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    tests = values[known] if groups is None else _once(values[known], np.asarray(groups)[known])
    with np.errstate(divide="ignore"):
        statistic = -np.log(tests).sum()
    return float(gammaincc(len(tests), statistic))  # half a chi-square of 2 n degrees of freedom


def _once(values: NDArray[np.float64], groups: NDArray[np.generic]) -> NDArray[np.float64]:
    """One p-value for each group."""
    _, group, count = np.unique(groups, return_inverse=True, return_counts=True)
    mean = np.bincount(group, values) / count
    return np.where(count == 1, mean, np.minimum(1.0, 2 * mean))
