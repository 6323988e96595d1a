"""Exposure by number of insertions, and the calibration of the references by controls."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaincc

from byrote.columnar import PlainData
from byrote.errors import InvalidInput
from byrote.scores.exposure.exposure import Exposure
from byrote.stats.estimate import Estimate, mean
from byrote.stats.multiple_testing import combined_p_value

NULL_MEAN = float(1 / np.log(2))  # bits: exposure without memorization is exponential, rate ln 2
DOUBTFUL = 0.01  # p-value of the controls' check below which it fails
ROLES = ("canary", "control")
FLOORS = "{} of {} are lower bounds, and so is the mean"


@dataclass(frozen=True)
class Level(PlainData):
    """Canaries inserted equally often, with exposures in bits.

    Attributes
    ----------
    insertions
        Number of insertions of each; 0 for controls.
    canaries, estimated, saturated
        Number of canaries, of those with an exposure, and of those with only a lower bound.
    mean, median
        Of the exposures; lower bounds if some of them are.
    low, high
        Student's 95 % interval of the mean over the secrets, cut to possible exposures; NaN for
        fewer than two, and if some are lower bounds.
    p_value
        Fisher's combination of the canaries' p-values for "none of them was trained on". Secrets
        are drawn independently, so their ranks are independent if the model has seen none of them;
        sharing references matters little while these are far more than the canaries.

    A secret that occurs several times (in several fits, under one id) is one draw: its p-values
    count as one, and the error of the mean is that over independent secrets.
    """

    insertions: int
    canaries: int
    estimated: int
    saturated: int
    mean: float
    median: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Controls(PlainData):
    """Test of the method's calibration on canaries never inserted; NaN where impossible.

    Attributes
    ----------
    controls
        Number of controls with an exposure.
    mean
        Mean of their exposures, bits; about 1.44 if the method is calibrated.
    mean_p_value
        Two-sided p-value against the exponential distribution with mean 1.44.
    ks, ks_p_value
        Kolmogorov-Smirnov distance of their p-values from uniform ones, and its p-value.
    """

    controls: int
    mean: float
    mean_p_value: float
    ks: float
    ks_p_value: float

    @property
    def calibrated(self) -> bool:
        """Whether neither test rejects the method at 1 %."""
        return not (self.mean_p_value < DOUBTFUL or self.ks_p_value < DOUBTFUL)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, with the expected mean and the verdict."""
        return {**super().to_dict(), "expected_mean": NULL_MEAN, "calibrated": self.calibrated}


