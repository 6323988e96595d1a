"""Rank correlation with an interval."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Array = NDArray[np.float64]


def spearman(x: Array, y: Array, *, level: float = 0.95) -> tuple[float, tuple[float, float]]:
    """Spearman's rank correlation and its interval, over pairs in which neither is NaN.

    The interval is Fisher's, ``tanh(artanh r -+ z sqrt((1 + r^2 / 2) / (n - 3)))``, with the
    variance of Bonett & Wright (2000), which holds for dependent variables too. Infinite values are
    ranked as such. NaN with fewer than four pairs, or where one variable does not vary.

    Examples
    --------
    >>> x = np.arange(10.0)
    >>> r, (low, high) = spearman(x, np.array([1.0, 0, 2, 3, 5, 4, 6, 9, 8, 7]))
    >>> round(r, 4), round(low, 4), round(high, 4)
    (0.9273, 0.6368, 0.9872)
    """
    there = ~(np.isnan(x) | np.isnan(y))
    first, second = rankdata(x[there]), rankdata(y[there])
    none = float("nan"), (float("nan"), float("nan"))
    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return none
    r = float(np.clip(np.corrcoef(first, second)[0, 1], -1, 1))
    half = float(ndtri((1 + level) / 2)) * np.sqrt((1 + r * r / 2) / (len(first) - 3))
    with np.errstate(divide="ignore"):
        middle = np.arctanh(r)
    return r, (float(np.tanh(middle - half)), float(np.tanh(middle + half)))
