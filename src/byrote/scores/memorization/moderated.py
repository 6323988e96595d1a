"""The moderated test of every record of a table, with a negative control from the same run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from byrote import seeds
from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.scores.memorization.comparisons import Comparisons, Part, comparisons
from byrote.scores.memorization.control_values import ControlValues
from byrote.scores.memorization.in_out import numbered
from byrote.stats.moderated_test import (
    Contrast,
    VariancePrior,
    detectable_effect,
    fit_prior,
    moderated_t,
)
from byrote.stats.multiple_testing import exceeded_by_at_least, q_values
from byrote.stats.negative_control import ENDLESS, Control, joint_critical, upper_tail
from byrote.stats.rows import groups
from byrote.stats.threads import for_each, in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Source = Literal["bystanders", "permuted memberships"]
Compared = Sequence[tuple[Indices, Control]]

SIGNIFICANCE = 0.05  # false discovery rate at which a record counts as memorized
POWER = 0.8  # with which a detectable effect is found
LEAST_RECORDS = 10  # whose variances make a prior
_STEPS = 5  # times that found records leave a control
_NEEDED, ENOUGH = 100, 1200  # control values per record
_CHEAP, _MOST = 3 * 10**6, 2 * 10**7  # control values in all
_ROUNDING = 1e-10  # share of a p-value
_NO_CONTROL = Control([])
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
        All control values; None where the test cannot be had for any record.
    compared
        Places of the tested records with as many values in and out, and the control values that
        these are compared with.
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
    compared: Compared = ()
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
        limit below it. Infinite where the control is too small to tell: a record with fewer than
        1 / tail memberships may have the most extreme of them by chance. NaN where a record has no
        moderated test.
        """
        limited = self._limited(tail)
        rows, single = _rows(limited), tail / max(1, len(_rows(limited)))

        def reach(*, upper: bool) -> Array:
            far = np.where(np.isnan(self.p_value), np.nan, np.inf)
            far[rows] = self._reach(rows, _critical(limited, single, upper=upper))
            return far

        return self.effect - reach(upper=False), self.effect + reach(upper=True)

    def largest_is_above(self, tail: float) -> tuple[float, int]:
        """Positive lower limit of the largest effect, nats, too high with probability ``tail``.

        By Simes' test (1986) of records with limits, or else of all: several clear effects pass it
        where the control is too small for one; -inf if none do. Beside it the surest row, or -1.
        """
        compared = self._limited(tail) or self.compared
        positive = [(rows[self._lower(rows, each, tail) > 0], each) for rows, each in compared]
        size = sum(len(control) for _, control in positive)
        if not len(rows := _rows(positive)):
            return -np.inf, -1

        def lower(single: float) -> Array:
            parts = in_order(lambda each: self._lower(*each, single), positive, size=size)
            return np.concatenate([*parts])

        surest = int(rows[np.argmax(lower(tail))])
        return exceeded_by_at_least(lower, len(_rows(compared)), 1, tail), surest

    def _lower(self, rows: Indices, control: Control, tail: float) -> Array:
        """Each row's own lower limit, too high with probability ``tail``."""
        return self.effect[rows] - self._reach(rows, control.critical(tail))

    def _limited(self, tail: float) -> Compared:
        return [(rows, each) for rows, each in self.compared if len(rows) <= tail * len(each)]

    def _reach(self, rows: Indices, critical: float) -> Array:
        """Return how far from effects of rows the limits are whose p-value is critical."""
        if not critical > 0:
            return np.full(len(rows), np.inf)
        degrees, place = np.unique(self.degrees[rows], return_inverse=True)
        quantile = -stdtrit(np.minimum(degrees, ENDLESS), critical)
        return np.asarray(self.standard_error[rows] * quantile[place])


def _rows(compared: Compared) -> Indices:
    return np.concatenate([np.empty(0, np.intp), *(rows for rows, _ in compared)])


def _critical(compared: Compared, tail: float, *, upper: bool = False) -> float:
    """Return the largest p-value that these records have with at most this probability."""
    if not compared:
        return 0.0
    total = sum(len(rows) for rows, _ in compared)
    shares = [len(rows) / total for rows, _ in compared]
    return joint_critical([each for _, each in compared], shares, tail, upper=upper)


class _Unavailable(Exception):
    """Why the moderated test cannot be had."""


def moderated_test(table: Table, seed: int, *, control_values: int = ENOUGH) -> Discovery:
    """Test every record of a table.

    ``seed`` draws the control; ``control_values`` is its size, per record, where that costs little.
    """
    try:
        if not table.design.randomized:
            raise _Unavailable("the plan's membership is not known to be random")
        return _discovery(comparisons(table), seed, control_values)
    except _Unavailable as reason:
        return Discovery.unavailable(table, str(reason))


