"""Scores by fit and record: how many, above a threshold, and in which order."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.stats.cell_order import CellOrder
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.intp]
Numbers = NDArray[np.integer[Any]]
Counts = tuple[Numbers, Numbers]  # by record, and by unit of fits


@dataclass(frozen=True, eq=False)
class Cells:
    """Scores by fit and record, read a fit at a time.

    score, member: (F, n) scores, NaN where there is none, and whether the fit trained on the
    record. unit: (F,) of each fit, numbered from 0; fits of one unit are one cluster.
    """

    score: Array
    member: Flags
    unit: Ids

    @cached_property
    def of_members(self) -> Counts:
        """Number of members' scores of each record, and of each unit."""
        return self._counts[0]

    @cached_property
    def of_others(self) -> Counts:
        """Number of non-members' scores of each record, and of each unit."""
        return self._counts[1]

    @cached_property
    def order(self) -> CellOrder:
        """The scores in ascending order; those of members are flagged."""
        return CellOrder(self.score, self.member)

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Number of members' scores, and of others'."""
        cells, members = self.order.counts.sum(axis=0).tolist()
        return members, cells - members

    @cached_property
    def _counts(self) -> tuple[Counts, Counts]:
        members, others = self._zeros(), self._zeros()
        for unit, score, member in zip(self.unit, self.score, self.member, strict=True):
            known = ~np.isnan(score)
            for counts, side in ((members, known & member), (others, known & ~member)):
                np.add(counts[0], side, out=counts[0])
                counts[1][unit] += np.count_nonzero(side)
        return members, others

    def _zeros(self) -> Counts:
        return np.zeros(self.score.shape[1], np.int32), np.zeros(int(self.unit.max()) + 1, np.intp)

    def above(self, threshold: float, *, members: bool, equal: bool = False) -> Counts:
        """Count the scores of a side above a threshold, or equal, by record and by unit."""

        def of_row(row: int) -> Ids:
            score, member = self.score[row], self.member[row]
            high = score >= threshold if equal else score > threshold
            high &= member if members else ~member
            return np.flatnonzero(high)

        by_record, by_unit = self._zeros()
        rows = in_order(of_row, range(len(self.unit)), size=self.score.size)
        for unit, places in zip(self.unit, rows, strict=True):
            by_record[places] += 1
            by_unit[unit] += len(places)
        return by_record, by_unit

    def other(self, place: int) -> float:
        """Return the non-members' score at a place of their ascending order, counted from 0."""
        cells, members = self.order.counts.T
        stops = np.cumsum(cells - members)
        number = int(np.searchsorted(stops, place, side="right"))
        if number not in self._others:
            self._others[number] = self.order.unflagged(number)
        return float(self._others[number][place - stops[number]])

    @cached_property
    def _others(self) -> dict[int, Array]:
        return {}

    def threshold(self, rate: float) -> float:
        """Return the score that this share of the non-members' is above at most."""
        count = self.sizes[1]
        return self.other(count - 1 - int(rate * count + 1e-9))
