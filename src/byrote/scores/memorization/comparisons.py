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
    sign_contrasts,
    skewness_of_difference,
    split_contrasts,
    two_sample_contrast,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
Generator = np.random.Generator
Part = tuple[Indices, Contrast]  # places of records, and their contrasts

LEAST_BYSTANDERS = 100
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
        self, values: Array, weight: Array, split: int, draws: int, generator: Generator
    ) -> Contrast:
        """Compare (m, c) values of fits that trained on a record with ``split`` others of them."""

    @abstractmethod
    def compare_fits(self, values: Array, members: Flags) -> Contrast:
        """Compare (m, F) values of all fits by each of (k, F) memberships."""

    def contrasts(self, *, controlled: bool) -> Iterator[Part]:
        """Compare records in and out of training, where a control allows it."""
        for records, block in in_out_blocks(self.table, self.order):
            if min(block.counts) and (controlled or self.split_of(block)):
                varies = _vary(block.inside.values) | _vary(block.outside.values)
                contrast = self.compare(block)
                tested = varies & (contrast.variance > 0)
                yield records[tested], contrast.take(tested)

    def null_of_members(self, draws: int, generator: Generator) -> Iterator[Contrast]:
        """Compare fits that all trained on a record, as if some had not."""
        for _, block in in_out_blocks(self.table, self.order):
            if not min(block.counts) or not (split := self.split_of(block)):
                continue
            varies = _vary(block.inside.values)
            values = (block.inside.values - self.shift[block.fit_in])[varies]
            weight = self.weight[block.fit_in][varies]
            for rows in _pieces(len(values), draws):
                piece = values[rows], weight[rows]
                yield _with_spread(self.compare_members(*piece, split, draws, generator))

    def null_of_bystanders(
        self, bystanders: Array, records: Indices, draws: int, generator: Generator
    ) -> Iterator[Contrast]:
        """Compare fits that all trained on a bystander, as if its roles were those of records."""
        members = self.table.roles()[self.order.fits] == IN
        bystanders = bystanders[_vary(bystanders)] - self.shift
        for rows in _pieces(len(bystanders), draws):
            roles = members[:, generator.choice(records, draws)].T
            yield _with_spread(self.compare_fits(bystanders[rows], roles))


def _pieces(m: int, draws: int) -> Iterator[slice]:
    """Cut m rows so that all draws of a piece fit into memory."""
    size = max(1, _BLOCK // draws)
    for start in range(0, m, size):
        yield slice(start, start + size)


class _OfFits(Comparisons):
    NEEDED = "at least 2 fits on each side"

    def split_of(self, block: InOutBlock) -> int:
        return control_split(*block.counts)

    def compare(self, block: InOutBlock) -> Contrast:
        values = np.concatenate([block.inside.values, block.outside.values], axis=1)
        fit = np.concatenate([block.fit_in, block.fit_out], axis=1)
        member = np.arange(values.shape[1]) < block.counts[0]
        block_of_fit = np.concatenate([block.group_in, block.group_out])
        return two_sample_contrast(
            values - self.shift[fit], member, self.weight[fit], block_of_fit
        )

    def compare_members(
        self, values: Array, weight: Array, split: int, draws: int, generator: Generator
    ) -> Contrast:
        first = np.broadcast_to(np.arange(values.shape[1]) >= split, (draws, values.shape[1]))
        return split_contrasts(values, generator.permuted(first, axis=1), weight)

    def compare_fits(self, values: Array, members: Flags) -> Contrast:
        return split_contrasts(values, members, np.broadcast_to(self.weight, values.shape))


class _OfPairs(Comparisons):
    NEEDED = "at least 4 pairs of fits"

    def split_of(self, block: InOutBlock) -> int:
        return control_pairs(block.counts[0])

    def compare(self, block: InOutBlock) -> Contrast:
        inside, outside = block.pairs()
        difference = inside - self.shift[block.fit_in] - outside + self.shift[block.fit_out]
        weight = _of_difference(self.weight[block.fit_in], self.weight[block.fit_out])
        return one_sample_contrast(difference, weight)

    def compare_members(
        self, values: Array, weight: Array, split: int, draws: int, generator: Generator
    ) -> Contrast:
        columns = np.broadcast_to(np.arange(values.shape[1]), (draws, values.shape[1]))
        order = generator.permuted(columns, axis=1)
        first, second = order[:, :split], order[:, split : 2 * split]
        difference = values[:, first] - values[:, second]
        weight = _of_difference(weight[:, first], weight[:, second])
        return one_sample_contrast(difference.reshape(-1, split), weight.reshape(-1, split))

    def compare_fits(self, values: Array, members: Flags) -> Contrast:
        difference = values[:, ::2] - values[:, 1::2]
        weight = _of_difference(self.weight[::2], self.weight[1::2])
        signs = np.where(members[:, ::2], 1.0, -1.0)
        return sign_contrasts(difference, signs, np.broadcast_to(weight, difference.shape))


def _of_difference(first: Array, second: Array) -> Array:
    """Weights of differences of values that have these weights."""
    return first * second / (first + second)


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


def _with_spread(contrast: Contrast) -> Contrast:
    return contrast.take(contrast.variance > 0)
