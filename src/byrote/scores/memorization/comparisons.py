"""Comparisons of records over fits, in and out of training, and of controls where nothing differs.

A control's memberships are drawn without regard to what was trained on: those of a record among its
own exchangeable fits, as in the exact test, or those of records for bystanders.

Log-likelihoods are first made comparable over fits, without a look at who trained on what: the
median deviation of a fit is subtracted from its values, and fits that scatter more weigh less.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN
from byrote.runs.table import Table
from byrote.scores.memorization.in_out import FitOrder, InOutBlock, blocks_of_cut, cuts, in_cuts
from byrote.stats.memberships import other_members
from byrote.stats.moderated_test import (
    Contrast,
    one_sample_contrast,
    sign_contrasts,
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
_ROUNDING = 1e-9  # of log-likelihoods, below which they do not differ
_BLOCK = 1 << 20  # values computed on at a time


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
        roles = self.table.roles()
        always = reduce(np.logical_and, (roles[fit] == IN for fit in self.order.fits))
        values = self.table.log_prob[np.ix_(self.order.fits, always)]
        if self.table.bystanders is not None:
            values = np.concatenate([values, self.table.bystanders[self.order.fits]], axis=1)
        return values.T if values.shape[1] >= LEAST_BYSTANDERS else values.T[:0]

    @abstractmethod
    def compare(self, block: InOutBlock) -> Contrast:
        """Compare records in and out of training."""

    @abstractmethod
    def compare_permuted(
        self, block: InOutBlock, draws: int, generator: Generator
    ) -> Iterator[tuple[slice, Contrast]]:
        """Compare a block's records, a few at a time, as if other fits had trained on them."""

    @abstractmethod
    def compare_fits(self, values: Array, members: Flags) -> Contrast:
        """Compare (m, F) values of all fits by each of (k, F) memberships."""

    def contrasts(self) -> Iterator[Part]:
        """Compare records in and out of training; those without spread are left out."""

        def of_cut(cut: slice) -> list[Part]:
            parts = []
            for records, block in blocks_of_cut(self.table, self.order, cut):
                if min(block.counts):
                    contrast = self.compare(block)
                    tested = _with_spread(contrast, _rounding_of(block))
                    parts.append((records[tested], contrast.take(tested)))
            return parts

        return chain.from_iterable(in_cuts(of_cut, self.table, self.order))

    @property
    def cuts(self) -> list[slice]:
        """Ranges of records that are computed on at a time."""
        return cuts(self.table, self.order)

    def null_of_cut(self, cut: slice, draws: int, generator: Generator) -> Iterator[Part]:
        """Compare the records of a range as if other fits had trained on them.

        Of m records there are as many contrasts each, one record's beside one another; those
        without spread have a variance of NaN.
        """
        for records, block in blocks_of_cut(self.table, self.order, cut):
            if min(block.counts):
                rounding = _rounding_of(block)
                for rows, contrast in self.compare_permuted(block, draws, generator):
                    yield records[rows], _known(contrast, rounding[rows])

    def null_of_bystanders(
        self, bystanders: Array, records: Indices, draws: int, generator: Generator
    ) -> Iterator[Part]:
        """Compare fits that all trained on a bystander, as if its roles were those of records."""
        members = self.table.roles()[self.order.fits] == IN
        bystanders = bystanders[np.isfinite(bystanders).all(axis=1)] - self.shift
        for rows in _pieces(len(bystanders), draws):
            roles = np.unique(members[:, generator.choice(records, draws)].T, axis=0)
            contrast = self.compare_fits(bystanders[rows], roles)
            varies = _with_spread(contrast, _rounding(bystanders[rows]).repeat(len(roles)))
            yield np.full(varies.sum(), -1), contrast.take(varies)


