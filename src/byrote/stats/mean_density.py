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


class LogRatio(NamedTuple):
    """(n,) estimates in nats, their standard errors and degrees of freedom; NaN where unknown."""

    value: Array
    error: Array
    freedom: Array


def log_ratio(log_prob: Array, included: Flags) -> LogRatio:
    """Log ratio of the mean density in to the mean density out, (F, n) -> (n,).

    Each side's log mean is raised by half its squared relative error, which the logarithm of a mean
    of few values lacks. Standard errors by the delta method, ``sd / (mean sqrt(count))``, the sides
    adding; degrees of freedom after Welch & Satterthwaite. Values are taken as independent. NaN
    where a side has fewer than two values or a mean of zero. NaN among the values: not scored.
    """
    scored = ~np.isnan(log_prob)
    inside, outside = (_side(log_prob, scored & side) for side in (included, ~included))
    value = inside[0] + inside[1] / 2 - outside[0] - outside[1] / 2
    total = inside[1] + outside[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = total**2 / sum(side[1] ** 2 / (side[2] - 1) for side in (inside, outside))
    fixed = total == 0  # both sides without any spread: known exactly
    return LogRatio(value, np.sqrt(total), np.where(fixed, np.inf, freedom))


def lower_limit(ratio: LogRatio, significance: float) -> Array:
    """(n,) one-sided lower limits by Student's t."""
    freedom = np.where(np.isfinite(ratio.freedom), ratio.freedom, 1e12)
    reach = np.where(ratio.error == 0, 0.0, -stdtrit(freedom, significance) * ratio.error)
    return np.asarray(ratio.value - reach)


def _side(log_prob: Array, side: Flags) -> tuple[Array, Array, Array]:
    """Log mean density, its squared relative standard error, and the count."""
    count = side.sum(axis=0).astype(float)
    weights = np.where(side, log_prob, -np.inf).T
    top = np.where(np.isfinite(weights.max(axis=1)), weights.max(axis=1), np.nan)
    usable = (count >= 2) & ~np.isnan(top)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(side.T, np.exp(weights - top[:, None]), 0.0)
        mean = scaled.sum(axis=1) / count
        squares = np.where(side.T, (scaled - mean[:, None]) ** 2, 0.0).sum(axis=1)
        relative = squares / (count - 1) / count / mean**2
        centre = logmeanexp(weights) + np.log(len(log_prob) / count)
    return np.where(usable, centre, np.nan), np.where(usable, relative, np.nan), count
