"""The table cut into blocks of records with equally many log-likelihoods in and out of training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.stats.memorization import Side
from byrote.stats.rows import blocks, groups
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Part = TypeVar("Part")
Number = TypeVar("Number", bound=np.number)
_BLOCK = 1 << 19  # values computed on at a time by a thread
_LARGE = 1 << 20  # the same where little memory is needed beside: threads wait less for each other
_FEW = 1 << 12  # numbers that are counted rather than sorted


@dataclass(frozen=True)
class FitOrder:
    """Fits ordered by repeat, then by number; (F,) each.

    ``repeat`` and ``group`` (of exchangeable fits) count from 0.
    """

    fits: Indices
    repeat: Indices
    group: Indices

    @classmethod
    def of(cls, table: Table, excluded: NDArray[np.bool_] | None = None) -> "FitOrder":
        """Order the finished fits of a table, but for those excluded, (F,)."""
        fits = np.flatnonzero(table.counting(excluded))
        fits = fits[np.argsort(table.design.repeat[fits], kind="stable")]
        keys = (table.design.repeat, table.design.group)
        return cls(fits, *(np.unique(key[fits], return_inverse=True)[1] for key in keys))

    @property
    def repeats(self) -> int:
        """Number of repeats."""
        return int(self.repeat.max(initial=-1)) + 1


@dataclass(frozen=True)
class InOutBlock:
    """Records that have equally many values in and out of training in every repeat.

    records: (m,) columns of the array they were cut from. inside, outside: their two sides; units
    are repeats. Columns run through the repeats before they come back to the first, so that blocks
    of consecutive columns take one value of each repeat where the plan is K-fold. group_in,
    group_out: the exchangeable group of each column. fit_in, fit_out: (m, a) and (m, b), the place
    in ``FitOrder`` of the fit that each value comes from.
    """

    records: Indices
    inside: Side
    outside: Side
    group_in: Indices
    group_out: Indices
    fit_in: Indices
    fit_out: Indices

    @property
    def counts(self) -> tuple[int, int]:
        """Number of values in and out."""
        return self.inside.size, self.outside.size

    def pairs(self) -> tuple[Array, Array]:
        """(m, P) values in and out by pair of fits, where the whole design comes in pairs."""
        return self.inside.values, self.outside.values  # the columns of both run through the pairs

    def strata(self) -> list[tuple[Array, Array]]:
        """Values in and out of each group, for the rank test."""
        return [
            (self.inside.values[:, self.group_in == g], self.outside.values[:, self.group_out == g])
            for g in np.union1d(self.group_in, self.group_out)
        ]

    def shapes(self) -> list[tuple[int, int]]:
        """Number of values in and out in each group."""
        groups = int(max(self.group_in.max(initial=0), self.group_out.max(initial=0))) + 1
        counts = (np.bincount(g, minlength=groups) for g in (self.group_in, self.group_out))
        return [(int(a), int(b)) for a, b in zip(*counts, strict=True)]


def in_out_blocks(table: Table, order: FitOrder) -> Iterator[tuple[Indices, InOutBlock]]:
    """Cut a table into blocks in bounded memory, each with the places of its records."""
    for cut in cuts(table, order):
        yield from blocks_of_cut(table, order, cut)


def cuts(table: Table, order: FitOrder, block: int = _BLOCK) -> list[slice]:
    """Cut the records of a table into ranges whose blocks together fit into memory."""
    size = max(1, block // max(1, len(order.fits)))
    return [*blocks(len(table.rows) if len(order.fits) else 0, size)]


def in_cuts(function: Callable[[slice], Part], table: Table, order: FitOrder) -> Iterator[Part]:
    """Apply a function to ranges of records, in threads; results come in their order."""
    return in_order(function, cuts(table, order, _LARGE), size=table.log_prob.size)


def blocks_of_cut(
    table: Table, order: FitOrder, cut: slice
) -> Iterator[tuple[Indices, InOutBlock]]:
    """Return the blocks of a range of records, each with the places of its records."""
    for block in _split(_rows(table.log_prob, order, cut), _rows(table.roles(), order, cut), order):
        yield cut.start + block.records, block


def _rows(values: NDArray[Number], order: FitOrder, cut: slice) -> NDArray[Number]:
    """Return (F, r) values of a range of records by record and fit in order, (m, F)."""
    return np.ascontiguousarray(values[:, cut][order.fits].T)


def _split(values: Array, roles: NDArray[np.int8], order: FitOrder) -> Iterator[InOutBlock]:
    """Sort records, (m, F), into blocks; what is replaced here, nobody else should hold."""
    inside, outside = roles == IN, roles == OUT
    records, stops = _with_same_counts(inside, outside, order.repeat)
    if len(stops) > 1:
        values, inside, outside = values[records], inside[records], outside[records]
    for start, stop in zip([0, *stops], stops, strict=False):
        rows = slice(start, stop)
        side_in, group_in, fit_in = _side(values[rows], inside[rows], order)
        side_out, group_out, fit_out = _side(values[rows], outside[rows], order)
        yield InOutBlock(records[rows], side_in, side_out, group_in, group_out, fit_in, fit_out)


def _with_same_counts(
    inside: NDArray[np.bool_], outside: NDArray[np.bool_], repeat: Indices
) -> tuple[Indices, list[int]]:
    """Order records by their counts in and out of each repeat, (m,); and where each count ends."""
    starts = np.flatnonzero(np.diff(repeat, prepend=-1))
    counts = np.concatenate(
        [np.add.reduceat(side, starts, axis=1, dtype=np.int32) for side in (inside, outside)],
        axis=1,
    )
    if (counts == counts[0]).all():
        return np.arange(len(counts)), [len(counts)]
    alike = groups(numbered(counts))
    return np.concatenate(alike), np.cumsum([*map(len, alike)]).tolist()


def numbered(rows: NDArray[np.integer]) -> Indices:
    """Number the different rows of (m, k) counts from 0 in lexicographic order, (m,).

    Examples
    --------
    >>> numbered(np.array([[2, 0], [0, 5], [0, 3], [2, 0]]))
    array([2, 1, 0, 2])
    """
    key, size = np.zeros(len(rows), np.int64), 1
    for column in rows.T:
        width = int(column.max(initial=0)) + 1
        if size * width >= 1 << 62:
            key = np.unique(key, return_inverse=True)[1]
            size = int(key.max()) + 1
        key, size = key * width + column, size * width
    if size > _FEW:
        return np.unique(key, return_inverse=True)[1]
    known = np.bincount(key, minlength=size) > 0
    return (np.cumsum(known) - 1)[key]


def _side(
    values: Array, member: NDArray[np.bool_], order: FitOrder
) -> tuple[Side, Indices, Indices]:
    # Equally many in every repeat: the first record's repeats are those of all. Groups follow from
    # repeats, or there is only one.
    m = len(values)
    repeat, group = order.repeat[member[0]], order.group[member[0]]
    position = np.arange(len(repeat)) - np.searchsorted(repeat, repeat)
    columns = np.lexsort((repeat, position))
    cells = np.flatnonzero(member).reshape(m, -1)
    if (columns[1:] < columns[:-1]).any():
        cells = cells[:, columns]
    fit = cells - member.shape[1] * np.arange(m)[:, None]
    return Side(values.ravel()[cells], repeat[columns]), group[columns], fit


def unit_per_value(side: Side) -> Side:
    """Make each value of a side a unit of the jackknife."""
    return Side(side.values, np.arange(side.size))
