"""Privacy accountants, upper bounds on epsilon of many noisy steps, and calibration of noise.

An accountant takes the noise multiplier (above 0), the share q of the records in a step, the number
of steps and delta; all except ``gaussian`` are for Poisson sampling. ``independent_bound`` bounds
the same epsilon by code that shares nothing with the accountant's.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from byrote.errors import InvalidInput
from byrote.models.extras import DP_LIBRARIES, check_installed, import_extra
from byrote.models.privacy.dp import DP, DPGuarantee
from byrote.models.privacy.privacy_loss_distribution import epsilon_of_steps
from byrote.stats.gaussian_dp import epsilon_of

Bound = Callable[[float, float, int, float], float]

_FRACTIONAL_ORDERS = [1 + tenth / 10 for tenth in range(1, 100)]
_WHOLE_ORDERS = [*range(11, 64), 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024]
_LEAST_EXCESS = 1e-13  # of an order above 1, that its powers can be told from 1
_LARGE_MU = 1e6
_LITTLE_NOISE = 1e-6  # below, the grid cannot resolve the privacy losses


def renyi_orders(noise: float) -> list[float]:
    """Return orders alpha of which one is nearly optimal for any noise.

    With little noise the best is as near to 1 as the noise's variance is to 0: without such orders
    epsilon comes out many times too large.
    """
    near = 1 + max(noise**2, _LEAST_EXCESS) * np.logspace(-1, 2, 25)
    below = near[near < _FRACTIONAL_ORDERS[0]].tolist()
    return sorted({*below, *_FRACTIONAL_ORDERS, *map(float, _WHOLE_ORDERS)})


def rdp(noise: float, q: float, steps: int, delta: float) -> float:
    """Bound epsilon by Renyi differential privacy of the sampled Gaussian (Mironov et al. 2019).

    The bound is quasi-convex in the order, so bisection finds the least; some orders take long. (It
    is a convex function over alpha - 1: the cumulant generating function of the privacy loss, and
    terms of the conversion to delta.)
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
    """Bound epsilon by numerical composition of privacy losses; for noise below 1e-6, by Renyi's.

    Tighter than Renyi's. Numerical accountants of other libraries lose small deltas to the rounding
    of their Fourier transforms and come out below the truth (see ``privacy_loss_distribution``).
    """
    return (epsilon_of_steps if noise >= _LITTLE_NOISE else rdp)(noise, q, steps, delta)


def gaussian(noise: float, q: float, steps: int, delta: float) -> float:
    """Bound epsilon if every record is used once per epoch: mu = sqrt(epochs) / noise."""
    mu = math.sqrt(round(q * steps)) / noise
    if mu > _LARGE_MU:  # Phi(mu/2 - epsilon/mu) = delta: the other term vanishes
        return mu * (mu / 2 - float(ndtri(delta)))
    return epsilon_of(mu, delta)


def independent_bound(accountant: str, noise: float, q: float, steps: int, delta: float) -> float:
    """Bound the epsilon of an accountant by code that shares nothing with it.

    Below a noise of 1e-6 Poisson sampling is bounded by the closed form for no sampling.
    """
    if ACCOUNTANTS[accountant].is_poisson and noise < _LITTLE_NOISE:
        return _closed_form(noise, 1.0, steps, delta)
    return ACCOUNTANTS[accountant].independent(noise, q, steps, delta)


def _closed_form(noise: float, q: float, steps: int, delta: float) -> float:
    closed_form = import_extra("dp_accounting").get_epsilon_gaussian
    with np.errstate(all="ignore"):
        return float(closed_form(noise / math.sqrt(round(q * steps)), delta))


class Accountant(NamedTuple):
    """A bound on epsilon, and another of independent code to check it by."""

    epsilon: Bound
    independent: Bound
    is_poisson: bool = True


ACCOUNTANTS = {
    "rdp": Accountant(rdp, epsilon_of_steps),  # checked by a tighter bound
    "prv": Accountant(prv, rdp),
    "gaussian": Accountant(gaussian, _closed_form, is_poisson=False),
}


_VACUOUS = 20.0  # an epsilon from which on nothing is guaranteed: odds may change by e^20
_TOLERANCE = 0.01  # of the target epsilon, how far below it the noise may lead
_NO_NOISE = 1e-100  # a noise multiplier whose square vanishes
_LEAST, _MOST = 2.0**-40, 2.0**40  # noise multipliers between which one is searched


@dataclass(frozen=True)
class NoiseSchedule:
    """Noise and sampling of DP-SGD over all epochs.

    ``noise_multiplier`` is in units of the clipping norm; ``sample_rate``, the share of the records
    in a batch, is 1 / steps per epoch; ``steps`` counts those of all epochs.
    """

    noise_multiplier: float
    sample_rate: float
    steps: int
    records: int
    epochs: int

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        return self.steps // self.epochs

    @property
    def expected_batch(self) -> float:
        """Mean number of records in a batch, the divisor of a sum of gradients."""
        return self.records / self.steps_per_epoch