def _pieces(m: int, width: int) -> Iterator[slice]:
    """Cut m rows into pieces whose values, ``width`` a row, fit into memory."""
    size = max(1, _BLOCK // max(1, width))
    for start in range(0, m, size):
        yield slice(start, start + size)


class _OfFits(Comparisons):
    NEEDED = "enough fits to estimate a variance"

    def compare(self, block: InOutBlock) -> Contrast:
        values, weight, group, member = self._columns(block)
        return two_sample_contrast(values, member, weight, group)

    def compare_permuted(
        self, block: InOutBlock, draws: int, generator: Generator
    ) -> Iterator[tuple[slice, Contrast]]:
        values, weight, group, member = self._columns(block)
        members = other_members(member, group, draws, generator)
        for drawn in (members[piece] for piece in _pieces(*members.shape)):
            for rows in _pieces(len(values), len(drawn)):
                yield rows, split_contrasts(values[rows], drawn, weight[rows], group)

    def compare_fits(self, values: Array, members: Flags) -> Contrast:
        return split_contrasts(values, members, np.broadcast_to(self.weight, values.shape))

    def _columns(self, block: InOutBlock) -> tuple[Array, Array, Indices, Flags]:
        """(m, c) values and weights; (c,) exchangeable group and membership."""
        fit = np.concatenate([block.fit_in, block.fit_out], axis=1)
        values = np.concatenate([block.inside.values, block.outside.values], axis=1)
        group = np.concatenate([block.group_in, block.group_out])
        member = np.arange(len(group)) < block.counts[0]
        return values - self.shift[fit], self.weight[fit], group, member


class _OfPairs(Comparisons):
    NEEDED = "at least 2 pairs of fits"

    def compare(self, block: InOutBlock) -> Contrast:
        return one_sample_contrast(*self._differences(block))

    def compare_permuted(
        self, block: InOutBlock, draws: int, generator: Generator
    ) -> Iterator[tuple[slice, Contrast]]:
        difference, weight = self._differences(block)
        pairs = difference.shape[1]
        columns = np.tile(np.arange(pairs), 2)  # each pair is a group of two fits
        members = other_members(np.arange(2 * pairs) < pairs, columns, draws, generator)
        signs = np.where(members[:, :pairs], 1.0, -1.0)
        for rows in _pieces(len(difference), len(signs)):
            contrast = sign_contrasts(difference[rows], signs, weight[rows])
            yield rows, contrast

    def compare_fits(self, values: Array, members: Flags) -> Contrast:
        difference = values[:, ::2] - values[:, 1::2]
        weight = _of_difference(self.weight[::2], self.weight[1::2])
        signs = np.where(members[:, ::2], 1.0, -1.0)
        return sign_contrasts(difference, signs, np.broadcast_to(weight, difference.shape))

    def _differences(self, block: InOutBlock) -> tuple[Array, Array]:
        inside, outside = block.pairs()
        with np.errstate(invalid="ignore"):  # of two infinite values
            difference = inside - self.shift[block.fit_in] - outside + self.shift[block.fit_out]
        return difference, _of_difference(self.weight[block.fit_in], self.weight[block.fit_out])


def _of_difference(first: Array, second: Array) -> Array:
    """Weights of differences of values that have these weights."""
    return first * second / (first + second)


def _rounding(*sides: Array) -> Array:
    """(m,) standard deviations that may be rounding, of records with values (m, c) on each side.

    Infinite where no side's values differ by more than rounding.
    """
    size = np.max([np.abs(values).max(axis=1) for values in sides], axis=0)
    rounding = np.asarray(_ROUNDING * (1 + size))
    with np.errstate(invalid="ignore"):  # of infinite values
        spread = np.max([np.ptp(values, axis=1) for values in sides], axis=0)
    return np.where(spread > rounding, rounding, np.inf)


def _rounding_of(block: InOutBlock) -> Array:
    return _rounding(block.inside.values, block.outside.values)


def _known(contrast: Contrast, rounding: Array) -> Contrast:
    """Make the variances of records, several a record, NaN where values differ by rounding only."""
    varies = _with_spread(contrast, rounding.repeat(len(contrast.variance) // len(rounding)))
    return replace(contrast, variance=np.where(varies, contrast.variance, np.nan))


def _with_spread(contrast: Contrast, rounding: Array) -> Flags:
    """(m,) whether values differ by more than rounding, and are enough to show it."""
    return np.asarray((contrast.variance > rounding**2) & (contrast.degrees > 0))
