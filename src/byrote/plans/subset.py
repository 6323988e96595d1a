"""Random subsets of the records, independent for each fit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.errors import InvalidInput
from byrote.plans.design import Design, rows
from byrote.plans.plan import Context, Plan, check_fits


@dataclass(frozen=True)
class Subset(Plan):
    """Train each of ``fits`` fits on an independent random ``fraction`` of the records.

    The subset has exactly ``round(fraction * n)`` records (of each label, with ``stratify=True``).
    The number of fits with a record varies; a record that is never in or never out has no score.

    Raises
    ------
    InvalidInput
        If fraction is not between 0 and 1, fits < 2, or, when drawn, a subset would be empty or
        everything.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> len(design_of(Subset(0.7, fits=3), 10).training_rows(0))
    7
    """

    fraction: float
    fits: int
    stratify: bool = False
    kind: ClassVar[str] = "subset"
    size: ClassVar[str] = "fits"

    def __post_init__(self) -> None:
        fits = checks.integer("fits", self.fits, at_least=2)
        check_fits(fits)
        fraction = checks.fraction("fraction", self.fraction)
        self._set(fraction=fraction, fits=fits, stratify=checks.flag("stratify", self.stratify))

    def _draw(self, context: Context, after: Design | None) -> Design:  # noqa: ARG002
        """Fit f depends on the seed and f alone, so more fits extend a design."""
        if not 0 < round(self.fraction * context.n) < context.n:
            raise InvalidInput(
                f"fraction must leave records on both sides; got {self.fraction}"
                f" of {context.n} records"
            )
        strata = context.strata(self.stratify)
        held_out = [
            self._held_out(strata, seeds.generator(context.seed, seeds.Purpose.PLAN, 0, fit))
            for fit in range(self.fits)
        ]
        if len(held_out[0]) in (0, context.n):
            raise InvalidInput(
                f"fraction {self.fraction} with stratify=True must leave records on both sides;"
                f" {len(np.unique(strata))} labels of {context.n} records are too many"
            )
        return Design(
            n=context.n,
            repeat=np.zeros(self.fits, dtype=np.int64),
            fold=np.arange(self.fits),
            held_out=held_out,
            counted=[None] * self.fits,
        )

    def _held_out(
        self, strata: NDArray[np.intp], generator: np.random.Generator
    ) -> NDArray[np.uint32]:
        held_out = []
        for stratum in range(int(strata.max()) + 1):
            members = generator.permutation(np.flatnonzero(strata == stratum))
            held_out.append(members[round(self.fraction * len(members)) :])
        return rows(np.concatenate(held_out))
