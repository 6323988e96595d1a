"""Student's statements about estimates with their standard errors and degrees of freedom."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

Array = NDArray[np.float64]


def independent(errors: Sequence[ArrayLike], degrees: Sequence[ArrayLike]) -> tuple[Array, Array]:
    """Standard error and degrees of freedom of a sum or difference of independent estimates.

    Variances add; the degrees are Welch and Satterthwaite's,
    ``(sum v_k)^2 / sum(v_k^2 / d_k)`` for variances v_k with d_k degrees. A spread of zero adds
    nothing, whatever its degrees; where all are zero the degrees are NaN.

    Examples
    --------
    >>> error, degrees = independent([3.0, 4.0], [9.0, 9.0])
    >>> float(error), round(float(degrees), 2)
    (5.0, 16.69)
    """
    variances = [np.asarray(error, np.float64) ** 2 for error in errors]
    total = np.asarray(sum(variances))
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [
            np.where(v == 0, 0.0, v**2 / np.asarray(d, np.float64))
            for v, d in zip(variances, degrees, strict=True)
        ]
        return np.sqrt(total), np.asarray(total**2 / sum(parts))


def interval(value: ArrayLike, error: ArrayLike, degrees: ArrayLike, level: float = 0.95) -> Array:
    """Student's interval, (...,) -> (..., 2); no width where the error is 0, NaN where unknown.

    Examples
    --------
    >>> interval(1.0, 0.5, 9).round(2).tolist()
    [-0.13, 2.13]
    """
    centre, spread = np.asarray(value, np.float64), np.asarray(error, np.float64)
    known = np.where(np.asarray(degrees) > 0, degrees, np.nan)
    reach = np.where(spread == 0, 0.0, t.ppf((1 + level) / 2, known) * spread)
    with np.errstate(invalid="ignore"):  # of infinite values
        return np.stack([centre - reach, centre + reach], axis=-1)


def two_sided_p(value: ArrayLike, error: ArrayLike, degrees: ArrayLike) -> Array:
    """Student's p-value of "the true value is 0", (...,); NaN where it is unknown.

    Without any spread there is no chance in a value: 0 where it is not 0, else 1.

    Examples
    --------
    >>> two_sided_p([1.0, 0.0], 0.5, 9).round(3).tolist()
    [0.077, 1.0]
    """
    centre, spread = np.asarray(value, np.float64), np.asarray(error, np.float64)
    known = np.where(np.asarray(degrees) > 0, degrees, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * t.sf(np.abs(centre) / spread, known)
    sure = np.where(np.isnan(centre), np.nan, (centre == 0).astype(float))
    return np.where(spread == 0, sure, p)
