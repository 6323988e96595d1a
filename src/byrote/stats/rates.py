"""True- and false-positive rates from independent trials: what they prove about privacy."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Array = NDArray[np.float64]
Interval = tuple[float, float]


def clopper_pearson(successes: float, trials: float, *, level: float) -> Interval:
    """The exact interval of a proportion (Clopper & Pearson 1934), (1 - level)/2 on each side.

    Counts need not be whole: with clustered trials an effective number of them goes in (Korn &
    Graubard 1998).

    Examples
    --------
    >>> low, high = clopper_pearson(500, 500, level=0.99)
    >>> round(low, 6), high
    (0.989459, 1.0)
    """
    tail, failures = (1 - level) / 2, trials - successes
    low = 0.0 if successes <= 0 else float(betaincinv(successes, failures + 1, tail))
    high = 1.0 if failures <= 0 else float(betaincinv(successes + 1, failures, 1 - tail))
    return low, high


def epsilon_of_rates(true_positive: Interval, false_positive: Interval, delta: float) -> float:
    """The least epsilon that rates within these limits allow at this delta, at least 0.

    ``max(log((TPR - delta) / FPR), log((1 - FPR - delta) / (1 - TPR)))`` with the lower limit of
    TPR and the upper limit of FPR: both directions rest on these two limits alone.
    """
    tpr, fpr = true_positive[0], false_positive[1]
    best = 0.0
    for right, wrong in ((tpr, fpr), (1 - fpr, 1 - tpr)):
        if right > delta:
            best = max(best, float(np.log(right - delta) - np.log(wrong)))
    return best


def best_threshold(inside: Array, outside: Array, *, delta: float, level: float) -> float:
    """The threshold t at which "score > t" proves most about these scores themselves.

    Among the scores and -inf; the epsilon of Clopper-Pearson limits decides, then TPR - FPR where
    no threshold proves anything. To be tested on other scores: on these it is too good.
    """
    every = np.unique(np.concatenate([[-np.inf], inside, outside]))
    hits = len(inside) - np.searchsorted(np.sort(inside), every, side="right")
    alarms = len(outside) - np.searchsorted(np.sort(outside), every, side="right")
    tail = (1 - level) / 2
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1), len(inside) - hits + 1.0, tail), 0.0)
    high = np.where(
        alarms < len(outside),
        betaincinv(alarms + 1.0, np.maximum(len(outside) - alarms, 1), 1 - tail),
        1.0,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        forward = np.log(np.maximum(low - delta, 0.0)) - np.log(high)
        backward = np.log(np.maximum(1 - high - delta, 0.0)) - np.log1p(-low)
    proven = np.maximum(np.maximum(forward, backward), 0.0)
    youden = hits / len(inside) - alarms / len(outside)
    return float(every[np.lexsort((youden, proven))[-1]])
