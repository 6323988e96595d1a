"""Gaussian differential privacy: mu, and the (epsilon, delta) that it amounts to.

A mechanism is mu-GDP if telling two neighbouring data sets apart is no easier than telling N(0, 1)
from N(mu, 1) by one draw (Dong, Roth & Su 2022).
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtri

_LARGE = 1e8  # mu at which Phi(mu/2 - epsilon/mu) is delta(epsilon) to the last digit


def delta_of(mu: float, epsilon: float) -> float:
    """``Phi(-epsilon/mu + mu/2) - e^epsilon Phi(-epsilon/mu - mu/2)``, from logarithms.

    Examples
    --------
    >>> round(delta_of(1.0, 0.0), 6)  # 2 Phi(1/2) - 1, the total variation distance
    0.382925
    """
    if mu == 0:
        return 0.0
    first = float(log_ndtr(mu / 2 - epsilon / mu))
    if first == -np.inf:
        return 0.0
    second = epsilon + float(log_ndtr(-mu / 2 - epsilon / mu))
    return float(-np.exp(first) * np.expm1(min(second - first, 0.0)))


def epsilon_of(mu: float, delta: float) -> float:
    """The epsilon at which mu-GDP has this delta: the inverse of ``delta_of``, at least 0.

    Examples
    --------
    >>> round(epsilon_of(1.0, delta_of(1.0, 2.5)), 9)
    2.5
    """
    if delta_of(mu, 0.0) <= delta:
        return 0.0
    if delta == 0:
        return float("inf")
    # Phi(mu/2 - epsilon/mu) alone is above delta(epsilon), so its root is beyond the one sought.
    top = mu * (mu / 2 - float(ndtri(delta)))
    if delta_of(mu, top) >= delta or mu > _LARGE:
        return top
    return float(brentq(lambda epsilon: delta_of(mu, epsilon) - delta, 0.0, top, xtol=1e-12))


def mu_of_rates(true_positive: float, false_positive: float) -> float:
    """The smallest mu that allows these rates: ``Phi^-1(TPR) - Phi^-1(FPR)``, at least 0.

    Examples
    --------
    >>> from scipy.special import ndtr
    >>> round(mu_of_rates(float(ndtr(1.0)), float(ndtr(-0.5))), 9)
    1.5
    """
    if true_positive <= false_positive:
        return 0.0
    return float(ndtri(true_positive) - ndtri(false_positive))
