"""Designs: the membership of each record in each fit, as drawn from a plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint32]
Places = NDArray[np.int64]

IN, OUT, UNUSED = 1, -1, 0
RELEASE = -1  # number of the fit on all records, which is not part of a plan
Units = Literal["repeats", "pairs", "fits"]


@dataclass(frozen=True, eq=False)
class Design:
    """Membership of n records in F fits.

    Attributes
    ----------
    n
        Number of records.
    repeat, fold
        (F,) integers that identify each fit and key its seeds; no two fits share both.
    group
        (F,) exchangeable group of each fit (default: its repeat): under the null hypothesis a
        record's values may be permuted within a group.
    held_out
        For each fit the sorted rows that it does not train on.
    counted
        For each fit the sorted rows whose log-likelihood it contributes, or None for all.
    bystanders
        Sorted rows among them that every fit trains on: they get no score, but show how
        log-likelihoods vary where membership does not.
    randomized
        Whether membership is known to be random, which p-values require.
    units
        What the jackknife leaves out at a time: "repeats", whose fits complement one another;
        "pairs", repeats of two fits with the same seeds; or single "fits" on each side.
    leader
        (F,) fit whose seeds each fit uses (default: itself), and in whose order it trains.
    copies
        Of canaries inserted into a text: for each fit, the number of copies of each row that it
        trains on. Default: one.
    places
        For each fit, the line before which each copy is inserted.
    looks
        How often the run may be looked at before it stops: its errors are shared among the looks.
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
    bystanders: Rows = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    looks: int = 1

    def __post_init__(self) -> None:
        if len(self.group) == 0:
            object.__setattr__(self, "group", self.repeat)
        if len(self.leader) == 0:
            object.__setattr__(self, "leader", np.arange(self.fits))

    @property
    def fits(self) -> int:
        """Number of fits F."""
        return len(self.held_out)

    @cached_property
    def evaluated(self) -> Rows:
        """The sorted rows that any fit counts, bystanders included."""
        rows = [rows for rows in self.counted if rows is not None]
        if len(rows) < self.fits:
            return np.arange(self.n, dtype=np.uint32)
        return np.unique(np.concatenate(rows))

    @cached_property
    def scored(self) -> Rows:
        """The sorted rows that get a score: those evaluated, without bystanders."""
        rows = self.evaluated
        return rows[~np.isin(rows, self.bystanders)] if len(self.bystanders) else rows

    def per_look(self, error: float) -> float:
        """Return the part of an error probability, or false discovery rate, that one look spends.

        Equal parts: whatever the dependence between looks, and whichever of them is the last, an
        error of any has at most the probability ``error``, by Boole's inequality.
        """
        return error / self.looks

    def over_looks(self, p_value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return p-values that are valid at whichever look the run stops, NaN where they are."""
        return np.minimum(1.0, p_value / self.per_look(1.0))

    def training_rows(self, fit: int) -> NDArray[np.intp]:
        """Return the rows that a fit trains on, in the order of its training data."""
        return training_rows(self.n, self.held_out[fit], self.held_out[self.leader[fit]])

    def trained_on(self, fit: int) -> NDArray[np.bool_]:
        """Return whether the fit trains on each record, (n,)."""
        member = np.ones(self.n, dtype=bool)
        member[self.held_out[fit]] = False
        return member

    def included(self, fit: int) -> NDArray[np.uint32]:
        """Return the number of copies of each record in the fit's training data, (n,)."""
        copies = self.trained_on(fit).astype(np.uint32)
        if self.copies is not None:
            copies[copies > 0] = self.copies[fit]
        return copies

    def placed(self, fit: int) -> Places:
        """Return the lines before which a fit's copies are inserted; empty without insertions."""
        return np.empty(0, dtype=np.int64) if self.places is None else self.places[fit]

    @property
    def inserts(self) -> bool:
        """Whether the records are canaries that are inserted into a text."""
        return self.copies is not None

    @property
    def release(self) -> int:
        """Fit whose model is released: with canaries the first, otherwise one on all records."""
        return 0 if self.inserts else RELEASE

    @property
    def extra(self) -> tuple[int, ...]:
        """Fits outside the plan that the release model requires."""
        return () if self.inserts else (RELEASE,)

    def counted_rows(self, fit: int) -> Rows:
        """Return the sorted rows whose log-likelihood the fit contributes."""
        rows = self.counted[fit]
        return np.arange(self.n, dtype=np.uint32) if rows is None else rows

    def role(self, fit: int) -> NDArray[np.int8]:
        """Return the role of each record in the fit, (n,): IN, OUT or UNUSED."""
        role = np.where(self.trained_on(fit), np.int8(IN), np.int8(OUT))
        rows = self.counted[fit]
        if rows is not None:
            used = np.zeros(self.n, dtype=bool)
            used[rows] = True
            role[~used] = UNUSED
        return role

    def check(self) -> None:
        """Check the consistency of a design from a file; raise ValueError naming the fault."""
        if not ((self.leader >= 0) & (self.leader < self.fits)).all():
            raise ValueError("the leader of a fit is not one of the plan's fits")
        if len({*zip(self.repeat.tolist(), self.fold.tolist(), strict=True)}) < self.fits:
            raise ValueError("two fits share repeat and fold")
        counted = [rows for rows in self.counted if rows is not None]
        for rows in (*self.held_out, *counted, self.bystanders):
            if rows.dtype != np.uint32 or (rows[1:] <= rows[:-1]).any() or (rows >= self.n).any():
                raise ValueError(f"rows of a fit are not sorted, or not among the {self.n} records")
        for held_out in self.held_out:
            if np.isin(self.bystanders, held_out, assume_unique=True).any():
                raise ValueError("a bystander is held out")
        for rows in counted:
            if not np.isin(self.bystanders, rows, assume_unique=True).all():
                raise ValueError("a bystander is not counted")
        if (self.copies is None) != (self.places is None):
            raise ValueError("copies without places, or places without copies")
        inserted = zip(self.held_out, self.copies or (), self.places or (), strict=False)
        for held_out, copies, places in inserted:
            if len(copies) != self.n - len(held_out):
                raise ValueError("copies are not of the rows that a fit trains on")
            if len(places) != copies.sum(dtype=np.int64) or (places < 0).any():
                raise ValueError("places are not of the copies")

    def renumbered(self, numbers: NDArray[np.intp]) -> "Design":
        """Return the design of the same records where row r is row ``numbers[r]``.

        Examples
        --------
        >>> from byrote.plans import KFold, design_of
        >>> design = design_of(KFold(2, repeats=1), 3)
        >>> [out.tolist() for out in design.held_out]
        [[1, 2], [0]]
        >>> [out.tolist() for out in design.renumbered(np.array([2, 0, 1])).held_out]
        [[0, 1], [2]]
        """
        return self.mapped(lambda part: numbers[part], self.n)

    def mapped(self, change: Callable[[Rows], object], n: int) -> "Design":
        """Return the same fits for n records, with those of a set that ``change`` returns."""
        return replace(
            self,
            n=n,
            held_out=[rows(change(out)) for out in self.held_out],
            counted=[None if part is None else rows(change(part)) for part in self.counted],
            bystanders=rows(change(self.bystanders)),
        )

    def begins_with(self, other: "Design") -> bool:
        """Whether the first fits of this design equal those of the other design."""
        first = range(other.fits)
        return (
            self.n == other.n
            and self.fits >= other.fits
            and np.array_equal(self.repeat[: other.fits], other.repeat)
            and np.array_equal(self.fold[: other.fits], other.fold)
            and np.array_equal(self.group[: other.fits], other.group)
            and np.array_equal(self.leader[: other.fits], other.leader)
            and np.array_equal(self.bystanders, other.bystanders)
            and all(np.array_equal(self.held_out[f], other.held_out[f]) for f in first)
            and all(_same(self.counted[f], other.counted[f]) for f in first)
            and all(np.array_equal(self.included(f), other.included(f)) for f in first)
            and all(np.array_equal(self.placed(f), other.placed(f)) for f in first)
        )


def rows(indices: object) -> Rows:
    """Convert row numbers to the stored form: sorted, 32 bits."""
    return np.sort(np.asarray(indices)).astype(np.uint32)


def training_rows(n: int, held_out: Rows, leader_held_out: Rows | None = None) -> NDArray[np.intp]:
    """Return all rows except those held out, in the order of the training data.

    Rows are sorted if the fit has no other leader. Otherwise they are the leader's rows in the
    leader's order, with each row that this fit holds out replaced by one that the leader holds out.
    A model that draws batches or starting points by position then makes the same draws in both
    fits.

    Examples
    --------
    >>> training_rows(6, rows([1, 3]))
    array([0, 2, 4, 5])
    >>> training_rows(6, rows([2, 5]), leader_held_out=rows([1, 3]))
    array([0, 1, 4, 3])
    """
    member = np.ones(n, dtype=bool)
    member[held_out if leader_held_out is None else leader_held_out] = False
    order = np.flatnonzero(member)
    if leader_held_out is None:
        return order
    removed = np.setdiff1d(held_out, leader_held_out, assume_unique=True)
    added = np.setdiff1d(leader_held_out, held_out, assume_unique=True)
    order[np.searchsorted(order, removed)] = added
    return order


def _same(first: Rows | None, second: Rows | None) -> bool:
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second)
