"""Means of probabilities, computed from their logarithms.

A probability of zero has the logarithm -inf, and so has a mean over zeros.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def logsumexp(values: Array) -> Array:
    """Logarithm of the sum of exponentials over the last axis, (..., a) -> (...), in nats.

    Examples
    --------
    >>> float(logsumexp(np.log([1.0, 2.0, 3.0])).round(6)) == round(float(np.log(6)), 6)
    True
    """
    top = values.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(values - top).sum(axis=-1))
    return np.asarray(total + top[..., 0])


def logmeanexp(values: Array) -> Array:
    """Logarithm of the mean of exponentials over the last axis, (..., a) -> (...), in nats."""
    return logsumexp(values) - np.log(values.shape[-1])


def logmeanexp_without(values: Array, unit: NDArray[np.intp], units: int) -> Array:
    """Log mean exp over the last axis without one unit of columns at a time.

    Sums over the other units are built from both ends, never by subtracting a unit's term from the
    total, of which a dominant term would leave nothing but rounding error.

    Parameters
    ----------
    values
        (m, a) logarithms, nats.
    unit
        (a,) unit of each column, in 0..units-1.
    units
        Number of units.

    Returns
    -------
    (m, units); NaN where leaving the unit out leaves no column.
    """
    a = values.shape[1]
    counts = np.bincount(unit, minlength=units)
    order = np.argsort(unit, kind="stable")
    present = np.flatnonzero(counts)
    sums = np.full((len(values), units), -np.inf)
    first = np.cumsum(counts[present]) - counts[present]
    sums[:, present] = np.logaddexp.reduceat(values[:, order], first, axis=1)
    others = np.full((len(values), units), -np.inf)
    if units > 1:
        others[:, 1:] = np.logaddexp.accumulate(sums, axis=1)[:, :-1]
        after = np.logaddexp.accumulate(sums[:, ::-1], axis=1)[:, ::-1]
        others[:, :-1] = np.logaddexp(others[:, :-1], after[:, 1:])
    remaining = (a - counts).astype(float)
    remaining[remaining == 0] = np.nan
    return np.asarray(others - np.log(remaining))
