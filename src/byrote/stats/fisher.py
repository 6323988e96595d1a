"""One p-value from several (Fisher 1925)."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincc


def combined_p_value(p_values: ArrayLike) -> float:
    """P-value of "all the hypotheses hold", from independent p-values: Fisher's method.

    Tests without a p-value (NaN) are not counted; NaN if none is left.

    Examples
    --------
    >>> round(combined_p_value([0.1, 0.1, np.nan]), 6)
    0.056052
    """
    known = np.asarray(p_values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if len(known) == 0:
        return float("nan")
    with np.errstate(divide="ignore"):
        statistic = -np.log(known).sum()
    return float(gammaincc(len(known), statistic))  # half a chi-square of 2 n degrees of freedom
