"""Insertion of canaries into a text, a fixed number of times each, with controls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput
from byrote.plans.design import Design, Places, Rows, rows
from byrote.plans.plan import Context, Plan, check_fits

_MOST, _MOST_LEVELS = 1_000_000, 1000


@dataclass(frozen=True)
class Insertions(Plan):
    """Insert canaries into the text of each fit, ``per_level`` at each level of repetition.

    The first records are canaries: ``chosen`` ones, then ``per_level`` for each level, then
    ``controls``; the others are reference candidates, which are never inserted. Further fits assign
    the same numbers of insertions at random, so a canary of one fit may be a control of another.
    Chosen canaries are inserted as often as the highest level, in every fit.

    Parameters
    ----------
    levels
        Number of insertions at each level, ascending; 0 is a group of controls.
    per_level
        Number of canaries at each level.
    controls
        Number of canaries that are never inserted, whose exposure is that of the null hypothesis.
    fits
        Number of models trained.
    chosen
        Number of canaries whose secret was chosen, not drawn at random.
    within
        Fraction of the text, from its start, into which canaries are inserted, each copy before a
        different random line.

    Raises
    ------
    InvalidInput
        If a number is invalid, no canary would be inserted, or, when drawn, there are fewer records
        than canaries, or fewer lines than copies.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> plan = Insertions((1, 4), per_level=2, controls=1, fits=2)
    >>> design = design_of(plan, 7, places=100)
    >>> design.included(0).tolist()
    [1, 1, 4, 4, 0, 0, 0]
    >>> sorted(design.included(1)[:5].tolist())
    [0, 1, 1, 4, 4]
    >>> design.placed(0).tolist()
    [27, 60, 1, 65, 90, 21, 12, 78, 26, 49]
    """

    levels: tuple[int, ...] = (1, 4, 16)
    per_level: int = 4
    controls: int = 16
    fits: int = 1
    chosen: int = 0
    within: float = 1.0
    kind: ClassVar[str] = "insertions"
    size: ClassVar[str] = "fits"

    def __post_init__(self) -> None:
        self._set(levels=_levels(self.levels))
        for name, least in (("per_level", 0), ("controls", 0), ("fits", 1), ("chosen", 0)):
            value = getattr(self, name)
            value = checks.integer(name, value, at_least=least, at_most=_MOST)
            self._set(**{name: value})
        check_fits(self.fits)
        within = checks.positive("within", self.within)
        self._set(within=1.0 if within == 1 else checks.fraction("within", within))
        if not max(self.levels) or not self.per_level + self.chosen:
            raise InvalidInput(
                f"insertions must insert something; got levels {self.levels} with"
                f" {self.per_level} canaries each"
            )

    @property
    def times(self) -> NDArray[np.uint32]:
        """(canaries,) number of insertions of each canary in the first fit."""
        drawn = np.repeat(self.levels, self.per_level)
        parts = ([max(self.levels)] * self.chosen, drawn, [0] * self.controls)
        return np.concatenate([np.asarray(part, dtype=np.uint32) for part in parts])

    @property
    def canaries(self) -> int:
        """Number of canaries, controls included."""
        return len(self.times)

    def _draw(self, context: Context, after: Design | None) -> Design:  # noqa: ARG002
        """Fit f depends on the seed and f alone, so more fits extend a design."""
        if context.n < self.canaries:
            raise InvalidInput(
                f"records must begin with {self.canaries} canaries; got {context.n} in all"
            )
        available = math.ceil(self.within * context.places)
        if self.times.sum() > available:
            part = "" if self.within == 1 else f" in the first {self.within:.3g} of it"
            raise InvalidInput(
                f"insertions must fit into the text, each copy before a different line: it has"
                f" {available:,} lines{part}; got {self.times.sum():,} copies"
            )
        included = [self._included(context, fit) for fit in range(self.fits)]
        return Design(
            n=context.n,
            repeat=np.zeros(self.fits, dtype=np.int64),
            fold=np.arange(self.fits),
            held_out=[rows(np.flatnonzero(times == 0)) for times in included],
            counted=[None] * self.fits,
            copies=[times[times > 0] for times in included],
            places=[self._places(context, available, fit) for fit in range(self.fits)],
        )

    def _included(self, context: Context, fit: int) -> Rows:
        times = self.times
        if fit:
            generator = seeds.generator(context.seed, seeds.Purpose.PLAN, 0, fit)
            times[self.chosen :] = generator.permutation(times[self.chosen :])
        return np.concatenate([times, np.zeros(context.n - len(times), dtype=np.uint32)])

    def _places(self, context: Context, available: int, fit: int) -> Places:
        generator = seeds.generator(context.seed, seeds.Purpose.INSERTION, 0, fit)
        return generator.choice(available, int(self.times.sum()), replace=False)


def _levels(levels: Any) -> tuple[int, ...]:
    levels = levels.tolist() if isinstance(levels, np.ndarray) else levels
    is_list = isinstance(levels, Sequence) and not isinstance(levels, str | bytes)
    if not is_list or not 1 <= len(levels) <= _MOST_LEVELS:
        raise InvalidInput(
            f"insertions must be whole numbers, such as (1, 4, 16); got {checks.brief(levels)}"
        )
    counts = tuple(
        checks.integer("insertions", level, at_least=0, at_most=_MOST) for level in levels
    )
    if list(counts) != sorted(set(counts)):
        raise InvalidInput(f"insertions must be ascending; got {', '.join(map(str, counts))}")
    return counts
