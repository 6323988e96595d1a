"""Privacy accountants: upper bounds on epsilon of many noisy steps, by name.

All take the noise multiplier (above 0), the share q of the records in a step, the number of steps
and delta; all except ``gaussian`` are for Poisson sampling. ``independent_bound`` bounds the same
epsilon by code that shares nothing with the accountant's.
"""

import math
import warnings
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.special import ndtri

from byrote.models.extras import import_extra
from byrote.models.privacy.privacy_loss_distribution import epsilon_of_steps
from byrote.stats.gaussian_dp import epsilon_of

Accountant = Callable[[float, float, int, float], float]

_FRACTIONAL_ORDERS = [1 + tenth / 10 for tenth in range(1, 100)]
_WHOLE_ORDERS = [*range(11, 64), 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024]
_LEAST_EXCESS = 1e-13  # of an order above 1, that its powers can be told from 1
_LARGE_MU = 1e6
_LITTLE_NOISE = 1e-6  # below, the grid cannot resolve the privacy losses


def renyi_orders(noise: float) -> list[float]:
    """Orders alpha of which one is nearly optimal for any noise.

    With little noise the best is as near to 1 as the noise's variance is to 0: without such orders
    epsilon comes out many times too large.
    """
    near = 1 + max(noise**2, _LEAST_EXCESS) * np.logspace(-1, 2, 25)
    below = near[near < _FRACTIONAL_ORDERS[0]].tolist()
    return sorted({*below, *_FRACTIONAL_ORDERS, *map(float, _WHOLE_ORDERS)})


def rdp(noise: float, q: float, steps: int, delta: float) -> float:
    """Renyi differential privacy of the sampled Gaussian (Mironov, Talwar & Zhang 2019).

    Every order gives a bound, quasi-convex in the order, so that the least is found by bisection:
    some orders take long. (It is a convex function over alpha - 1: the cumulant generating function
    of the privacy loss, and terms of the conversion to delta.)
    """
    analysis = import_extra("opacus.accountants.analysis.rdp")
    orders = renyi_orders(noise)

    @cache
    def bound(index: int) -> float:
        order = orders[index]
        divergence = analysis.compute_rdp(q=q, noise_multiplier=noise, steps=steps, orders=order)
        with warnings.catch_warnings():  # that an order is the outermost, as a single one is
            warnings.simplefilter("ignore", UserWarning)
            return float(analysis.get_privacy_spent(orders=order, rdp=divergence, delta=delta)[0])

    low, high = 0, len(orders) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) <= bound(middle + 1) else (middle + 1, high)
    return max(bound(low), 0.0)


def prv(noise: float, q: float, steps: int, delta: float) -> float:
    """Numerical composition of privacy losses, tighter than Renyi's; below 1e-6 of noise, Renyi's.

    By byrote: numerical accountants of other libraries lose small deltas to the rounding of their
    Fourier transforms and come out below the truth (see ``privacy_loss_distribution``).
    """
    return (epsilon_of_steps if noise >= _LITTLE_NOISE else rdp)(noise, q, steps, delta)


def gaussian(noise: float, q: float, steps: int, delta: float) -> float:
    """Every record once an epoch: the Gaussian mechanism with mu = sqrt(epochs) / noise."""
    mu = math.sqrt(round(q * steps)) / noise
    if mu > _LARGE_MU:  # Phi(mu/2 - epsilon/mu) = delta: the other term vanishes
        return mu * (mu / 2 - float(ndtri(delta)))
    return epsilon_of(mu, delta)


def independent_bound(accountant: str, noise: float, q: float, steps: int, delta: float) -> float:
    """Another upper bound on the epsilon of an accountant, by independent code.

    For ``rdp`` the numerical composition, which is tighter; for ``prv`` Renyi's, which is not; for
    ``gaussian`` the same closed form by dp-accounting, which bounds Poisson sampling too and
    replaces the others below 1e-6 of noise.
    """
    if accountant != "gaussian" and noise >= _LITTLE_NOISE:
        return (rdp if accountant == "prv" else epsilon_of_steps)(noise, q, steps, delta)
    times = round(q * steps) if accountant == "gaussian" else steps
    closed_form = import_extra("dp_accounting").get_epsilon_gaussian
    with np.errstate(all="ignore"):
        return float(closed_form(noise / math.sqrt(times), delta))


ACCOUNTANTS: dict[str, Accountant] = {"rdp": rdp, "prv": prv, "gaussian": gaussian}
