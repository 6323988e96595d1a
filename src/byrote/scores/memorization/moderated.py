"""The moderated test of every record of a table, with a negative control from the same run.

Log-likelihoods are first made comparable over fits, without a look at who trained on what: the
median deviation of a fit is subtracted from its values, and fits that scatter more weigh less.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.plans import IN
from byrote.runs.table import Table
from byrote.scores.memorization.in_out import FitOrder, InOutBlock, in_out_blocks
from byrote.stats.moderated_test import (
    Contrast,
    Control,
    VariancePrior,
    detectable_effect,
    fit_prior,
    one_sample_contrast,
    skewness_of_difference,
    student_p_values,
    two_sample_contrast,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Generator = np.random.Generator
Source = Literal["bystanders", "fits in training"]
Part = tuple[Indices, Contrast]  # places of records, and their contrasts

POWER = 0.8  # with which a detectable effect is found
_LEAST_RECORDS = 10  # whose variances make a prior
_LEAST_BYSTANDERS = 100
_OVERSAMPLING = 40  # control values per record: twice what one discovery needs at q = .05
_MOST_VALUES = 2 * 10**8  # log-likelihoods in all draws of the control
_PATTERNS = 1024  # random splits of the fits of a block, shared by its records
_SAMPLED_ROWS = 20_000  # from which the level and the scatter of fits are estimated
_LEAST_FITS_WEIGHTED, _LEAST_ROWS_WEIGHTED = 6, 50
_LEAST_SCATTER = 0.1  # of the median fit's: no fit decides alone
_LEAST_MEMBERS = 3  # values whose spread a control can estimate
_BLOCK = 1 << 20  # values computed on at a time
_AS_SKEWED, _AS_SKEWED_SINGLE = 0.975, 0.99  # a control, relative to the test (docs/levels.md)
_MOST_BELOW = 0.1  # share of control p-values below 0.01 beyond which Student's law is useless


@dataclass(frozen=True, eq=False)
class Discovery:
    """The moderated test of r records.

    Attributes
    ----------
    p_value
        (r,) one-sided, calibrated; NaN where the test cannot be had: too few fits on a side, a
        density of zero, or no spread.
    standard_error, degrees
        (r,) moderated standard error of a record's effect, nats, and its degrees of freedom.
    control
        None where the test cannot be had for any record.
    source
        What the control consists of.
    reason
        Why the test cannot be had for any record; empty where it can.
    """

    p_value: Array
    standard_error: Array
    degrees: Array
    control: Control | None = None
    source: Source | None = None
    reason: str = ""

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


class _Unavailable(Exception):
    """Why the moderated test cannot be had."""


def moderated_test(table: Table, seed: int) -> Discovery:
    """Test every record of a table; ``seed`` draws the control."""
    generator = seeds.generator(seed, seeds.Purpose.CONTROL)
    nan = np.full(len(table.rows), np.nan)
    try:
        if not table.design.randomized:
            raise _Unavailable("the plan's membership is not known to be random")
        kind = _Paired if table.design.units == "pairs" else _Unpaired
        return _discovery(kind.of(table), generator)
    except _Unavailable as reason:
        return Discovery(nan, nan, nan, reason=str(reason))


def _discovery(values: "_Values", generator: Generator) -> Discovery:
    bystanders = values.bystanders()
    records, contrast = _joined(values.contrasts(controlled=len(bystanders) > 0))
    if len(records) < _LEAST_RECORDS:
        raise _Unavailable(
            f"fewer than {_LEAST_RECORDS} records have finite, varying log-likelihoods in"
            f" {values.NEEDED}"
        )
    source: Source = "bystanders" if len(bystanders) else "fits in training"
    size = len(bystanders) if len(bystanders) else len(records)
    draws = _draws(len(records), size, len(values.order.fits))
    if len(bystanders):
        null = _joined(values.null_of_bystanders(bystanders, records, draws, generator))[1]
        prior = null_prior = _prior(contrast, null)
    else:
        null = _joined(values.null_of_members(draws, generator))[1]
        prior, null_prior = _prior(contrast), _prior(null)
    control = Control(np.sort(student_p_values(null, null_prior)))
    if (below := control.share_below(0.01)) > _MOST_BELOW:
        raise _Unavailable(
            f"{below:.0%} of the p-values of the negative control are below 1 %: log-likelihoods"
            " are too far from normal"
        )
    variance, degrees = prior.moderate(contrast)
    p_value, error, degrees_of = np.full((3, len(values.table.rows)), np.nan)
    p_value[records] = control.calibrate(student_p_values(contrast, prior))
    error[records] = np.sqrt(variance / contrast.precision)
    degrees_of[records] = degrees
    return Discovery(p_value, error, degrees_of, control, source)


def _draws(tested: int, control: int, fits: int) -> int:
    """Number of draws of the control that one discovery needs, or that can be afforded."""
    wanted = -(-_OVERSAMPLING * tested // control)
    return max(1, min(wanted, _MOST_VALUES // (control * fits)))


def _prior(*contrasts: Contrast) -> VariancePrior:
    joined = Contrast.concatenate(contrasts)
    return fit_prior(joined.variance, joined.degrees)


def _joined(parts: Iterable[Part]) -> Part:
    nothing = np.empty(0)
    every = [(nothing.astype(np.intp), Contrast(nothing, nothing, nothing, nothing)), *parts]
    records, contrasts = zip(*every, strict=True)
    return np.concatenate(records), Contrast.concatenate(contrasts)


@dataclass(frozen=True, eq=False)
class _Values(ABC):
    """Log-likelihoods of a table that are comparable over fits.

    shift, weight: (F,) common deviation of each fit's values from those of the others, and their
    precision.
    """

    table: Table
    order: FitOrder
    shift: Array
    weight: Array
    NEEDED: ClassVar[str]

    @classmethod
    def of(cls, table: Table) -> Self:
        """Estimate level and scatter of fits by records that all of them scored, in or out."""
        order = FitOrder.of(table)
        step = max(1, len(table.rows) // _SAMPLED_ROWS)
        values = table.log_prob[order.fits, ::step]
        values = values[:, np.isfinite(values).all(axis=0)]
        fits, rows = values.shape
        if rows < 2:
            return cls(table, order, np.zeros(fits), np.ones(fits))
        values = values - np.median(values, axis=0)
        shift = np.median(values, axis=1)
        deviations = np.abs(values - shift[:, None])
        typical = np.median(deviations, axis=0)
        varies = typical > 0
        if fits < _LEAST_FITS_WEIGHTED or varies.sum() < _LEAST_ROWS_WEIGHTED:
            return cls(table, order, shift, np.ones(fits))
        scatter = np.median(deviations[:, varies] / typical[varies], axis=1)
        relative = np.maximum(scatter / np.median(scatter), _LEAST_SCATTER)
        return cls(table, order, shift, relative**-2)

    def bystanders(self) -> Indices:
        """Find records that every fit trains on, which are a control of full size if many."""
        roles = self.table.roles()[self.order.fits]
        rows = np.flatnonzero((roles == IN).all(axis=0))
        return rows if len(rows) >= _LEAST_BYSTANDERS else rows[:0]

    @abstractmethod
    def split_of(self, block: InOutBlock) -> int:
        """Choose how many of a record's fits in training stand for held-out ones; 0 for none."""

    @abstractmethod
    def compare(self, block: InOutBlock) -> Contrast:
        """Compare records in and out of training."""

    @abstractmethod
    def compare_members(self, block: InOutBlock, split: int, generator: Generator) -> Contrast:
        """Compare fits that trained on a record with ``split`` others that did, at random."""

    @abstractmethod
    def compare_fits(self, values: Array, member: Flags) -> Contrast:
        """Compare (m, F) values of all fits by a given membership."""

    def contrasts(self, *, controlled: bool) -> Iterator[Part]:
        """Compare records in and out of training, where a control allows it."""
        for records, block in in_out_blocks(self.table, self.order):
            if min(block.counts) and (controlled or self.split_of(block)):
                yield from _varying(records, self.compare(block))

    def null_of_members(self, draws: int, generator: Generator) -> Iterator[Part]:
        """Compare fits that all trained on a record, as if some had not."""
        for records, block in in_out_blocks(self.table, self.order):
            split = self.split_of(block) if min(block.counts) else 0
            for _ in range(draws if split else 0):
                yield from _varying(records, self.compare_members(block, split, generator))

    def null_of_bystanders(
        self, bystanders: Indices, records: Indices, draws: int, generator: Generator
    ) -> Iterator[Part]:
        """Compare fits that all trained on a bystander, as if its role were that of a record."""
        members = self.table.roles()[self.order.fits] == IN
        size = max(1, _BLOCK // len(self.order.fits))
        for rows in np.split(bystanders, range(size, len(bystanders), size)):
            values = self.table.log_prob[np.ix_(self.order.fits, rows)].T - self.shift
            for _ in range(draws):
                role = members[:, generator.choice(records, len(rows))].T
                yield from _varying(rows, self.compare_fits(values, role))


class _Unpaired(_Values):
    NEEDED = "at least 2 fits on each side"

    def split_of(self, block: InOutBlock) -> int:
        a, b = block.counts
        return control_split(a, b)

    def compare(self, block: InOutBlock) -> Contrast:
        values = np.concatenate([block.inside.values, block.outside.values], axis=1)
        fit = np.concatenate([block.fit_in, block.fit_out], axis=1)
        member = np.arange(values.shape[1]) < block.counts[0]
        return two_sample_contrast(
            values - self.shift[fit], np.broadcast_to(member, values.shape), self.weight[fit]
        )

    def compare_members(self, block: InOutBlock, split: int, generator: Generator) -> Contrast:
        values, fit = block.inside.values, block.fit_in
        patterns = generator.permuted(
            np.broadcast_to(np.arange(fit.shape[1]) >= split, (_PATTERNS, fit.shape[1])), axis=1
        )
        member = patterns[generator.integers(_PATTERNS, size=len(values))]
        return two_sample_contrast(values - self.shift[fit], member, self.weight[fit])

    def compare_fits(self, values: Array, member: Flags) -> Contrast:
        return two_sample_contrast(values, member, np.broadcast_to(self.weight, values.shape))


class _Paired(_Values):
    NEEDED = "at least 4 pairs of fits"

    def split_of(self, block: InOutBlock) -> int:
        return block.counts[0] // 2

    def compare(self, block: InOutBlock) -> Contrast:
        inside, outside = (
            (values - self.shift[fit], self.weight[fit])
            for values, fit in zip(block.pairs(), (block.fit_in, block.fit_out), strict=True)
        )
        return _difference_contrast(inside, outside)

    def compare_members(self, block: InOutBlock, split: int, generator: Generator) -> Contrast:
        values, fit = block.inside.values, block.fit_in
        columns = np.broadcast_to(np.arange(fit.shape[1]), (_PATTERNS, fit.shape[1]))
        order = generator.permuted(columns, axis=1)[generator.integers(_PATTERNS, size=len(values))]
        values = np.take_along_axis(values - self.shift[fit], order, axis=1)
        weight = np.take_along_axis(self.weight[fit], order, axis=1)
        first, second = slice(split), slice(split, 2 * split)
        return _difference_contrast(
            (values[:, first], weight[:, first]), (values[:, second], weight[:, second])
        )

    def compare_fits(self, values: Array, member: Flags) -> Contrast:
        weight = np.broadcast_to(self.weight, values.shape)
        swapped = np.where(member[:, ::2], 1, -1)
        return _difference_contrast(
            (swapped * values[:, ::2], weight[:, ::2]), (swapped * values[:, 1::2], weight[:, 1::2])
        )


def _difference_contrast(inside: tuple[Array, Array], outside: tuple[Array, Array]) -> Contrast:
    """Compare values with values of the same pair; each with their weights."""
    (values_in, weight_in), (values_out, weight_out) = inside, outside
    weight = weight_in * weight_out / (weight_in + weight_out)
    return one_sample_contrast(values_in - values_out, weight)


def control_split(a: int, b: int) -> int:
    """Number of a record's ``a`` fits in training that stand for ``b`` held-out ones; 0 for none.

    Skewed values make false discoveries where one side averages over fewer of them. The control
    must therefore be as skewed as the test; of such splits the most even one is taken.
    """
    target = skewness_of_difference(b, a)
    tolerance = _AS_SKEWED_SINGLE if min(a, b) == 1 else _AS_SKEWED
    faithful = [
        (abs(skewness), k)
        for k in range(1, a)
        if (skewness := skewness_of_difference(k, a - k)) * target >= tolerance * target**2
    ]
    return min(faithful)[1] if faithful and a >= _LEAST_MEMBERS else 0


def _varying(records: Indices, contrast: Contrast) -> Iterator[Part]:
    """Leave out records without a spread, or with infinite values."""
    varies = contrast.variance > 0
    yield records[varies], contrast.take(varies)