def check_roles(
    exposure: Exposure, inserted: ArrayLike, role: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Check numbers of insertions and roles of canaries, one of each per exposure.

    Raises
    ------
    InvalidInput
        If their shape is wrong, numbers are not counts, a role is neither "canary" nor "control",
        or a control was inserted.
    """
    counts, roles = np.asarray(inserted), np.asarray(role)
    for name, array in (("inserted", counts), ("role", roles)):
        if array.shape != (len(exposure),):
            raise InvalidInput(f"{name} must have shape {(len(exposure),)}; got {array.shape}")
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise InvalidInput("inserted must be whole numbers of at least 0")
    unknown = sorted(set(roles.tolist()) - set(ROLES))
    if unknown:
        raise InvalidInput(f"role must be one of {', '.join(ROLES)}; got {unknown[0]!r}")
    wrong = int(((roles == "control") & (counts > 0)).sum())
    if wrong:
        raise InvalidInput(f"controls must not be inserted; {wrong} of them are")
    return counts, roles


def by_insertions(exposure: Exposure, inserted: ArrayLike) -> tuple[Level, ...]:
    """Summarize canaries by increasing number of insertions; inserted: (n,) counts.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> references = np.random.default_rng(0).normal(30, 3, 1000)
    >>> exposure = byrote.exposure.estimate_exposure([32.0, 15.0, 21.0], references)
    >>> [(level.insertions, level.saturated) for level in by_insertions(exposure, [0, 4, 4])]
    [(0, 0), (4, 1)]
    """
    counts = np.asarray(inserted)
    return tuple(_level(exposure, int(level), counts == level) for level in np.unique(counts))


def mean_exposure(
    bits: ArrayLike,
    secret: ArrayLike,
    saturated: ArrayLike = False,
    *,
    maximum: ArrayLike | None = None,
) -> Estimate:
    """Average exposures, or differences, in bits, with Student's 95 % interval over secrets.

    A secret that occurs several times, as in several fits, is one draw. NaN values are left out; if
    some are lower bounds the mean is one too, and has no interval. With ``maximum``, the largest
    possible exposures, (n,) or one for all (NaN: unknown), the interval ends at 0 and at their
    mean, beyond which no mean exposure lies.

    Examples
    --------
    >>> bits, secrets = [1.0, 1.0, 3.0, 3.0, 5.0, 5.0], [*"aabbcc"]  # three secrets, not six
    >>> average = mean_exposure(bits, secrets)
    >>> average.value, round(average.low, 3), round(average.high, 3)
    (3.0, -1.968, 7.968)
    >>> mean_exposure(bits, secrets, maximum=6.64).interval
    (0.0, 6.64)
    """
    values = np.asarray(bits, np.float64)
    known = ~np.isnan(values)
    average = mean(values[known], np.asarray(secret)[known], units="secrets")
    if not np.any(saturated):
        if maximum is None or not known.any():
            return average
        largest = np.broadcast_to(np.asarray(maximum, np.float64), values.shape)[known]
        return average.within(0.0, float(largest.mean()))
    why = FLOORS.format(np.count_nonzero(saturated), len(values))
    return Estimate(average.value, bound="at least", reason=why)


def _level(exposure: Exposure, insertions: int, which: NDArray[np.bool_]) -> Level:
    bits, saturated, secret, maximum = (
        each[which] for each in (exposure.bits, exposure.saturated, exposure.ids, exposure.maximum)
    )
    known = bits[~np.isnan(bits)]
    average = mean_exposure(bits, secret, saturated, maximum=maximum)
    return Level(
        insertions=insertions,
        canaries=len(bits),
        estimated=len(known),
        saturated=int(saturated.sum()),
        mean=average.value,
        median=float(np.median(known)) if len(known) else np.nan,
        low=average.low,
        high=average.high,
        p_value=combined_p_value(exposure.p_value[which], secret),
    )


def check_controls(exposure: Exposure, inserted: ArrayLike) -> Controls:
    """Test the exposures of canaries never inserted against the null; inserted: (n,) counts.

    Both tests assume that each exposure has its own references, and many: with fewer than about 100
    the mean under the null is below 1.44. A secret that is a control in several fits counts in the
    first of them, since its ranks are not independent. Nothing is tested if a search ended before
    some control, whose rank then has only bounds.

    Examples
    --------
    >>> import byrote, numpy as np
    >>> draws = np.random.default_rng(0).normal(30, 3, 1200)
    >>> test = byrote.exposure.estimate_exposure(draws[:200], draws[200:])
    >>> check_controls(test, np.zeros(200, int)).calibrated
    True
    """
    from scipy.stats import kstest  # noqa: PLC0415 (slow to load)

    never = _controls(exposure, np.asarray(inserted) == 0)
    bits, p_values = exposure.bits[never], exposure.p_value[never]
    n, ks, ks_p_value, mean_p_value = len(never), np.nan, np.nan, np.nan
    bounds = exposure.saturated[never] & np.isnan(exposure.rank[never])
    if n and not bounds.any():
        test = kstest(p_values, "uniform")
        ks, ks_p_value = float(test.statistic), float(test.pvalue)
        total = max(0.0, float(bits.sum())) * np.log(2)  # of n exponentials: gamma distributed
        tails = float(gammainc(n, total)), float(gammaincc(n, total))
        mean_p_value = min(1.0, 2 * min(tails))
    return Controls(
        controls=n,
        mean=float(bits.mean()) if n else np.nan,
        mean_p_value=mean_p_value,
        ks=ks,
        ks_p_value=ks_p_value,
    )


def _controls(exposure: Exposure, never: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows of controls with an exposure and a p-value, the first of each secret."""
    known = np.flatnonzero(never & ~np.isnan(exposure.bits) & ~np.isnan(exposure.p_value))
    _, first = np.unique(exposure.ids[known], return_index=True)
    return known[np.sort(first)]
