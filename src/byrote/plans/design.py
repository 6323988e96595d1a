"""A design: one plan, drawn. It says who sees what, fit by fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint32]
Places = NDArray[np.int64]

IN, OUT, UNUSED = 1, -1, 0
RELEASE = -1  # the number of the fit on all records, which is none of a plan's
Units = Literal["repeats", "pairs", "fits"]


@dataclass(frozen=True, eq=False)
class Design:
    """Membership of n records in F fits.

    Attributes
    ----------
    n
        Number of records.
    repeat, fold
        (F,) integers that name each fit and key its seeds; no two fits share both.
    group
        (F,) exchangeable group of each fit: within a group, under the null hypothesis, a record's
        values may be permuted. The repeats, if not given.
    held_out
        For each fit the sorted rows that it does not train on.
    counted
        For each fit the sorted rows whose log-likelihood it contributes, or None for all.
    randomized
        Whether membership is known to be random, without which there is no p-value.
    units
        What the jackknife leaves out at a time: whole "repeats", whose fits complement one another;
        "pairs", which are repeats of two fits with the same seeds; or single "fits" on each side.
    leader
        (F,) the fit whose seeds each fit uses. Itself, if not given; a fit that follows another
        also has its training rows in the other's places.
    copies
        For each fit, how often each row that it trains on is in its data, in the order of the rows;
        once, if not given. Given for canaries, which are inserted into a text.
    places
        For each fit, where each of those copies goes: the line of the text that it comes before.
    """

    n: int
    repeat: NDArray[np.int64]
    fold: NDArray[np.int64]
    held_out: Sequence[Rows]
    counted: Sequence[Rows | None]
    randomized: bool = True
    units: Units = "fits"
    group: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    leader: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    copies: Sequence[Rows] | None = None
    places: Sequence[Places] | None = None

    def __post_init__(self) -> None:
        if len(self.group) == 0:
            object.__setattr__(self, "group", self.repeat)
        if len(self.leader) == 0:
            object.__setattr__(self, "leader", np.arange(self.fits))

    @property
    def fits(self) -> int:
        """Number of fits F."""
        return len(self.held_out)

    @property
    def scored(self) -> Rows | None:
        """The rows that any fit counts, sorted; None for all."""
        if any(rows is None for rows in self.counted):
            return None
        union = np.unique(np.concatenate([rows for rows in self.counted if rows is not None]))
        return None if len(union) == self.n else union

    def training_rows(self, fit: int) -> NDArray[np.intp]:
        """The rows that a fit trains on, in the order in which the model gets them."""
        return training_rows(self.n, self.held_out[fit], self.held_out[self.leader[fit]])

    def trained_on(self, fit: int) -> NDArray[np.bool_]:
        """(n,) whether the fit trains on each record."""
        member = np.ones(self.n, dtype=bool)
        member[self.held_out[fit]] = False
        return member

    def included(self, fit: int) -> NDArray[np.uint32]:
        """(n,) how often each record is in the fit's training data."""
        times = self.trained_on(fit).astype(np.uint32)
        if self.copies is not None:
            times[times > 0] = self.copies[fit]
        return times

    def placed(self, fit: int) -> Places:
        """Where the copies of a fit go; nothing without insertions."""
        return np.empty(0, dtype=np.int64) if self.places is None else self.places[fit]

    @property
    def inserts(self) -> bool:
        """Whether the records are canaries, put into a text so many times."""
        return self.copies is not None

    @property
    def release(self) -> int:
        """The fit whose model would ship: one more, on all records; with canaries the first.

        Canaries are measured in the model that ships, so no other is trained for it.
        """
        return 0 if self.inserts else RELEASE

    @property
    def extra(self) -> tuple[int, ...]:
        """The fits that keeping the release model takes beyond the plan's."""
        return () if self.inserts else (RELEASE,)

    def counted_rows(self, fit: int) -> Rows:
        """The sorted rows whose log-likelihood the fit contributes."""
        rows = self.counted[fit]
        return np.arange(self.n, dtype=np.uint32) if rows is None else rows

    def role(self, fit: int) -> NDArray[np.int8]:
        """(n,) IN, OUT or UNUSED: what the fit is to each record."""
        role = np.where(self.trained_on(fit), np.int8(IN), np.int8(OUT))
        rows = self.counted[fit]
        if rows is not None:
            used = np.zeros(self.n, dtype=bool)
            used[rows] = True
            role[~used] = UNUSED
        return role

    def check(self) -> None:
        """Refuse a design that contradicts itself, as one from a file may.

        Raises
        ------
        ValueError
            With what contradicts what.
        """
        if not ((self.leader >= 0) & (self.leader < self.fits)).all():
            raise ValueError("a fit follows one that is none of the plan's")
        if len({*zip(self.repeat.tolist(), self.fold.tolist(), strict=True)}) < self.fits:
            raise ValueError("two fits share repeat and fold")
        for rows in (*self.held_out, *(rows for rows in self.counted if rows is not None)):
            if rows.dtype != np.uint32 or (rows[1:] <= rows[:-1]).any() or (rows >= self.n).any():
                raise ValueError(f"rows of a fit are not sorted, or not among the {self.n} records")
        if (self.copies is None) != (self.places is None):
            raise ValueError("copies without places, or places without copies")
        inserted = zip(self.held_out, self.copies or (), self.places or (), strict=False)
        for held_out, copies, places in inserted:
            if len(copies) != self.n - len(held_out):
                raise ValueError("copies are not of the rows that a fit trains on")
            if len(places) != copies.sum(dtype=np.int64) or (places < 0).any():
                raise ValueError("places are not of the copies")

    def begins_with(self, other: "Design") -> bool:
        """Whether the first fits of this design are the other design."""
        first = range(other.fits)
        return (
            self.n == other.n
            and self.fits >= other.fits
            and np.array_equal(self.repeat[: other.fits], other.repeat)
            and np.array_equal(self.fold[: other.fits], other.fold)
            and np.array_equal(self.group[: other.fits], other.group)
            and np.array_equal(self.leader[: other.fits], other.leader)
            and all(np.array_equal(self.held_out[f], other.held_out[f]) for f in first)
            and all(_same(self.counted[f], other.counted[f]) for f in first)
            and all(np.array_equal(self.included(f), other.included(f)) for f in first)
            and all(np.array_equal(self.placed(f), other.placed(f)) for f in first)
        )


