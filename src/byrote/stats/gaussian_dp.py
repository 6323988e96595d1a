"""(epsilon, delta)-DP and Gaussian DP, and lower bounds from an attack's error rates.

A mechanism is mu-GDP if telling two neighbouring data sets apart is no easier than telling N(0, 1)
from N(mu, 1) by one draw (Dong, Roth & Su 2022).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

from byrote.stats.estimate import clopper_pearson

Array = NDArray[np.float64]
_LARGE = 1e8  # mu at which Phi(mu/2 - epsilon/mu) is delta(epsilon) to the last digit


def delta_of(mu: float, epsilon: float) -> float:
    """Compute ``Phi(-epsilon/mu + mu/2) - e^epsilon Phi(-epsilon/mu - mu/2)`` from logarithms.

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
    """Compute the epsilon at which mu-GDP has this delta, at least 0; inverts ``delta_of``.

    Examples
    --------
    >>> round(epsilon_of(1.0, delta_of(1.0, 2.5)), 9)
    2.5
    """
    from scipy.optimize import brentq  # noqa: PLC0415 (slow to load)

    if delta_of(mu, 0.0) <= delta:
        return 0.0
    if delta == 0:
        return float("inf")
    # Phi(mu/2 - epsilon/mu) alone is above delta(epsilon), so its root is an upper bound.
    top = mu * (mu / 2 - float(ndtri(delta)))
    if delta_of(mu, top) >= delta or mu > _LARGE:
        return top
    return float(brentq(lambda epsilon: delta_of(mu, epsilon) - delta, 0.0, top, xtol=1e-12))


def mu_from_rates(true_positive: float, false_positive: float) -> float:
    """Compute the least mu that allows these rates, ``Phi^-1(TPR) - Phi^-1(FPR)``, at least 0.

    Examples
    --------
    >>> from scipy.special import ndtr
    >>> round(mu_from_rates(float(ndtr(1.0)), float(ndtr(-0.5))), 9)
    1.5
    """
    if true_positive <= false_positive:
        return 0.0
    return float(ndtri(true_positive) - ndtri(false_positive))


def epsilon_from_rates(true_positive: float, false_positive: float, delta: float) -> float:
    """Compute the least epsilon that allows these rates at this delta, at least 0.

    ``max(log((TPR - delta) / FPR), log((1 - FPR - delta) / (1 - TPR)))``; a lower limit of TPR and
    an upper limit of FPR give a lower bound.
    """
    best = 0.0
    pairs = (true_positive, false_positive), (1 - false_positive, 1 - true_positive)
    for right, wrong in pairs:
        if right > delta:
            best = max(best, float(np.log(right - delta) - np.log(wrong)))
    return best


def best_threshold(inside: Array, outside: Array, *, delta: float, level: float) -> float:
    """Find the threshold t at which "score > t" gives the largest lower bound on epsilon.

    Candidates are the scores and -inf, compared by the epsilon of their Clopper-Pearson limits,
    then by TPR - FPR. Biased on these scores: test it on others.
    """
    thresholds = np.unique(np.concatenate([[-np.inf], inside, outside]))
    hits = len(inside) - np.searchsorted(np.sort(inside), thresholds, side="right")
    alarms = len(outside) - np.searchsorted(np.sort(outside), thresholds, side="right")
    low, _ = clopper_pearson(hits, len(inside), level=level)
    _, high = clopper_pearson(alarms, len(outside), level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        forward = np.log(np.maximum(low - delta, 0.0)) - np.log(high)
        backward = np.log(np.maximum(1 - high - delta, 0.0)) - np.log1p(-low)
    epsilon = np.maximum(np.maximum(forward, backward), 0.0)
    youden = hits / len(inside) - alarms / len(outside)
    return float(thresholds[np.lexsort((youden, epsilon))[-1]])
