"""Repeated K-fold cross-validation, the design of Algorithm 1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput
from byrote.plans.design import Design, rows
from byrote.plans.plan import Context, Plan, check_fits


@dataclass(frozen=True)
class KFold(Plan):
    """Partition the records at random into ``folds`` parts, each held out once, ``repeats`` times.

    Every record is trained on in ``repeats * (folds - 1)`` fits and held out in ``repeats``. Fold
    sizes differ by at most one. With ``stratify=True`` so do the numbers of records of each label
    in a fold; membership stays random within a label.

    Raises
    ------
    InvalidInput
        If folds < 2, repeats < 1, there are more than 100,000 fits, or, when drawn, fewer records
        than folds.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> design_of(KFold(10, repeats=10), 25).fits
    100
    """

    folds: int = 10
    repeats: int = 10
    stratify: bool = False
    kind: ClassVar[str] = "kfold"
    size: ClassVar[str] = "repeats"

    def __post_init__(self) -> None:
        folds = checks.integer("folds", self.folds, at_least=2)
        repeats = checks.integer("repeats", self.repeats, at_least=1)
        check_fits(folds * repeats)
        self._set(folds=folds, repeats=repeats, stratify=checks.flag("stratify", self.stratify))

    def _draw(self, context: Context, after: Design | None) -> Design:  # noqa: ARG002
        """Repeat r depends on the seed and r alone, so more repeats extend a design."""
        if context.n < self.folds:
            raise InvalidInput(
                f"folds must not exceed the number of records; got {self.folds} folds"
                f" for {context.n} record{'s' * (context.n > 1)}"
            )
        strata = context.strata(self.stratify)
        held_out = []
        for repeat in range(self.repeats):
            fold = self._partition(
                strata, seeds.generator(context.seed, seeds.Purpose.PLAN, repeat)
            )
            held_out += [rows(np.flatnonzero(fold == k)) for k in range(self.folds)]
        return Design(
            n=context.n,
            repeat=np.repeat(np.arange(self.repeats), self.folds),
            fold=np.tile(np.arange(self.folds), self.repeats),
            held_out=held_out,
            counted=[None] * len(held_out),
            units="repeats",
        )

    def _partition(
        self, strata: NDArray[np.intp], generator: np.random.Generator
    ) -> NDArray[np.intp]:
        # Assigning shuffled records in turn gives equal folds, and equal shares of each label if
        # sorted by label. Random fold numbers make every fold equally likely for every record.
        shuffled = generator.permutation(len(strata))
        shuffled = shuffled[np.argsort(strata[shuffled], kind="stable")]
        numbers = generator.permutation(self.folds)
        fold = np.empty(len(strata), dtype=np.intp)
        fold[shuffled] = numbers[np.arange(len(strata)) % self.folds]
        return fold
