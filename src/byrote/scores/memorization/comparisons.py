"""Comparisons of records over fits, in and out of training, and of controls where nothing differs.

Log-likelihoods are first made comparable over fits, without a look at who trained on what: the
median deviation of a fit is subtracted from its values, and fits that scatter more weigh less.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN
from byrote.runs.table import Table
from byrote.scores.memorization.in_out import FitOrder, InOutBlock, in_out_blocks
from byrote.stats.moderated_test import (
    Contrast,
    one_sample_contrast,
    skewness_of_difference,
    two_sample_contrast,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Generator = np.random.Generator
Part = tuple[Indices, Contrast]  # places of records, and their contrasts

LEAST_BYSTANDERS = 100
_PATTERNS = 1024  # random splits of the fits of a block, shared by its records
_SAMPLED_ROWS = 20_000  # from which the level and the scatter of fits are estimated
_LEAST_FITS_WEIGHTED, _LEAST_ROWS_WEIGHTED = 6, 50
_LEAST_SCATTER = 0.1  # of the median fit's: no fit decides alone
_LEAST_MEMBERS = 3  # values whose spread a control can estimate
_LEAST_PAIRS = 4
_ROUNDING = 1e-9  # of log-likelihoods, below which they do not differ
_BLOCK = 1 << 20  # values computed on at a time
_AS_SKEWED, _AS_SKEWED_SINGLE = 0.975, 0.99  # a control, relative to the test (docs/statistics.md)


def comparisons(table: Table) -> "Comparisons":
    """Return the comparisons that a table allows, by pairs of fits or by single ones."""
    kind = _OfPairs if table.design.units == "pairs" else _OfFits
    return kind.of(table)


@dataclass(frozen=True, eq=False)
class Comparisons(ABC):
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
        sets = [table.log_prob] if table.bystanders is None else [table.log_prob, table.bystanders]
        sampled = [all_[order.fits, :: max(1, all_.shape[1] // _SAMPLED_ROWS)] for all_ in sets]
        values = np.concatenate(sampled, axis=1)
        values = values[:, np.isfinite(values).all(axis=0)]
        fits, rows = values.shape
        if rows < 2:
            return cls(table, order, np.zeros(fits), np.ones(fits))
        shift = np.median(values - values[:1], axis=1)
        values = values - shift[:, None]
        deviations = values - np.median(values, axis=0)
        middle = np.median(deviations, axis=1)
        shift, deviations = shift + middle, np.abs(deviations - middle[:, None])
        typical = np.median(deviations, axis=0)
        varies = typical > 0
        if fits < _LEAST_FITS_WEIGHTED or varies.sum() < _LEAST_ROWS_WEIGHTED:
            return cls(table, order, shift, np.ones(fits))
        scatter = np.median(deviations[:, varies] / typical[varies], axis=1)
        relative = np.maximum(scatter / np.median(scatter), _LEAST_SCATTER)
        return cls(table, order, shift, relative**-2)

    def bystanders(self) -> Array:
        """Return (b, F) values of records that every fit trained on; b is 0 if they are few."""
        always = (self.table.roles()[self.order.fits] == IN).all(axis=0)
        values = self.table.log_prob[np.ix_(self.order.fits, always)]
        if self.table.bystanders is not None:
            values = np.concatenate([values, self.table.bystanders[self.order.fits]], axis=1)
        return values.T if values.shape[1] >= LEAST_BYSTANDERS else values.T[:0]

    @abstractmethod
    def split_of(self, block: InOutBlock) -> int:
        """Choose how many of a record's fits in training stand for held-out ones; 0 for none."""

    @abstractmethod
    def compare(self, block: InOutBlock) -> Contrast:
        """Compare records in and out of training."""

    @abstractmethod
    def compare_members(
        self, values: Array, weight: Array, split: int, generator: Generator
    ) -> Contrast:
        """Compare (m, c) values of fits that trained on a record with ``split`` others of them."""

    @abstractmethod
    def compare_fits(self, values: Array, member: Flags) -> Contrast:
        """Compare (m, F) values of all fits by a given membership."""

    def contrasts(self, *, controlled: bool) -> Iterator[Part]:
        """Compare records in and out of training, where a control allows it."""
        for records, block in in_out_blocks(self.table, self.order):
            if min(block.counts) and (controlled or self.split_of(block)):
                varies = _vary(block.inside.values) | _vary(block.outside.values)
                contrast = self.compare(block)
                yield _tested(records[varies], contrast.take(varies))

    def null_of_members(self, draws: int, generator: Generator) -> Iterator[Part]:
        """Compare fits that all trained on a record, as if some had not."""
        for records, block in in_out_blocks(self.table, self.order):
            split = self.split_of(block) if min(block.counts) else 0
            if not split:
                continue
            varies = _vary(block.inside.values)
            values = (block.inside.values - self.shift[block.fit_in])[varies]
            weight = self.weight[block.fit_in][varies]
            for rows in _repeated(len(values), values.shape[1], draws):
                contrast = self.compare_members(values[rows], weight[rows], split, generator)
                yield _tested(records[varies][rows], contrast)

    def null_of_bystanders(
        self, bystanders: Array, records: Indices, draws: int, generator: Generator
    ) -> Iterator[Part]:
        """Compare fits that all trained on a bystander, as if its role were that of a record."""
        members = self.table.roles()[self.order.fits] == IN
        bystanders = bystanders[_vary(bystanders)] - self.shift
        for rows in _repeated(len(bystanders), len(members), draws):
            role = members[:, generator.choice(records, len(rows))].T
            yield _tested(rows, self.compare_fits(bystanders[rows], role))


