"""The log of a ratio of mean densities, with a lower confidence limit.

The paper's M compares means over retrainings, ``log E[p_in] - log E[p_out]`` (eq. 2), and that is
what pure differential privacy bounds; a mean of logarithms it does not.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from byrote.stats.logspace import logmeanexp

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


FEWEST, LEAST_SHARE, TYPICAL_SHARE = 2, 1 / 3, 0.4  # effective values on a side


class LogRatio(NamedTuple):
    """(n,) estimates in nats, their standard errors and degrees of freedom; NaN where unknown."""

    value: Array
    error: Array
    freedom: Array


def log_ratio(log_prob: Array, included: Flags) -> LogRatio:
    """Log ratio of the mean density in to the mean density out, (F, n) -> (n,).

    Each side's log mean is raised by half its squared relative error, which the logarithm of a mean
    of few values lacks. Standard errors by the delta method, ``sd / (mean sqrt(count))``, the sides
    adding; degrees of freedom one less than the smaller side's count, fewer than Welch's, since
    densities are skewed. Values are taken as independent. NaN among the values: not scored.

    NaN where a side has fewer than two values or a mean of zero, or its mean rests on fewer than
    two values or a third of them, counted as ``(sum p)^2 / sum p^2``. All are NaN where the median
    over records and sides of these effective shares is below 0.4: then densities are so skewed that
    a side without an outlier is one whose outlier is yet to come.
    """
    scored = ~np.isnan(log_prob)
    inside, outside = (_side(log_prob, scored & side) for side in (included, ~included))
    shares = np.concatenate([inside[3], outside[3]])
    typical = np.median(shares[~np.isnan(shares)]) if not np.isnan(shares).all() else np.nan
    value = inside[0] + inside[1] / 2 - outside[0] - outside[1] / 2
    total = inside[1] + outside[1]
    if typical < TYPICAL_SHARE:
        value = np.full_like(value, np.nan)
    return LogRatio(value, np.sqrt(total), np.minimum(inside[2], outside[2]) - 1)


def lower_limit(ratio: LogRatio, significance: float) -> Array:
    """(n,) one-sided lower limits by Student's t."""
    quantile = stdtrit(np.maximum(ratio.freedom, 1), significance)
    return np.asarray(ratio.value + quantile * ratio.error)


def _side(log_prob: Array, side: Flags) -> tuple[Array, Array, Array, Array]:
    """Log mean density, its squared relative standard error, the count, the effective share."""
    count = side.sum(axis=0).astype(float)
    weights = np.where(side, log_prob, -np.inf).T
    top = np.where(np.isfinite(weights.max(axis=1)), weights.max(axis=1), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(side.T, np.exp(weights - top[:, None]), 0.0)
        mean = scaled.sum(axis=1) / count
        squares = np.where(side.T, (scaled - mean[:, None]) ** 2, 0.0).sum(axis=1)
        relative = squares / (count - 1) / count / mean**2
        centre = logmeanexp(weights) + np.log(len(log_prob) / count)
        effective = scaled.sum(axis=1) ** 2 / (scaled**2).sum(axis=1)
        share = effective / count
    least = np.maximum(FEWEST, count * LEAST_SHARE) * (1 - 1e-2)
    usable = (count >= 2) & (effective >= least)
    return np.where(usable, centre, np.nan), np.where(usable, relative, np.nan), count, share
