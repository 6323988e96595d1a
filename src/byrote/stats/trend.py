"""Trends: how much a quantity changes with another."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote.stats.estimate import LEVEL, UNKNOWN, Estimate, from_error
from byrote.stats.standard_errors import jackknife_error

Array = NDArray[np.float64]


def slope(x: ArrayLike, y: ArrayLike, *, level: float = LEVEL, units: str = "pairs") -> Estimate:
    """Estimate the least-squares slope of y on x, with Student's interval of its jackknife error.

    The jackknife, one pair left out at a time, holds also where the spread of y changes with x
    (Hinkley 1977). NaN where x does not vary; without an interval where y does not, as no error can
    be seen.

    Parameters
    ----------
    x, y
        (n,) each; the pairs are independent of one another.
    level
        Confidence level.
    units
        What the pairs are, in the plural, for ``reason``.

    Examples
    --------
    >>> rise = slope([0, 1, 2, 3], [1.0, 3.1, 4.9, 7.0])
    >>> round(rise.value, 2), rise.low < 2 < rise.high
    (1.98, True)
    """
    place, value = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not (np.isfinite(place) & np.isfinite(value)).all():
        return Estimate(np.nan, level=level, reason=UNKNOWN)
    if len(place) < 2 or np.ptp(place) == 0:
        return Estimate(np.nan, level=level, reason=f"a slope needs {units} with different x")
    if np.ptp(value) == 0:
        return Estimate(0.0, level=level, reason=f"all {units} have the same value")
    centred = place - place.mean()
    spread = float(centred @ centred)
    steep = float(centred @ value) / spread
    leverage = 1 / len(place) + centred**2 / spread
    residual = value - value.mean() - steep * centred
    with np.errstate(divide="ignore", invalid="ignore"):  # a pair that alone settles the slope
        without = steep - centred * residual / (spread * (1 - leverage))
    error = float(jackknife_error(without))
    return from_error(steep, error, len(place) - 2, level=level, units=units)
