"""Epsilon of so many noisy steps, by Opacus or in closed form, and again by dp-accounting.

All take the noise multiplier (above 0), the share q of the records in a step, the number of steps,
and delta; all but ``gaussian`` are for Poisson sampling.
"""

import math
import warnings
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.special import ndtri

from byrote.errors import InvalidInput
from byrote.models.privacy.library import load
from byrote.stats.gaussian_privacy import epsilon_of

Accountant = Callable[[float, float, int, float], float]

_FRACTIONAL = [1 + tenth / 10 for tenth in range(1, 100)]
_WHOLE = [*range(11, 64), 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024]
_NEAREST_ONE = 1e-13  # of an order above 1, that its powers can be told from 1
_ERROR = 2e-3  # of epsilon from a grid, in relation to it
_LARGE = 1e6  # a mu
_WIDEST = 500.0  # cell of a grid of privacy losses, whose exponentials must be finite
_POINTS = 1 << 24  # of a grid, at most


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
    """Numerical composition of privacy loss variables, an upper bound (Gopi, Lee & Wutschitz 2021).

    Raises
    ------
    InvalidInput
        Where there is so little noise that the grid would not fit into memory.
    """
    about = rdp(noise, q, steps, delta)
    error = min(max(_ERROR * about, 1e-4), 1.0)
    accountant = load("opacus.accountants").PRVAccountant()
    accountant.history = [(noise, q, steps)]
    if 2 * (about + 3) / error * math.sqrt(steps * math.log(12e3 / delta) / 2) > _POINTS:
        raise _not_computed(noise)
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # see ``rdp``; tails that underflow
        warnings.simplefilter("ignore", UserWarning)
        try:
            epsilon = float(accountant.get_epsilon(delta, eps_error=error))
        except (ArithmeticError, RuntimeError, ValueError, MemoryError):
            raise _not_computed(noise) from None
    if not 0 <= epsilon < math.inf:
        raise _not_computed(noise)
    return epsilon


def gaussian(noise: float, q: float, steps: int, delta: float) -> float:
    """Every record once an epoch: the Gaussian mechanism with mu = sqrt(epochs) / noise."""
    mu = math.sqrt(round(q * steps)) / noise
    if mu > _LARGE:  # Phi(mu/2 - epsilon/mu) = delta: the other term is nothing
        return mu * (mu / 2 - float(ndtri(delta)))
    return epsilon_of(mu, delta)


def checked(accountant: str, noise: float, q: float, steps: int, delta: float) -> float:
    """The same by dp-accounting, which knows nothing of Opacus.

    Poisson sampling by its privacy loss distributions (Koskela et al. 2020; Doroshenko et al.
    2022), an upper bound that is tighter than Renyi's. The Gaussian mechanism by its closed form,
    which bounds Poisson sampling too, and takes its place where losses are beyond any grid.
    """
    dp = load("dp_accounting")
    times = round(q * steps) if accountant == "gaussian" else steps
    about = 0.0 if accountant == "gaussian" else rdp(noise, q, steps, delta)
    if accountant == "gaussian" or about > _WIDEST * _POINTS:
        with np.errstate(all="ignore"):
            return float(dp.get_epsilon_gaussian(noise / math.sqrt(times), delta))
    cell = min(max(about / (2e3 * math.sqrt(steps)), 1e-4), max(1e-3 * about, 1e-6), _WIDEST)
    found = load("dp_accounting.pld").PLDAccountant(value_discretization_interval=cell)
    step = dp.PoissonSampledDpEvent(q, dp.GaussianDpEvent(noise))
    with np.errstate(all="ignore"):  # tails that underflow
        found.compose(dp.SelfComposedDpEvent(step, steps))
        return float(found.get_epsilon(delta))


ACCOUNTANTS: dict[str, Accountant] = {"rdp": rdp, "prv": prv, "gaussian": gaussian}


def _not_computed(noise: float) -> InvalidInput:
    return InvalidInput(
        f"dp: accountant must be 'rdp' where there is as little noise as here; got 'prv', which"
        f" cannot compute epsilon at noise_multiplier={noise:.3g}"
    )
