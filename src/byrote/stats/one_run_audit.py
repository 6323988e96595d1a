"""Privacy audits of one run: lower bounds on epsilon and mu from correct guesses of fair coins.

Each of m records is trained on by the toss of a fair coin; an attacker names r coins, and v guesses
are right. Under epsilon-DP the number of right guesses is at most Binomial(r, e^epsilon / (1 +
e^epsilon)), whatever the attack (Steinke, Nasr & Jagielski 2023).

For mu-GDP, Mahloujifar, Melis & Chaudhuri (2025), "Auditing f-differential privacy in one run",
with two values per coin and the Gaussian trade-off function. Let C of r guesses about m coins be
right. For each coin, fix the others: being right while at least i others are right, and being wrong
while at least i others are right, are one event of the output under the two values of the coin, so
f-DP relates their probabilities by its trade-off function; this function is convex, hence the same
holds for the averages over coins. With

    right_i = E[C 1{C >= i}] / m,     wrong_i = E[(r - C) 1{C >= i}] / m

this reads ``Phi^-1(right_{i+1}) <= Phi^-1(wrong_i) + mu``. Suppose P(C >= v) is as large as the
significance. Going down from i = v, each step then forces a least value of wrong_i, so a least
P(C = i), so a least right_i. If these add up to more than right_0 + wrong_0 = r / m, mu-GDP is
rejected. All the mass of the start at C = v is the least: whatever lies above v makes right_i, and
right_i - i / (r - i) wrong_i, larger, and all later steps are increasing in these two.
"""

from functools import lru_cache
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betainccinv, betaincinv, gammaln

Array = NDArray[np.float64]
_LARGEST_MU = 40.0  # beyond which no double's normal quantile reaches
_normal_quantile = NormalDist().inv_cdf


def p_value(epsilon: float, coins: int, guesses: int, right: int, delta: float) -> float:
    """Bound the probability of at least v right guesses under (epsilon, delta)-DP.

    ``P[B >= v] + 2 m delta max_{1 <= i <= v} P[v - i <= B < v] / i`` with B binomial of r guesses,
    each right with probability ``q = e^epsilon / (1 + e^epsilon)``; for 1 <= v <= r.
    """
    q = 1 / (1 + np.exp(-epsilon))
    tail = float(betainc(right, guesses - right + 1, q))
    if delta == 0:
        return tail
    return min(1.0, tail + 2 * coins * delta * _largest_mean_mass(epsilon, guesses, right))


@lru_cache(maxsize=1024)  # simulations ask for few counts, many times
def epsilon_bound(coins: int, guesses: int, right: int, delta: float, significance: float) -> float:
    """Compute the largest epsilon whose p-value is at most the significance, at least 0.

    Without delta this is a quantile of a beta distribution. A delta can only lower it, and the
    p-value grows with epsilon up to there, so one root search finds it.

    Examples
    --------
    >>> round(epsilon_bound(1000, 100, 90, 0.0, 0.05), 5)
    1.63082
    """
    from scipy.optimize import brentq  # noqa: PLC0415 (slow to load)

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


def _largest_mean_mass(epsilon: float, guesses: int, right: int) -> float:
    """Compute ``max_i P[v - i <= B < v] / i``, the largest mean mass of counts that end at v - 1.

    Binomial masses rise and then fall, so the running mean also has one maximum. The window doubles
    until it contains a mass below the running mean, and so the maximum.
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


def mu_excess(mu: float, coins: int, guesses: int, right: int, significance: float) -> float:
    """Compute the excess of the forced over the available probability, in units of r / m.

    If it is positive, as many right guesses have a probability below the significance under mu-GDP.
    The loop ends once nothing more is forced or the sum is exceeded.
    """
    whole = guesses / coins
    good = significance * right / coins
    bad = significance * (guesses - right) / coins
    for i in range(right - 1, -1, -1):
        forced = _normal_cdf(_normal_quantile(good) - mu)
        if forced <= bad:
            break
        good += i / (guesses - i) * (forced - bad)
        bad = forced
        if good + bad > whole:
            break
    return (good + bad) / whole - 1


@lru_cache(maxsize=1024)  # simulations ask for few counts, many times
def mu_bound(coins: int, guesses: int, right: int, significance: float) -> float:
    """Compute the largest mu that is rejected at the significance, at least 0.

    Examples
    --------
    >>> mu_bound(1000, 1000, 500, 0.05)
    0.0
    """

    def rejected(mu: float) -> bool:
        return right > 0 and mu_excess(mu, coins, guesses, right, significance) > 0

    if not rejected(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while high < _LARGEST_MU and rejected(high):
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if rejected(middle) else (low, middle)
    return low


def _normal_cdf(x: float) -> float:
    return 0.5 * erfc(-x / sqrt(2.0))  # NormalDist's own cancels in the lower tail
