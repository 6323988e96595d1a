"""The Mann-Whitney statistic in units of its standard deviation."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]


def z_score(first: Array, second: Array) -> float:
    """``(U - mn/2) / sd(U)`` with U the pairs in which the first value is larger, ties by half.

    For m and n values, ``sd(U)^2 = mn/12 (m + n + 1 - sum(t^3 - t) / ((m + n)(m + n - 1)))`` over
    groups of t equal values: without ties, the usual ``mn (m + n + 1) / 12``. Zero where all values
    are equal, NaN where a side is empty. Infinite values are ranked as such.

    Examples
    --------
    >>> round(z_score(np.array([1.0, 2.0, 3.0]), np.array([2.5, 4.0, 5.0])), 4)
    -1.5275
    """
    m, n = len(first), len(second)
    if m == 0 or n == 0:
        return float("nan")
    values = np.concatenate([first, second])
    larger = rankdata(values)[:m].sum() - m * (m + 1) / 2
    tied = np.unique(values, return_counts=True)[1].astype(np.float64)
    total = m + n
    variance = m * n / 12 * (total + 1 - (tied**3 - tied).sum() / (total * (total - 1)))
    if len(tied) == 1:
        return 0.0
    return float((larger - m * n / 2) / np.sqrt(variance))
