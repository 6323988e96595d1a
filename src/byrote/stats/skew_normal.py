"""The skew-normal distribution (Azzalini 1985), accurate far out in its lower tail.

Density 2 φ(z) Φ(shape z), z = (x − location)/scale. Its lower tail is Φ(z) − 2 T(z, shape) with
Owen's T, a difference in which everything cancels long before z = −40. With

    J(z, a) = 1/π ∫_a^∞ exp(−z² (1 + x²)/2) / (1 + x²) dx,    z ≤ 0 ≤ a,

the tail is a sum of positive terms, or a difference of which at least half remains:

    shape a:    J(z, a) for z ≤ 0,          J(−z, a) + erf(z/√2) for z > 0
    shape −a:   2 Φ(z) − J(z, a) for z ≤ 0,   1 − J(−z, a) for z > 0.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, erfcx, log_ndtr, ndtr, owens_t

Array = NDArray[np.float64]
_LOG_2PI = np.log(2 * np.pi)
_NODES = 64
_BLOCK = 8192  # points integrated at once
_CUTOFF = 42.0  # nats below its start at which the integrand is cut off


def log_density(x: ArrayLike, location: float, scale: float, shape: float) -> Array:
    """Compute the log-density at every x, nats.

    Examples
    --------
    >>> print(round(float(log_density(1.0, 0.0, 1.0, 0.0)), 6))
    -1.418939
    """
    z = (np.asarray(x, dtype=np.float64) - location) / scale
    return np.log(2 / scale) - 0.5 * (_LOG_2PI + z * z) + log_ndtr(shape * z)


def density(x: ArrayLike, location: float, scale: float, shape: float) -> Array:
    """Compute the density at every x."""
    return np.exp(log_density(x, location, scale, shape))


def log_lower_tail(x: ArrayLike, location: float, scale: float, shape: float) -> Array:
    """Compute log P(X <= x) at every x, nats; relative error below 1e-9 everywhere.

    Examples
    --------
    In bits, as an exposure:

    >>> for shape, z in [(0, -6), (1, -5), (4, -1), (4, -60)]:
    ...     print(round(float(-log_lower_tail(z, 0.0, 1.0, shape) / np.log(2)), 6))
    29.916834
    43.468397
    20.22145
    44166.021064
    """
    z = (np.asarray(x, dtype=np.float64) - location) / scale
    a = abs(shape)
    log_j, normal = _log_j(-np.abs(z), a), log_ndtr(-np.abs(z))
    log_rest = normal + np.log1p(-np.expm1(log_j - normal))  # 2 Φ(−|z|) − J, at least Φ(−|z|)
    if shape < 0:
        return np.where(z <= 0, log_rest, np.log1p(-np.exp(log_j)))
    inner = np.exp(log_j) + erf(np.abs(z) / np.sqrt(2))
    above = np.where(inner < 0.5, np.log(inner), np.log1p(-np.minimum(np.exp(log_rest), 0.5)))
    return np.where(z <= 0, log_j, above)


def lower_tail(x: ArrayLike, location: float, scale: float, shape: float) -> Array:
    """Compute P(X <= x) at every x; absolute error below 1e-14, see ``log_lower_tail``."""
    z = (np.asarray(x, dtype=np.float64) - location) / scale
    return np.clip(ndtr(z) - 2 * owens_t(z, shape), 0.0, 1.0)


def mills(u: Array) -> Array:
    """Compute φ(u)/Φ(u), the derivative of log Φ, without overflow."""
    with np.errstate(over="ignore"):
        return np.sqrt(2 / np.pi) / erfcx(-u / np.sqrt(2))


def _log_j(z: Array, a: float) -> Array:
    """Compute log J(z, a) for z <= 0 and a >= 0."""
    z = np.asarray(z, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_j = np.asarray(np.log(ndtr(z) - 2 * owens_t(z, a)))
    deep = (z < -1) | (-z * a > 2.5)
    if deep.any():
        blocks = np.array_split(z[deep], 1 + int(deep.sum()) // _BLOCK)
        log_j[deep] = np.concatenate([_log_integral(block, a) for block in blocks])
    return log_j


def _log_integral(z: Array, a: float) -> Array:
    """Integrate J by Gauss-Legendre, from a to where the integrand is ``_CUTOFF`` nats lower."""
    nodes, weights = _gauss_legendre()
    square = z * z
    # z² (a y + y²/2) = _CUTOFF, solved without the cancellation of -a + sqrt(a² + …)
    far = 2 * _CUTOFF / square
    length = far / (a + np.sqrt(a * a + far))
    y = length[:, None] * nodes
    x = a + y
    values = np.exp(-square[:, None] * (a * y + 0.5 * y * y)) / (1 + x * x)
    return np.log(length * (values @ weights) / np.pi) - 0.5 * square * (1 + a * a)


@cache
def _gauss_legendre() -> tuple[Array, Array]:
    """Return nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2
