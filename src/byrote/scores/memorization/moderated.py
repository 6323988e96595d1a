"""The moderated test of every record of a table, with a negative control from the same run."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from byrote import seeds
from byrote.runs.table import Table
from byrote.scores.memorization.comparisons import Comparisons, comparisons
from byrote.stats.moderated_test import (
    ENDLESS,
    Contrast,
    Control,
    VariancePrior,
    detectable_effect,
    fit_prior,
    student_p_values,
)

Array = NDArray[np.float64]
Source = Literal["bystanders", "fits in training"]

POWER = 0.8  # with which a detectable effect is found
LEAST_RECORDS = 10  # whose variances make a prior
_LEAST_CONTROLLED = 0.5  # share of the tested records that the control must hold
_NEEDED, ENOUGH = 100, 1200  # control values per record
_CHEAP, _MOST = 3 * 10**6, 2 * 10**7  # control values in all
_MOST_BELOW = 0.1  # share of control p-values below 0.01 beyond which Student's law is useless


@dataclass(frozen=True, eq=False)
class Discovery:
    """The moderated test of r records.

    Attributes
    ----------
    p_value
        (r,) one-sided, calibrated; NaN where the test cannot be had: too few fits on a side, a
        density of zero, or no spread.
    effect, standard_error, degrees
        (r,) difference between a record's values in and out of training, nats, fits of better
        quality weighing more; its moderated standard error, and the degrees of freedom of that.
    control
        None where the test cannot be had for any record.
    source
        What the control consists of.
    prior
        How variances differ over records, and their typical size.
    reason
        Why the test cannot be had for any record; empty where it can.
    """

    p_value: Array
    effect: Array
    standard_error: Array
    degrees: Array
    control: Control | None = None
    prior: VariancePrior | None = None
    source: Source | None = None
    reason: str = ""

    @classmethod
    def unavailable(cls, table: Table, reason: str) -> "Discovery":
        """Make the result where no record can be tested."""
        nan = np.full(len(table.rows), np.nan)
        return cls(nan, nan, nan, nan, reason=reason)

    def detectable(self, level: float, quantile: float = 0.5) -> float:
        """Effect, nats, found with 80 % power in a record at this quantile of standard errors.

        ``level``: the p-value that makes a discovery. Infinite where no effect would be found.
        """
        known = ~np.isnan(self.standard_error)
        if self.control is None or not known.any():
            return float("inf")
        error = float(np.quantile(self.standard_error[known], quantile))
        degrees = float(np.median(self.degrees[known]))
        return error * detectable_effect(self.control.critical(level), degrees, POWER)

    def limits(self, tail: float) -> tuple[Array, Array]:
        """Simultaneous confidence limits of all tested records, (r,) each, nats.

        Some lower limit is above its record's true effect with probability ``tail``, and some upper
        limit below it. Infinite where the control is too small to tell, NaN where a record has no
        moderated test.
        """
        tested = max(1, int(np.count_nonzero(~np.isnan(self.p_value))))
        share = tail / tested
        return (
            self.effect - self._reach(share, upper=False),
            self.effect + self._reach(share, upper=True),
        )

    def _reach(self, tail: float, *, upper: bool) -> Array:
        critical = 0.0 if self.control is None else self.control.critical(tail, upper=upper)
        if critical == 0:
            return np.where(np.isnan(self.p_value), np.nan, np.inf)
        degrees, place = np.unique(self.degrees, return_inverse=True)
        return self.standard_error * -stdtrit(np.minimum(degrees, ENDLESS), critical)[place]


class _Unavailable(Exception):
    """Why the moderated test cannot be had."""


def moderated_test(table: Table, seed: int, *, control_values: int = ENOUGH) -> Discovery:
    """Test every record of a table.

    ``seed`` draws the control; ``control_values`` is its size, per record, where that costs little.
    """
    generator = seeds.generator(seed, seeds.Purpose.CONTROL)
    try:
        if not table.design.randomized:
            raise _Unavailable("the plan's membership is not known to be random")
        return _discovery(comparisons(table), generator, control_values)
    except _Unavailable as reason:
        return Discovery.unavailable(table, str(reason))


def _discovery(values: Comparisons, generator: np.random.Generator, enough: int) -> Discovery:
    bystanders = values.bystanders()
    parts = list(values.contrasts(controlled=len(bystanders) > 0))
    records = np.concatenate([np.empty(0, np.intp), *(place for place, _ in parts)])
    if len(records) < LEAST_RECORDS:
        raise _Unavailable(
            f"fewer than {LEAST_RECORDS} records have finite, varying values in {values.NEEDED}"
        )
    contrast = Contrast.concatenate([contrast for _, contrast in parts])
    source: Source = "bystanders" if len(bystanders) else "fits in training"
    draws = _draws(len(records), len(bystanders) or len(records), enough)
    if len(bystanders):
        null = Contrast.concatenate(
            values.null_of_bystanders(bystanders, records, draws, generator)
        )
        prior = null_prior = _prior(contrast, null)
    else:
        null = Contrast.concatenate(values.null_of_members(draws, generator))
        if len(null.effect) < draws * max(LEAST_RECORDS, _LEAST_CONTROLLED * len(records)):
            raise _Unavailable("most records have equal values where they are trained on")
        prior, null_prior = _prior(contrast), _prior(null)
    control = _control(null, null_prior)
    variance, degrees = prior.moderate(contrast)
    columns = np.full((4, len(values.table.rows)), np.nan)
    columns[:, records] = (
        control.calibrate(student_p_values(contrast, prior)),
        contrast.effect,
        np.sqrt(variance / contrast.precision),
        degrees,
    )
    p_value, effect, standard_error, degrees = columns
    return Discovery(p_value, effect, standard_error, degrees, control, prior, source)


def _draws(tested: int, control: int, enough: int) -> int:
    """Number of draws of the control that limits of all records need, or that can be afforded.

    More of them, where they cost little, let a clear discovery have a small p-value.
    """
    wanted = min(enough * tested, max(_CHEAP, min(_NEEDED * tested, _MOST)))
    return max(1, -(-wanted // control))


def _prior(*contrasts: Contrast) -> VariancePrior:
    joined = Contrast.concatenate(contrasts)
    return fit_prior(joined.variance, joined.degrees)


def _control(null: Contrast, prior: VariancePrior) -> Control:
    control = Control(np.sort(student_p_values(null, prior)))
    if (below := control.share_below(0.01)) > _MOST_BELOW:
        raise _Unavailable(
            f"{below:.0%} of the p-values of the negative control are below 1 %: values"
            " are too far from normal"
        )
    return control
