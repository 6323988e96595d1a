"""Right guesses about many coins of one run: what they prove about mu-GDP.

Mahloujifar, Melis & Chaudhuri (2025), "Auditing f-differential privacy in one run", for two
values per coin and the Gaussian trade-off function.

Let C of r guesses about m coins be right. For each coin, fix the others: being right while at least
i others are right, and being wrong while at least i others are right, are one event of the output
under the two values of the coin, so f-DP relates their probabilities by its trade-off function;
this function is convex, hence the same holds for the averages over coins. With

    right_i = E[C 1{C >= i}] / m,     wrong_i = E[(r - C) 1{C >= i}] / m

this reads ``Phi^-1(right_{i+1}) <= Phi^-1(wrong_i) + mu``. Suppose P(C >= v) is as large as the
significance. Going down from i = v, each step then forces a least value of wrong_i, so a least
P(C = i), so a least right_i. If these add up to more than right_0 + wrong_0 = r / m, mu-GDP is
rejected. All the mass of the start at C = v is the least: whatever lies above v makes right_i, and
right_i - i / (r - i) wrong_i, larger, and all later steps are increasing in these two.
"""

from math import erfc, sqrt
from statistics import NormalDist

_LARGEST = 40.0  # mu beyond which no double's normal quantile reaches
_quantile = NormalDist().inv_cdf


def excess(mu: float, coins: int, guesses: int, right: int, significance: float) -> float:
    """By how much the forced probability exceeds what there is, in units of r / m; stops there.

    Positive: so many right guesses have a probability below the significance under mu-GDP. Each
    step costs two normal functions; it ends once no more is forced (no further step would force
    anything) or the sum is exceeded.
    """
    whole = guesses / coins
    good = significance * right / coins
    bad = significance * (guesses - right) / coins
    for i in range(right - 1, -1, -1):
        forced = _cdf(_quantile(good) - mu)
        if forced <= bad:
            break
        good += i / (guesses - i) * (forced - bad)
        bad = forced
        if good + bad > whole:
            break
    return (good + bad) / whole - 1


def mu_bound(coins: int, guesses: int, right: int, significance: float) -> float:
    """The largest mu that is rejected at the significance; 0 where none is.

    Examples
    --------
    >>> mu_bound(1000, 1000, 500, 0.05)
    0.0
    """

    def rejected(mu: float) -> bool:
        return right > 0 and excess(mu, coins, guesses, right, significance) > 0

    if not rejected(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while high < _LARGEST and rejected(high):
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if rejected(middle) else (low, middle)
    return low


def _cdf(x: float) -> float:
    return 0.5 * erfc(-x / sqrt(2.0))  # NormalDist's own cancels in the lower tail