def _discovery(values: Comparisons, seed: int, enough: int) -> Discovery:
    records, contrast = _joined(values.contrasts())
    if len(records) < LEAST_RECORDS:
        raise _Unavailable(
            f"fewer than {LEAST_RECORDS} records have finite, varying values in {values.NEEDED}"
        )
    bystanders = values.bystanders()
    draws = _draws(len(records), len(bystanders) or len(records), enough)
    shapes = _shapes(values.table, one=len(bystanders) > 0)
    parts: list[Part] = []
    if len(bystanders):
        generator = seeds.generator(seed, seeds.Purpose.CONTROL)
        parts = list(values.null_of_bystanders(bystanders, records, draws, generator))
    prior = _prior(contrast, *(part for _, part in parts))
    t, p = _student(contrast, prior)
    columns = np.full((4, len(values.table.rows)), np.nan)
    for column, known in zip(columns[1:], _effects(contrast, prior), strict=True):
        column[records] = known
    del contrast  # of the memory that millions of records take, before the control takes more
    if parts:
        null = ControlValues.of_bystanders(parts, prior)
    else:
        candidates = np.zeros(len(shapes), np.bool_)  # calibration makes no p-value smaller
        candidates[records] = q_values(p) <= SIGNIFICANCE
        null = ControlValues.of_records(values, prior, shapes, candidates, draws, seed)
    if not null.sets:
        raise _Unavailable("no other membership is possible, so there is no negative control")
    control, compared, p_value = _calibrate(t, p, records, shapes, null)
    columns[0, records] = p_value
    source: Source = "bystanders" if parts else "permuted memberships"
    p_value, effect, error, degrees = columns
    return Discovery(p_value, effect, error, degrees, control, compared, prior, source)


def _effects(contrast: Contrast, prior: VariancePrior) -> tuple[Array, Array, Array]:
    """Return effects, their moderated standard errors, and the degrees of freedom of these."""
    variance, degrees = prior.moderate(contrast)
    return contrast.effect, np.sqrt(variance / contrast.precision), degrees


def _student(contrast: Contrast, prior: VariancePrior) -> tuple[Array, Array]:
    """Compute t- and p-values by Student's law.

    Control values of equal data differ from a record's by rounding: they are to count as equal.
    """
    t, degrees = moderated_t(contrast, prior)
    return t, np.minimum(1.0, upper_tail(t, degrees) * (1 + _ROUNDING))


def _joined(parts: Iterable[Part]) -> Part:
    listed = list(parts)
    records = np.concatenate([np.empty(0, np.intp), *(records for records, _ in listed)])
    return records, Contrast.concatenate([contrast for _, contrast in listed])


def _calibrate(
    t: Array, p: Array, records: Indices, shapes: Indices, null: ControlValues
) -> tuple[Control, list[tuple[Indices, Control]], Array]:
    """Calibrate p-values by control values, without those of records that are found themselves.

    Their values would be far apart under many memberships. ``t`` and ``p`` are those of the records
    by Student's law. ``shapes`` (r,) numbers the counts of values in and out: a record with few
    values on a side has another law than one with many, so it is compared with control values of
    its own shape. Bystanders serve all records and so make all shapes one.
    """
    found = np.zeros(len(shapes), np.bool_)
    found[records] = p * len(p) <= SIGNIFICANCE  # at first by Student's law alone
    members = {n: places for n, places in enumerate(groups(shapes[records])) if len(places)}
    controls: dict[int, Control] = {}
    p_value = np.empty(len(p))

    def calibrate(shape: int) -> None:
        control, places = controls.get(shape, _NO_CONTROL), members[shape]
        p_value[places] = control.calibrate(p[places], t[places])

    for _ in range(_STEPS):
        before = found.copy()
        controls.update(null.controls(found))
        for_each(calibrate, members, size=len(p))
        found[records] = q_values(p_value) <= SIGNIFICANCE
        if (found == before).all():
            break
    control = Control.joined(controls.values())
    if (below := control.share_below(0.01)) > _MOST_BELOW:
        raise _Unavailable(
            f"{below:.0%} of the p-values of the negative control are below 1 %: values are too"
            " far from normal, or most records are memorized"
        )
    compared = [
        (records[places], controls.get(shape, _NO_CONTROL)) for shape, places in members.items()
    ]
    return control, compared, p_value


def _shapes(table: Table, *, one: bool) -> Indices:
    """(r,) numbers of the counts of values in and out; all the same if there is to be one."""
    if one:
        return np.zeros(len(table.rows), np.intp)
    counts = np.zeros((2, len(table.rows)), np.int32)
    for fit in np.flatnonzero(table.counting()):
        counts += table.roles()[fit] == np.array([[IN], [OUT]])
    return numbered(counts.T)


def _draws(tested: int, control: int, enough: int) -> int:
    """Number of draws of the control that limits of all records need, or that can be afforded.

    More of them, where they cost little, let a clear discovery have a small p-value.
    """
    wanted = min(enough * tested, max(_CHEAP, min(_NEEDED * tested, _MOST)))
    return max(1, -(-wanted // control))


def _prior(*contrasts: Contrast) -> VariancePrior:
    joined = contrasts[0] if len(contrasts) == 1 else Contrast.concatenate(contrasts)
    return fit_prior(joined.variance, joined.degrees)
