"""Centred parameters of the skew-normal distribution: mean, standard deviation, skewness.

At shape 0 the likelihood of (location, scale, shape) has a flat point for every sample, where
Newton's method and standard errors fail; that of the centred parameters does not (Azzalini 1985,
section 4). They are kept as theta = (mean, log of the standard deviation, t), with
skewness = LIMIT · tanh t, so that every theta is a distribution.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Direct = tuple[float, float, float]
LIMIT = float((4 - np.pi) / 2 * (2 / (np.pi - 2)) ** 1.5)  # 0.99527…, of the half-normal


def to_direct(theta: Array) -> Direct:
    """(location, scale, shape) of theta.

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
    """The theta of (location, scale, shape).

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


def skewness_slope(t: float) -> float:
    """Derivative of the skewness with respect to t."""
    return float(LIMIT / np.cosh(t) ** 2)


def jacobian(theta: Array) -> Array:
    """(3, 3) derivatives of (location, scale, shape), by row, with respect to theta; t not 0."""
    location, scale, _ = to_direct(theta)
    step = 1e-4 * theta[2]
    up, down = (to_direct(theta + np.array([0, 0, sign * step])) for sign in (1, -1))
    last = (np.array(up) - np.array(down)) / (2 * step)
    return np.column_stack([[1, 0, 0], [location - theta[0], scale, 0], last])
