"""Maximum likelihood of the skew-normal distribution, fast for a million values.

The sorted values are put into 4,096 bins. The likelihood of a bin is that at its mean plus half its
variance times the second derivative there, exact up to the fourth order of a width under 1 % of a
standard deviation. BFGS, started at the sample's moments, finds the maximum; Newton steps on the
likelihood of all values then remove the error of the bins.

At shape 0 the likelihood of (location, scale, shape) has a flat point for every sample, where
Newton's method and standard errors fail; that of the centred parameters does not (Azzalini 1985,
section 4). These are theta = (mean, log of the standard deviation, t), with
skewness = LIMIT · tanh t, so that every theta is a distribution.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.stats.skew_normal import log_density, mills

Direct = tuple[float, float, float]  # location, scale, shape
Array = NDArray[np.float64]
BINS = 4096
LIMIT = float((4 - np.pi) / 2 * (2 / (np.pi - 2)) ** 1.5)  # skewness of the half-normal, 0.99527…
LARGEST_SHAPE = 100.0  # beyond it the density is half-normal, whose lower tail ends abruptly
_GAIN = 1e-6  # nats; expected gain for another Newton step
_NAN = float("nan")


@dataclass(frozen=True)
class SkewNormalFit:
    """Maximum-likelihood estimate of a skew-normal distribution.

    Attributes
    ----------
    location, scale, shape
        As in ``skew_normal``; NaN where all values are equal.
    log_likelihood
        In nats, of all values.
    covariance
        (3, 3) of mean, log standard deviation and skewness: the inverse of the observed
        information, by differences over one standard error to either side.
    reason
        Why the fit failed; empty otherwise.
    """

    location: float
    scale: float
    shape: float
    log_likelihood: float
    covariance: Array
    reason: str = ""


@dataclass(frozen=True)
class _Bins:
    """Means, counts and variances of groups of values."""

    mean: Array
    count: Array
    variance: Array


def fit(ordered: Array) -> SkewNormalFit:
    """Fit a skew-normal distribution to sorted, finite values (n,), n >= 3.

    Examples
    --------
    >>> from scipy.stats import skewnorm
    >>> values = np.sort(skewnorm.rvs(3, loc=10, scale=2, size=100_000, random_state=0))
    >>> estimate = fit(values)
    >>> print(round(estimate.location, 1), round(estimate.scale, 1), round(estimate.shape, 1))
    10.0 2.0 3.0
    """
    mean, sd = float(ordered.mean()), float(ordered.std())
    if not sd > 1e-12 * abs(mean):
        reason = "all references have the same log-perplexity"
        return SkewNormalFit(_NAN, _NAN, _NAN, _NAN, np.full((3, 3), _NAN), reason)
    values = (ordered - mean) / sd
    bins = _compress(values)
    theta = _binned_maximum(bins, float((values * values) @ values) / len(values))
    covariance = _covariance(lambda point: _binned(bins, to_direct(point)), theta)
    theta, gain = _polish(values, theta, covariance)
    location, scale, shape = to_direct(theta)
    diverges = not abs(shape) <= LARGEST_SHAPE
    converged = bool(np.isfinite(covariance).all()) and gain <= _GAIN
    reason = "the shape diverges" if diverges else "" if converged else "the fit does not converge"
    unit = np.diag([sd, 1.0, _skewness_slope(theta[2])])
    return SkewNormalFit(
        mean + sd * location,
        sd * scale,
        shape,
        float(log_density(values, location, scale, shape).sum()) - len(values) * np.log(sd),
        unit @ covariance @ unit,
        reason,
    )


def standard_error(function: Callable[[Direct], Array], direct: Direct, covariance: Array) -> Array:
    """Compute the delta-method standard error of a function (n,) of location, scale and shape."""
    theta = to_centred(*direct)
    unit = np.diag([1.0, 1.0, 1 / _skewness_slope(theta[2])])
    covariance = unit @ covariance @ unit
    steps = np.minimum(np.sqrt(np.diag(covariance)), [np.inf, 0.5, 0.5])
    slopes = [
        (function(to_direct(theta + step)) - function(to_direct(theta - step))) / (2 * step.max())
        for step in np.diag(steps)
    ]
    return np.sqrt(np.einsum("in,ij,jn->n", slopes, covariance, slopes))


def to_direct(theta: Array) -> Direct:
    """Convert theta to (location, scale, shape).

    Examples
    --------
    >>> to_direct(np.array([3.0, 0.0, 0.0]))
    (3.0, 1.0, 0.0)
    """
    mean, log_sd, t = theta
    root = np.cbrt(2 * LIMIT * np.tanh(t) / (4 - np.pi))
    square = root * root
    rest = 1 - (np.pi / 2 - 1) * square
    shape = np.sign(root) * np.sqrt(np.pi / 2 * square / rest) if rest > 0 else np.inf * root
    scale = np.exp(log_sd) * np.sqrt(1 + square)
    return float(mean - np.exp(log_sd) * root), float(scale), float(shape)


def to_centred(location: float, scale: float, shape: float) -> Array:
    """Convert (location, scale, shape) to theta.

    Examples
    --------
    >>> to_centred(*to_direct(np.array([1.0, 0.5, -0.7]))).round(9).tolist()
    [1.0, 0.5, -0.7]
    """
    square = shape**2 / (np.pi / 2 + (np.pi / 2 - 1) * shape**2)
    root = np.sign(shape) * np.sqrt(square)
    sd = scale / np.sqrt(1 + square)
    skewness = (4 - np.pi) / 2 * root**3
    return np.array([location + sd * root, np.log(sd), np.arctanh(skewness / LIMIT)])


def jacobian(theta: Array) -> Array:
    """Compute the (3, 3) Jacobian of (location, scale, shape), by row, in theta; t is not 0."""
    location, scale, _ = to_direct(theta)
    step = 1e-4 * theta[2]
    up, down = (to_direct(theta + np.array([0, 0, sign * step])) for sign in (1, -1))
    last = (np.array(up) - np.array(down)) / (2 * step)
    return np.column_stack([[1, 0, 0], [location - theta[0], scale, 0], last])


def _skewness_slope(t: float) -> float:
    """Compute the derivative of the skewness in t."""
    return float(LIMIT / np.cosh(t) ** 2)


def _compress(values: Array) -> _Bins:
    """Bin the bulk of sorted values; those far outside stay single."""
    n = len(values)
    low, middle, high = values[[n // 6, n // 2, n - 1 - n // 6]]
    width = 5 * (high - low)
    edges = np.linspace(max(values[0], middle - width), min(values[-1], middle + width), BINS + 1)
    cuts = np.searchsorted(values, edges)
    if n <= 2 * BINS or cuts[0] == cuts[-1]:
        return _Bins(values, np.ones(n), np.zeros(n))
    count = np.diff(cuts)
    filled = count > 0
    starts, count = (cuts[:-1] - cuts[0])[filled], count[filled]
    inner = values[cuts[0] : cuts[-1]]
    mean = np.add.reduceat(inner, starts) / count
    variance = np.add.reduceat((inner - np.repeat(mean, count)) ** 2, starts) / count
    outer = np.concatenate([values[: cuts[0]], values[cuts[-1] :]])
    return _Bins(
        np.concatenate([mean, outer]),
        np.concatenate([count, np.ones(len(outer))]),
        np.concatenate([variance, np.zeros(len(outer))]),
    )


def _binned(bins: _Bins, direct: Direct) -> float:
    """Compute the log-likelihood of binned values, nats."""
    location, scale, shape = direct
    if not np.isfinite(shape):
        return -np.inf
    u = shape * (bins.mean - location) / scale
    ratio = mills(u)
    second = -(1 + shape**2 * ratio * (u + ratio)) / scale**2
    return float(bins.count @ (log_density(bins.mean, *direct) + 0.5 * bins.variance * second))


def _binned_maximum(bins: _Bins, skewness: float) -> Array:
    """Find the theta of the binned maximum, for values of mean 0 and variance 1."""
    from scipy.optimize import minimize  # noqa: PLC0415 (slow to load)

    n = bins.count.sum()

    def objective(theta: Array) -> float:
        return float(-_binned(bins, to_direct(theta)) / n)

    start = np.array([0.0, 0.0, np.arctanh(np.clip(skewness, -0.9, 0.9))])
    return np.asarray(minimize(objective, start, method="BFGS", tol=1e-7).x)


def _covariance(log_likelihood: Callable[[Array], float], theta: Array) -> Array:
    """Invert the information, differenced over one standard error; NaN if not invertible."""
    steps = np.full(3, 1e-3)
    for _ in range(3):
        information = _information(log_likelihood, theta, steps)
        with np.errstate(invalid="ignore", divide="ignore"):
            steps = np.nan_to_num(np.diag(information) ** -0.5, nan=0.3).clip(1e-5, 0.3)
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0:
        return np.full((3, 3), _NAN)
    return np.asarray(np.linalg.inv(information), dtype=np.float64)


def _information(log_likelihood: Callable[[Array], float], theta: Array, steps: Array) -> Array:
    moves = np.diag(steps)
    centre = log_likelihood(theta)
    information = np.empty((3, 3))
    for i in range(3):
        for j in range(i + 1):
            ends = [(moves[i] + moves[j], 1), (-moves[i] - moves[j], 1)]
            if i == j:
                ends = [(moves[i], 1), (-moves[i], 1)]
            else:
                ends += [(moves[i] - moves[j], -1), (moves[j] - moves[i], -1)]
            total = sum(sign * (log_likelihood(theta + move) - centre) for move, sign in ends)
            curvature = total / (steps[i] * steps[j] * (1 if i == j else 4))
            information[i, j] = information[j, i] = -curvature
    return information


def _polish(values: Array, theta: Array, covariance: Array) -> tuple[Array, float]:
    """Take Newton steps on all values until the expected gain, also returned, is small."""
    if not np.isfinite(covariance).all() or theta[2] == 0:
        return theta, np.inf
    gain = np.inf
    for _ in range(20):
        slope = _slope(values, theta)
        step = covariance @ slope
        gain = float(slope @ step) / 2
        if gain <= _GAIN or not abs(to_direct(theta)[2]) <= LARGEST_SHAPE:
            break
        theta = theta + step
    return theta, gain


def _slope(values: Array, theta: Array) -> Array:
    """Compute the gradient of the log-likelihood of all values in theta, (3,)."""
    location, scale, shape = to_direct(theta)
    z = (values - location) / scale
    ratio = mills(shape * z)
    of_location = (z.sum() - shape * ratio.sum()) / scale
    of_scale = (z @ z - len(z) - shape * (ratio @ z)) / scale
    return np.array([of_location, of_scale, ratio @ z]) @ jacobian(theta)
