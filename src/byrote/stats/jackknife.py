"""Jackknife standard errors from leave-one-unit-out replicates (Tukey 1958)."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def standard_error(replicates: Array) -> Array:
    """Standard error of an estimate from its replicates, (..., G) -> (...).

    With G replicates r_g, each computed without unit g,
    ``se^2 = (G - 1) / G * sum_g (r_g - mean(r))^2``. NaN where G < 2 or a replicate is not finite:
    the spread of an estimate that becomes infinite without one unit is not a number.

    Examples
    --------
    For a plain mean the jackknife is the textbook standard error:

    >>> x = np.array([1.0, 2.0, 4.0])
    >>> bool(np.isclose(standard_error((x.sum() - x) / 2), x.std(ddof=1) / np.sqrt(3)))
    True
    """
    count = replicates.shape[-1]
    if count < 2:
        return np.full(replicates.shape[:-1], np.nan)
    with np.errstate(invalid="ignore"):
        deviations = replicates - replicates.mean(axis=-1, keepdims=True)
        squared = (deviations**2).sum(axis=-1) * (count - 1) / count
    return np.sqrt(np.where(np.isfinite(squared), squared, np.nan))
