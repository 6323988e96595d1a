"""Means of probabilities, computed from their logarithms.

A probability of zero is a value here: its logarithm is -inf, and a mean over zeros alone is -inf.
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
    """The log mean exp over the last axis, leaving out one unit of columns at a time.

    The sums over the other units are built from both ends, never by subtracting the unit's own
    term from the total, because one dominant term would leave nothing but rounding error.

    Parameters
    ----------
    values
        (m, a) logarithms, nats.
    unit
        (a,) unit that each column belongs to, in 0..units-1.
    units
        Number of units.

    Returns
    -------
    (m, units); NaN where leaving the unit out leaves no column.
    """
    a = values.shape[1]
    counts = np.bincount(unit, minlength=units)
    order = np.argsort(unit, kind="stable")
    some = np.flatnonzero(counts)
    sums = np.full((len(values), units), -np.inf)
    first = np.cumsum(counts[some]) - counts[some]
    sums[:, some] = np.logaddexp.reduceat(values[:, order], first, axis=1)
    others = np.full((len(values), units), -np.inf)
    if units > 1:
        others[:, 1:] = np.logaddexp.accumulate(sums, axis=1)[:, :-1]
        after = np.logaddexp.accumulate(sums[:, ::-1], axis=1)[:, ::-1]
        others[:, :-1] = np.logaddexp(others[:, :-1], after[:, 1:])
    left = (a - counts).astype(float)
    left[left == 0] = np.nan
    return np.asarray(others - np.log(left))
