"""Sums of weights over rare events, and how far they can be trusted."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv


def gamma_interval(
    weights: NDArray[np.float64], largest: float, *, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the expected sum of weights, each of a Poisson event (Fay & Feuer 1997).

    Poisson's exact interval where all weights are equal; conservative, also where the sum counts
    successes among few trials.

    Parameters
    ----------
    weights
        (n,) of the events that happened; may be empty.
    largest
        The largest weight that an event can have, which the upper limit reckons with.

    Examples
    --------
    >>> [round(limit, 3) for limit in gamma_interval(np.ones(10), 1.0)]
    [4.795, 18.39]
    >>> [round(limit, 3) for limit in gamma_interval(np.empty(0), 2.0)]
    [0.0, 7.378]
    """
    total, square = float(weights.sum()), float(np.square(weights).sum())
    tail = (1 - level) / 2
    low = square / total * float(gammaincinv(total**2 / square, tail)) if total else 0.0
    total, square = total + largest, square + largest**2
    return low, square / total * float(gammaincinv(total**2 / square, 1 - tail))


def effective_count(weights: NDArray[np.float64]) -> float:
    """How many equal weights would give a sum as certain: ``(sum w)^2 / sum w^2``.

    Examples
    --------
    >>> effective_count(np.array([1.0, 1.0, 2.0])).__round__(4)
    2.6667
    """
    square = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / square if square else 0.0
