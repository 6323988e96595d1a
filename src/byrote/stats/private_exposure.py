"""Exposure under differential privacy: how many bits a private model can give away.

The canary's rank among |R| equally likely secrets is uniform for a model that never saw it, so
P(exposure >= t) <= 2^-t there; (epsilon, delta)-DP lets that grow to e^epsilon 2^-t + delta.
"""

import numpy as np
from scipy.optimize import brentq


def grouped(epsilon: float, delta: float, insertions: int) -> tuple[float, float]:
    """(epsilon, delta) of c insertions together: ``c epsilon, delta sum_{j < c} e^{j epsilon}``.

    Examples
    --------
    >>> epsilon, delta = grouped(0.5, 1e-6, 3)
    >>> print(epsilon, round(delta * 1e6, 6))
    1.5 5.367003
    """
    if np.isinf(epsilon):
        return (epsilon, 1.0 if delta else 0.0) if insertions > 1 else (epsilon, delta)
    whole, steps = insertions * epsilon, float(insertions)
    if epsilon:  # the geometric sum, from its largest term down
        with np.errstate(over="ignore"):
            steps = float(np.exp(whole - epsilon) * np.expm1(-whole) / np.expm1(-epsilon))
    return whole, min(delta * steps, 1.0) if delta else 0.0


def tail(bits: float, epsilon: float, delta: float) -> float:
    """``P(exposure >= t) <= e^epsilon 2^-t + delta``, at most 1."""
    return float(min(1.0, np.exp(min(epsilon - bits * np.log(2.0), 0.0)) + delta))


def mean(epsilon: float, delta: float, space_bits: float) -> float:
    """A bound on the expected exposure, bits.

    ``(1 - e^-epsilon) log2(1 + e^epsilon) + 1 / ln 2`` for delta = 0,
    ``(epsilon + 1) / ln 2 + delta log2 |R|`` otherwise, and never more than log2 |R|.

    Examples
    --------
    >>> round(mean(0.65, 0.0, np.inf), 4), round(mean(1.0, 0.0, np.inf), 4)
    (2.1805, 2.6403)
    """
    if delta == 0:
        spread = float(np.logaddexp(0.0, epsilon)) / np.log(2.0)
        return float(min(space_bits, -np.expm1(-epsilon) * spread + 1 / np.log(2.0)))
    return float(min(space_bits, (epsilon + 1) / np.log(2.0) + delta * space_bits))


def epsilon_bound(p_value: float, delta: float, insertions: int, significance: float) -> float:
    """The largest epsilon that this p-value rejects at the significance; 0 where none is.

    A p-value that is uniform, or larger, without c insertions has ``P(p <= u) <= e^{c epsilon} u +
    delta sum_{j < c} e^{j epsilon}`` with them; epsilon is rejected if that is at most the
    significance at the value found. The sum grows with epsilon.

    Examples
    --------
    >>> round(epsilon_bound(0.05 / np.e**6, 0.0, 2, 0.05), 9)
    3.0
    """
    if p_value >= significance:
        return 0.0
    top = float(np.log(significance) - np.log(p_value)) / insertions
    if delta == 0:
        return top

    def excess(epsilon: float) -> float:
        whole, slack = grouped(epsilon, delta, insertions)
        return float(np.exp(whole)) * p_value + slack - significance

    return float(brentq(excess, 0.0, top, xtol=1e-12)) if excess(0.0) < 0 else 0.0