def rows(indices: object) -> Rows:
    """Row numbers as they are stored: sorted, 32 bits."""
    return np.sort(np.asarray(indices)).astype(np.uint32)


def training_rows(n: int, held_out: Rows, leader_held_out: Rows | None = None) -> NDArray[np.intp]:
    """All rows but the ones held out, in the order in which the model gets them.

    Sorted for a fit of its own. A fit that follows another holds out as many rows as its leader,
    and trains on the leader's rows in the leader's order; only the places of those that it holds
    out are taken by those that the leader holds out. A model that draws batches or starting points
    by position then makes the same draws in both.

    Examples
    --------
    >>> training_rows(6, rows([1, 3]))
    array([0, 2, 4, 5])
    >>> training_rows(6, rows([2, 5]), leader_held_out=rows([1, 3]))
    array([0, 1, 4, 3])
    """
    leader_held_out = held_out if leader_held_out is None else leader_held_out
    member = np.ones(n, dtype=bool)
    member[leader_held_out] = False
    order = np.flatnonzero(member)
    leaves = np.setdiff1d(held_out, leader_held_out, assume_unique=True)
    comes = np.setdiff1d(leader_held_out, held_out, assume_unique=True)
    order[np.searchsorted(order, leaves)] = comes
    return order


def _same(first: Rows | None, second: Rows | None) -> bool:
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second)
