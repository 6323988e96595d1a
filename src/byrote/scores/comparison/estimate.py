"""A number with its interval, or the reason why it has none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from byrote.stats import differences
from byrote.stats.intervals import of_mean

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, or the reason why it has none (or is none itself).

    bound: "at least" or "at most" where the number is only that.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")
    reason: str = ""
    bound: str = ""

    @property
    def sign(self) -> int:
        """1 or -1 if the whole interval is on that side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def of_units(values: Sequence[float], unit: str, *, groups: ArrayLike | None = None) -> Estimate:
    """Mean of independent values, one a unit, with Student's interval.

    Examples
    --------
    >>> of_units([1.0], "fit")
    Estimate(value=1.0, low=nan, high=nan, reason='an interval needs two fits or more', bound='')
    """
    sample = np.asarray(values, np.float64)
    if len(sample) == 0:
        return Estimate(np.nan, reason=f"there is no {unit} that tells")
    if not np.isfinite(sample).all():
        return Estimate(_mean(sample), reason="some values are infinite or unknown")
    low, high = of_mean(sample, LEVEL, groups=groups)
    reason = f"an interval needs two {unit}s or more" if np.isnan(low) else ""
    return Estimate(float(sample.mean()), low, high, reason)


def with_error(
    value: float, error: float, degrees: float, units: str, level: float = LEVEL
) -> Estimate:
    """A value with Student's interval, or the reason why it has none."""
    if not np.isfinite(value):
        return Estimate(value, reason="some values are infinite or unknown")
    if not (np.isfinite(error) and degrees > 0):
        return Estimate(value, reason=f"an interval needs more {units}")
    return Estimate(value, *differences.interval(value, error, degrees, level).tolist())


def _mean(sample: np.ndarray) -> float:
    """NaN where values are unknown or infinite both ways."""
    both = np.isposinf(sample).any() and np.isneginf(sample).any()
    return float("nan") if both else float(sample.mean())