def _repeated(m: int, fits: int, draws: int) -> Iterator[Indices]:
    """Rows 0 to m - 1, ``draws`` times, in pieces of bounded size."""
    size = max(1, _BLOCK // fits)
    for start in range(0, m * draws, size):
        yield np.arange(start, min(start + size, m * draws)) % m


class _OfFits(Comparisons):
    NEEDED = "at least 2 fits on each side"

    def split_of(self, block: InOutBlock) -> int:
        return control_split(*block.counts)

    def compare(self, block: InOutBlock) -> Contrast:
        values = np.concatenate([block.inside.values, block.outside.values], axis=1)
        fit = np.concatenate([block.fit_in, block.fit_out], axis=1)
        member = np.arange(values.shape[1]) < block.counts[0]
        return two_sample_contrast(
            values - self.shift[fit], np.broadcast_to(member, values.shape), self.weight[fit]
        )

    def compare_members(
        self, values: Array, weight: Array, split: int, generator: Generator
    ) -> Contrast:
        columns = np.arange(values.shape[1]) >= split
        patterns = generator.permuted(np.broadcast_to(columns, (_PATTERNS, len(columns))), axis=1)
        return two_sample_contrast(
            values, patterns[generator.integers(_PATTERNS, size=len(values))], weight
        )

    def compare_fits(self, values: Array, member: Flags) -> Contrast:
        return two_sample_contrast(values, member, np.broadcast_to(self.weight, values.shape))


class _OfPairs(Comparisons):
    NEEDED = "at least 4 pairs of fits"

    def split_of(self, block: InOutBlock) -> int:
        return control_pairs(block.counts[0])

    def compare(self, block: InOutBlock) -> Contrast:
        inside, outside = (
            (values - self.shift[fit], self.weight[fit])
            for values, fit in zip(block.pairs(), (block.fit_in, block.fit_out), strict=True)
        )
        return _difference_contrast(inside, outside)

    def compare_members(
        self, values: Array, weight: Array, split: int, generator: Generator
    ) -> Contrast:
        columns = np.broadcast_to(np.arange(values.shape[1]), (_PATTERNS, values.shape[1]))
        order = generator.permuted(columns, axis=1)[generator.integers(_PATTERNS, size=len(values))]
        values = np.take_along_axis(values, order, axis=1)
        weight = np.take_along_axis(weight, order, axis=1)
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


def control_pairs(pairs: int) -> int:
    """Number of a record's pairs of fits that make a control; 0 for none."""
    return pairs // 2 if pairs >= _LEAST_PAIRS else 0


def _vary(values: Array) -> Flags:
    """(m,) whether a record's values are finite and differ by more than rounding."""
    with np.errstate(invalid="ignore"):
        spread = np.ptp(values, axis=1)
        return np.asarray(spread > _ROUNDING * (1 + np.abs(values).max(axis=1)))


def _tested(records: Indices, contrast: Contrast) -> Part:
    """Keep records with a spread."""
    tested = contrast.variance > 0
    return records[tested], contrast.take(tested)
