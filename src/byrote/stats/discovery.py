"""False discovery rates (Benjamini & Hochberg 1995)."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def q_values(p_values: Array) -> Array:
    """Benjamini-Hochberg q-values, (n,) -> (n,).

    The q-value of a test is the smallest false discovery rate at which it is a discovery. Tests
    without a p-value (NaN) are not counted and keep NaN.

    Examples
    --------
    >>> q_values(np.array([0.01, 0.04, np.nan, 0.03])).round(6).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    result = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    if len(tested) == 0:
        return result
    order = tested[np.argsort(p_values[tested], kind="stable")]
    raw = p_values[order] * len(tested) / np.arange(1, len(tested) + 1)
    result[order] = np.minimum(1.0, np.minimum.accumulate(raw[::-1])[::-1])
    return result
