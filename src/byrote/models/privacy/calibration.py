"""Noise calibration: from the guarantee asked for to the noise, and from the noise to epsilon."""

import math
from dataclasses import dataclass
from functools import cache

from byrote.errors import InvalidInput
from byrote.models.extras import DP_LIBRARIES, check_installed
from byrote.models.privacy.accountants import ACCOUNTANTS, independent_bound
from byrote.models.privacy.dp import DP
from byrote.models.privacy.guarantee import DPGuarantee

_VACUOUS = 20.0  # an epsilon from which on nothing is guaranteed: odds may change by e^20
_TOLERANCE = 0.01  # of the target epsilon, how far below it the noise may lead
_NO_NOISE = 1e-100  # a noise multiplier whose square vanishes
_LEAST, _MOST = 2.0**-40, 2.0**40  # noise multipliers between which one is searched


@dataclass(frozen=True)
class NoiseSchedule:
    """Noise and sampling of DP-SGD over all epochs.

    ``noise_multiplier`` is in units of the clipping norm; ``sample_rate``, the fraction of the
    records in a batch, is 1 / steps per epoch; ``steps`` are those of all epochs.
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
        """Mean number of records in a batch, by which a sum of gradients is divided."""
        return self.records / self.steps_per_epoch


@cache
def calibrate(dp: DP, records: int, batch_size: int, epochs: int) -> NoiseSchedule:
    """Compute the noise that meets ``dp`` in these epochs, with batches of that size at most.

    ``target_epsilon`` is met within 1 % and never exceeded.

    Raises
    ------
    InvalidInput
        If ``dp`` cannot be used, or no noise leads to the target.
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
    """Epsilon by the accountant of ``dp``; infinite without noise."""
    assert dp.delta is not None  # noqa: S101 (checked)
    if noise < _NO_NOISE:
        return math.inf
    return ACCOUNTANTS[dp.accountant](noise, sample_rate, steps, dp.delta)


def guarantee_of(
    dp: DP,
    schedule: NoiseSchedule,
    *,
    unit: str = "record",
    window: int | None = None,
    gradients: str = "ghost",
) -> DPGuarantee:
    """The guarantee of a training, for its facts.

    Its details hold the noise, the sampling, "epsilon_checked", an independent upper bound, and
    ``gradients``, "ghost" or "per-example": how they were clipped, which makes no difference. The
    label warns where the guarantee is vacuous or weak.
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
    """Noise just within the target, by interpolating epsilon as a power of the noise."""
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


def _label(dp: DP, epsilon: float, records: int) -> str:
    if math.isinf(epsilon):
        return "promises nothing: there is no noise"
    if epsilon >= _VACUOUS:
        return f"promises nothing: epsilon is {epsilon:.3g}, {_VACUOUS:g} or more"
    if dp.delta is not None and dp.delta > 1 / records:
        return f"promises little: delta is {dp.delta:.3g}, above 1 / {records} records"
    return ""
