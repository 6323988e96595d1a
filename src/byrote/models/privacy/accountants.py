"""Epsilon of so many noisy steps: upper bounds, each with another by code that shares nothing.

All take the noise multiplier (above 0), the share q of the records in a step, the number of steps,
and delta; all but ``gaussian`` are for Poisson sampling.
"""

import math
import warnings
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.special import ndtri

from byrote.models.privacy.composition import epsilon_of_steps
from byrote.models.privacy.library import load
from byrote.stats.gaussian_dp import epsilon_of

Accountant = Callable[[float, float, int, float], float]

_FRACTIONAL = [1 + tenth / 10 for tenth in range(1, 100)]
_WHOLE = [*range(11, 64), 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024]
_NEAREST_ONE = 1e-13  # of an order above 1, that its powers can be told from 1
_LARGE = 1e6  # a mu
_LITTLE = 1e-6  # noise below which privacy losses cannot be told apart by their places


def renyi_orders(noise: float) -> list[float]:
    """Orders alpha among which the best for any noise is, nearly.

    With little noise it is as near to 1 as the noise's variance is to 0: without such orders
    epsilon comes out many times too large.
    """
    near = 1 + max(noise**2, _NEAREST_ONE) * np.logspace(-1, 2, 25)
    return sorted({*near[near < _FRACTIONAL[0]].tolist(), *_FRACTIONAL, *map(float, _WHOLE)})


def rdp(noise: float, q: float, steps: int, delta: float) -> float:
    """Renyi differential privacy of the sampled Gaussian (Mironov, Talwar & Zhang 2019).

    Every order gives a bound, quasi-convex in the order, so that the least is found by halving:
    some orders take long. (It is a convex function over alpha - 1: the cumulant generating function
    of the privacy loss, and terms of the conversion to delta.)
    """
    analysis = load("opacus.accountants.analysis.rdp")
    orders = renyi_orders(noise)

    @cache
    def bound(place: int) -> float:
        order = orders[place]
        spent = analysis.compute_rdp(q=q, noise_multiplier=noise, steps=steps, orders=order)
        with warnings.catch_warnings():  # that an order is the outermost, as a single one is
            warnings.simplefilter("ignore", UserWarning)
            return float(analysis.get_privacy_spent(orders=order, rdp=spent, delta=delta)[0])

    low, high = 0, len(orders) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) <= bound(middle + 1) else (middle + 1, high)
    return max(bound(low), 0.0)


def prv(noise: float, q: float, steps: int, delta: float) -> float:
    """Numerical composition of privacy losses, tighter than Renyi's; below 1e-6 of noise, Renyi's.

    By byrote: numerical accountants of other libraries lose small deltas to the rounding of their
    Fourier transforms, and come out below the truth (see ``composition``).
    """
    return (epsilon_of_steps if noise >= _LITTLE else rdp)(noise, q, steps, delta)


def gaussian(noise: float, q: float, steps: int, delta: float) -> float:
    """Every record once an epoch: the Gaussian mechanism with mu = sqrt(epochs) / noise."""
    mu = math.sqrt(round(q * steps)) / noise
    if mu > _LARGE:  # Phi(mu/2 - epsilon/mu) = delta: the other term is nothing
        return mu * (mu / 2 - float(ndtri(delta)))
    return epsilon_of(mu, delta)


def checked(accountant: str, noise: float, q: float, steps: int, delta: float) -> float:
    """An upper bound too, by code that shares nothing with that of the accountant.

    Of ``rdp`` the numerical composition, which is tighter, and of ``prv`` Renyi's, which is not. Of
    ``gaussian`` the same closed form by dp-accounting; it bounds Poisson sampling too, and takes
    the place of the others below 1e-6 of noise.
    """
    if accountant != "gaussian" and noise >= _LITTLE:
        return (rdp if accountant == "prv" else epsilon_of_steps)(noise, q, steps, delta)
    times = round(q * steps) if accountant == "gaussian" else steps
    with np.errstate(all="ignore"):
        return float(load("dp_accounting").get_epsilon_gaussian(noise / math.sqrt(times), delta))


ACCOUNTANTS: dict[str, Accountant] = {"rdp": rdp, "prv": prv, "gaussian": gaussian}