@cache
def calibrate(dp: DP, records: int, batch_size: int, epochs: int) -> NoiseSchedule:
    """Compute the noise that meets ``dp`` over these epochs, with batches of at most that size.

    ``target_epsilon`` is met within 1 % and never exceeded.

    Raises
    ------
    InvalidInput
        If ``dp`` is not valid, or no noise leads to the target.
    MissingExtra
        If Opacus or dp-accounting is not installed.

    Examples
    --------
    >>> schedule = calibrate(DP(noise_multiplier=1.0, delta=1e-5), 1000, 64, 10)
    >>> schedule.steps, schedule.sample_rate, schedule.expected_batch
    (160, 0.0625, 62.5)
    """
    dp.check()
    check_installed(*DP_LIBRARIES)
    per_epoch = max(1, math.ceil(records / batch_size))
    sampling = (1 / per_epoch, epochs * per_epoch)
    noise = dp.noise_multiplier
    if noise is None:
        noise = _solve_noise(dp, *sampling)
    epsilon_at(dp, noise, *sampling)  # refuses what the accountant cannot compute
    return NoiseSchedule(float(noise), *sampling, records, epochs)


@cache
def epsilon_at(dp: DP, noise: float, sample_rate: float, steps: int) -> float:
    """Compute epsilon by the accountant of ``dp``; infinite without noise."""
    assert dp.delta is not None  # noqa: S101 (checked)
    if noise < _NO_NOISE:
        return math.inf
    return ACCOUNTANTS[dp.accountant].epsilon(noise, sample_rate, steps, dp.delta)


def guarantee_of(
    dp: DP,
    schedule: NoiseSchedule,
    *,
    unit: str = "record",
    window: int | None = None,
    gradients: str = "ghost",
) -> DPGuarantee:
    """Return the guarantee of a training run, for the facts of the fit.

    ``details`` hold the noise, the sampling, "epsilon_checked" (an independent upper bound) and
    ``gradients``, "ghost" or "per-example": how norms were computed, which makes no difference. The
    label warns of a vacuous or weak guarantee.
    """
    noise, rate, steps = schedule.noise_multiplier, schedule.sample_rate, schedule.steps
    assert dp.delta is not None  # noqa: S101 (checked)
    epsilon, checked = epsilon_at(dp, noise, rate, steps), _checked_epsilon(dp, noise, rate, steps)
    return DPGuarantee(
        epsilon=epsilon,
        delta=float(dp.delta),
        unit=unit,
        window=window,
        accountant=dp.accountant,
        label=_label(dp, epsilon, schedule.records),
        details={
            "noise_multiplier": noise,
            "max_grad_norm": float(dp.max_grad_norm),
            "sampling": dp.sampling,
            "sample_rate": rate,
            "steps": steps,
            "epsilon_checked": checked if math.isfinite(checked) else None,
            "gradients": gradients,
        },
    )


@cache
def _checked_epsilon(dp: DP, noise: float, rate: float, steps: int) -> float:
    assert dp.delta is not None  # noqa: S101 (checked)
    if noise < _NO_NOISE:
        return math.inf
    return independent_bound(dp.accountant, noise, rate, steps, dp.delta)


def _solve_noise(dp: DP, rate: float, steps: int) -> float:
    """Interpolate epsilon as a power of the noise until the noise is just within the target."""
    target = dp.target_epsilon
    assert target is not None  # noqa: S101 (checked)
    low, high = _bracket(dp, target, rate, steps)
    beyond, reached = (epsilon_at(dp, noise, rate, steps) for noise in (low, high))
    while reached < (1 - _TOLERANCE) * target and high > low * (1 + 1e-9):
        share = 0.5  # of a bound that falls to nothing at once
        if reached > 0:
            share = math.log(reached / (target * (1 - _TOLERANCE / 2))) / math.log(reached / beyond)
        middle = high * (low / high) ** min(max(share, 0.05), 0.95)
        epsilon = epsilon_at(dp, middle, rate, steps)
        if epsilon <= target:
            high, reached = middle, epsilon
        else:
            low, beyond = middle, epsilon
    return high


def _bracket(dp: DP, target: float, rate: float, steps: int) -> tuple[float, float]:
    """Return two noise multipliers, a factor of two apart: above the target, and within it."""
    noise = 1.0
    if epsilon_at(dp, noise, rate, steps) <= target:
        while noise > _LEAST and epsilon_at(dp, noise / 2, rate, steps) <= target:
            noise /= 2
        return noise / 2, noise
    while epsilon_at(dp, noise, rate, steps) > target:
        noise *= 2
        if noise > _MOST:
            raise InvalidInput(
                f"dp: target_epsilon must be one that accountant {dp.accountant!r} distinguishes"
                f" from 0 at delta={dp.delta}; got {target}"
            )
    return noise / 2, noise


def _label(dp: DP, epsilon: float, records: int) -> str:
    if math.isinf(epsilon):
        return "vacuous: no noise"
    if epsilon >= _VACUOUS:
        return f"vacuous: epsilon is {epsilon:.3g}, {_VACUOUS:g} or more"
    if dp.delta is not None and dp.delta > 1 / records:
        return f"weak: delta is {dp.delta:.3g}, above 1 / {records} records"
    return ""
