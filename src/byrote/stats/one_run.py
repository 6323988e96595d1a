"""Right guesses about many coins of one run: what they prove about (epsilon, delta)-DP.

Steinke, Nasr & Jagielski (2023): of m records each is trained on by the toss of a fair coin; an
attacker names r coins and v are right. Under epsilon-DP the number of right guesses is at most
Binomial(r, e^epsilon / (1 + e^epsilon)), whatever the attack.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, betainccinv, betaincinv, gammaln

Array = NDArray[np.float64]


def p_value(epsilon: float, coins: int, guesses: int, right: int, delta: float) -> float:
    """How likely so many right guesses are under (epsilon, delta)-DP, at most.

    ``P[B >= v] + 2 m delta max_{1 <= i <= v} P[v - i <= B < v] / i`` with B binomial of r guesses,
    each right with probability ``q = e^epsilon / (1 + e^epsilon)``; for 1 <= v <= r.
    """
    q = 1 / (1 + np.exp(-epsilon))
    tail = float(betainc(right, guesses - right + 1, q))
    if delta == 0:
        return tail
    return min(1.0, tail + 2 * coins * delta * _steepest(epsilon, guesses, right))


def epsilon_bound(coins: int, guesses: int, right: int, delta: float, significance: float) -> float:
    """The largest epsilon whose p-value is at most the significance; 0 where none is.

    Without delta the tail is a beta distribution's and its quantile the answer. A delta can only
    lower it, and the p-value grows with epsilon up to there, so one root search settles the rest.

    Examples
    --------
    >>> round(epsilon_bound(1000, 100, 90, 0.0, 0.05), 5)
    1.63082
    """
    if right == 0:
        return 0.0
    q = betaincinv(right, guesses - right + 1, significance)
    top = float(np.log(q) - np.log(betainccinv(guesses - right + 1, right, significance)))
    if top <= 0 or delta == 0:
        return max(0.0, top)

    def excess(epsilon: float) -> float:
        return p_value(epsilon, coins, guesses, right, delta) - significance

    low, step = top, top / 64  # down from the top, where the masses that matter are fewest
    while excess(low) > 0:
        if low == 0:
            return 0.0
        low, step = max(0.0, low - step), 2 * step
    return float(brentq(excess, low, top, xtol=1e-12)) if low < top else top


def _steepest(epsilon: float, guesses: int, right: int) -> float:
    """``max_i P[v - i <= B < v] / i``, the largest mean mass of a run of counts that ends at v - 1.

    Binomial masses rise and then fall, so the running mean, too, rises to one maximum. The window
    doubles until a mass is below the running mean: then the maximum lies inside.
    """
    length = int(4 * np.sqrt(guesses)) + 16
    while True:
        counts = np.arange(right - 1, max(right - 1 - length, -1), -1.0)
        masses = np.exp(_log_mass(counts, guesses, epsilon))
        means = np.cumsum(masses) / np.arange(1, len(masses) + 1)
        if len(masses) == right or masses[-1] < means[-1]:
            return float(means.max())
        length *= 2


def _log_mass(counts: Array, guesses: int, epsilon: float) -> Array:
    choose = gammaln(guesses + 1) - gammaln(counts + 1) - gammaln(guesses - counts + 1)
    right, wrong = -np.log1p(np.exp(-epsilon)), -np.logaddexp(0.0, epsilon)
    return np.asarray(choose + counts * right + (guesses - counts) * wrong)
