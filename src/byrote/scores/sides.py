"""From the table to the two sides of the comparison, for many records at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN, OUT
from byrote.stats.memorization import Side

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Fits:
    """Which repeat and which exchangeable group each fit of a block belongs to, (F,) each.

    Fits are ordered by repeat, then by number; groups and repeats count from 0.
    """

    repeat: Indices
    group: Indices


@dataclass(frozen=True)
class Comparison:
    """Records that have equally many values in and out in every repeat.

    records: (m,) columns of the block they were cut from. inside, outside: their two sides; units
    are repeats. Columns run through the repeats before they come back to the first, so that blocks
    of consecutive columns take one value of each repeat where the plan is K-fold.
    group_in, group_out: the exchangeable group of each column.
    fit_in, fit_out: (m, a) and (m, b), the fit that each value comes from, by its place here.
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
        """Values in and out."""
        return self.inside.size, self.outside.size

    def pairs(self) -> tuple[Array, Array]:
        """(m, P) values in and out by pair of fits, where all of the design comes in pairs."""
        return self.inside.values, self.outside.values  # the columns of both run through the pairs

    def strata(self) -> list[tuple[Array, Array]]:
        """Values in and out of each group, for the rank test."""
        return [
            (self.inside.values[:, self.group_in == g], self.outside.values[:, self.group_out == g])
            for g in np.union1d(self.group_in, self.group_out)
        ]

    def shapes(self) -> list[tuple[int, int]]:
        """Numbers of values in and out in each group."""
        groups = int(max(self.group_in.max(initial=0), self.group_out.max(initial=0))) + 1
        counts = (np.bincount(g, minlength=groups) for g in (self.group_in, self.group_out))
        return [(int(a), int(b)) for a, b in zip(*counts, strict=True)]


def comparisons(log_prob: Array, roles: NDArray[np.int8], fits: Fits) -> Iterator[Comparison]:
    """Cut a block of the table, (F, c) each, into sets of records to compute on together."""
    values, roles = np.ascontiguousarray(log_prob.T), np.ascontiguousarray(roles.T)
    inside, outside = roles == IN, roles == OUT
    for records in _alike(inside, outside, fits.repeat):
        some = slice(None) if len(records) == len(values) else records
        left, group_in, fit_in = _side(values[some], inside[some], fits)
        right, group_out, fit_out = _side(values[some], outside[some], fits)
        yield Comparison(records, left, right, group_in, group_out, fit_in, fit_out)


def _alike(
    inside: NDArray[np.bool_], outside: NDArray[np.bool_], repeat: Indices
) -> Iterator[Indices]:
    starts = np.flatnonzero(np.diff(repeat, prepend=-1))
    counts = np.concatenate(
        [np.add.reduceat(side, starts, axis=1, dtype=np.int32) for side in (inside, outside)],
        axis=1,
    )
    if (counts == counts[0]).all():
        yield np.arange(len(counts))
        return
    _, which = np.unique(counts, axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(which))[:-1])


def _side(values: Array, member: NDArray[np.bool_], fits: Fits) -> tuple[Side, Indices, Indices]:
    # Equally many in every repeat: the first record's repeats are those of all. Groups follow from
    # repeats, or there is only one.
    m = len(values)
    repeat, group = fits.repeat[member[0]], fits.group[member[0]]
    position = np.arange(len(repeat)) - np.searchsorted(repeat, repeat)
    order = np.lexsort((repeat, position))
    cut = values[member].reshape(m, -1)[:, order]
    fit = np.nonzero(member)[1].reshape(m, -1)[:, order]
    return Side(cut, repeat[order]), group[order], fit
