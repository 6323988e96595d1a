"""From what is promised to the noise, and from the noise to what was spent."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from byrote.errors import InvalidInput
from byrote.models.privacy.accountants import ACCOUNTANTS, checked
from byrote.models.privacy.dp import DP
from byrote.models.privacy.library import check_installed

_NOTHING = 20.0  # an epsilon from which on a promise is none: odds may change by e^20
_WITHIN = 0.01  # of the target, how far below it the noise may lead
_NONE = 1e-100  # a noise multiplier whose square is nothing
_LEAST, _MOST = 2.0**-40, 2.0**40  # noise multipliers among which one is sought


@dataclass(frozen=True)
class Account:
    """How much noise, and how often.

    Attributes
    ----------
    noise_multiplier
        Standard deviation of the noise in units of the norm that gradients are clipped to.
    sample_rate
        Share of the records in a step: 1 / steps per epoch.
    steps
        In all epochs.
    records, epochs
        From which these follow.
    """

    noise_multiplier: float
    sample_rate: float
    steps: int
    records: int
    epochs: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return self.steps // self.epochs

    @property
    def expected_batch(self) -> float:
        """Records in a batch on average: what a sum of gradients is divided by."""
        return self.records / self.steps_per_epoch


@cache
def noise_for(dp: DP, records: int, batch_size: int, epochs: int) -> Account:
    """The noise that keeps the promise in so many epochs, with batches of that size at most.

    ``target_epsilon`` is met within 1 %, never exceeded.

    Raises
    ------
    InvalidInput
        If ``dp`` cannot be used, or no noise leads to the target.
    MissingExtra
        If Opacus or dp-accounting is not installed.

    Examples
    --------
    >>> account = noise_for(DP(noise_multiplier=1.0, delta=1e-5), 1000, 64, 10)
    >>> account.steps, account.sample_rate, account.expected_batch
    (160, 0.0625, 62.5)
    """
    dp.check()
    check_installed()
    per_epoch = max(1, math.ceil(records / batch_size))
    times = (1 / per_epoch, epochs * per_epoch)
    noise = dp.noise_multiplier
    if noise is None:
        noise = _solved(dp, *times)
    epsilon_at(dp, noise, *times)  # refuses what the accountant cannot compute
    return Account(float(noise), *times, records, epochs)


@cache
def epsilon_at(dp: DP, noise: float, sample_rate: float, steps: int) -> float:
    """Epsilon by the accountant of ``dp``; infinite without noise."""
    assert dp.delta is not None  # noqa: S101 (checked)
    if noise < _NONE:
        return math.inf
    return ACCOUNTANTS[dp.accountant](noise, sample_rate, steps, dp.delta)


def spent(
    dp: DP, account: Account, *, unit: str = "record", gradients: str = "ghost"
) -> dict[str, Any]:
    """What was promised, as plain data: ``facts_["privacy"]`` of a model.

    Parameters
    ----------
    unit
        What the promise is about: one of these, added or removed.
    gradients
        How they were clipped, which makes no difference: "ghost", by norms alone, or "per-example".

    Returns
    -------
    dict
        "epsilon" and "epsilon_checked" are None where infinite; "label" is empty or says why the
        promise is worth nothing, or little.
    """
    noise, rate, steps = account.noise_multiplier, account.sample_rate, account.steps
    epsilon = epsilon_at(dp, noise, rate, steps)
    return {
        "epsilon": _finite(epsilon),
        "delta": None if dp.delta is None else float(dp.delta),
        "noise_multiplier": noise,
        "max_grad_norm": float(dp.max_grad_norm),
        "accountant": dp.accountant,
        "sampling": dp.sampling,
        "sample_rate": rate,
        "steps": steps,
        "unit": unit,
        "epsilon_checked": _finite(_checked(dp, noise, rate, steps)),
        "gradients": gradients,
        "label": _label(dp, epsilon, account.records),
    }


@cache
def _checked(dp: DP, noise: float, rate: float, steps: int) -> float:
    assert dp.delta is not None  # noqa: S101 (checked)
    return math.inf if noise < _NONE else checked(dp.accountant, noise, rate, steps, dp.delta)


def _solved(dp: DP, rate: float, steps: int) -> float:
    """Noise that stays within the target, and near it: between two, as epsilon goes by a power."""
    target = dp.target_epsilon
    assert target is not None  # noqa: S101 (checked)
    low, high = _bracket(dp, target, rate, steps)
    beyond, reached = (epsilon_at(dp, noise, rate, steps) for noise in (low, high))
    while reached < (1 - _WITHIN) * target and high > low * (1 + 1e-9):
        share = 0.5  # of a bound that falls to nothing at once
        if reached > 0:
            share = math.log(reached / (target * (1 - _WITHIN / 2))) / math.log(reached / beyond)
        middle = high * (low / high) ** min(max(share, 0.05), 0.95)
        epsilon = epsilon_at(dp, middle, rate, steps)
        if epsilon <= target:
            high, reached = middle, epsilon
        else:
            low, beyond = middle, epsilon
    return high


def _bracket(dp: DP, target: float, rate: float, steps: int) -> tuple[float, float]:
    """Two noise multipliers, a factor of two apart: above the target, and within it."""
    noise = 1.0
    if epsilon_at(dp, noise, rate, steps) <= target:
        while noise > _LEAST and epsilon_at(dp, noise / 2, rate, steps) <= target:
            noise /= 2
        return noise / 2, noise
    while epsilon_at(dp, noise, rate, steps) > target:
        noise *= 2
        if noise > _MOST:
            raise InvalidInput(
                f"dp: target_epsilon must be one that accountant {dp.accountant!r} can tell from 0"
                f" at delta={dp.delta}; got {target}"
            )
    return noise / 2, noise


def _finite(epsilon: float) -> float | None:
    return epsilon if math.isfinite(epsilon) else None


def _label(dp: DP, epsilon: float, records: int) -> str:
    if math.isinf(epsilon):
        return "promises nothing: there is no noise"
    if epsilon >= _NOTHING:
        return f"promises nothing: epsilon is {epsilon:.3g}, {_NOTHING:g} or more"
    if dp.delta is not None and dp.delta > 1 / records:
        return f"promises little: delta is {dp.delta:.3g}, above 1 / {records} records"
    return ""
