"""Leave-one-out, eq. (2): fits without one record each, and fits on all records."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans.design import Design, rows
from byrote.plans.plan import Context, Plan, check_fits


@dataclass(frozen=True)
class LeaveOneOut(Plan):
    """Fit all records, and all records except each one in turn.

    A repeat is one fit on all n records (fold 0) and n fits without one record each (fold i + 1
    lacks row i). A record counts as in training only in the fits on all records. All 2 * repeats
    values of a record form one exchangeable group, because every fit has its own seed.

    Raises
    ------
    InvalidInput
        If repeats < 1, or, when drawn, there are fewer than two records.

    Examples
    --------
    >>> from byrote.plans import design_of
    >>> design_of(LeaveOneOut(), 4).role(2).tolist()    # the fit without row 1
    [0, -1, 0, 0]
    """

    repeats: int = 1
    kind: ClassVar[str] = "leave-one-out"
    size: ClassVar[str] = "repeats"

    def __post_init__(self) -> None:
        self._set(repeats=checks.integer("repeats", self.repeats, at_least=1))

    def _draw(self, context: Context, after: Design | None) -> Design:  # noqa: ARG002
        """Return the design, which is not random."""
        n = context.n
        if n < 2:
            raise InvalidInput(f"leave-one-out needs at least 2 records; got {n}")
        check_fits(self.repeats * (n + 1))
        alone = [rows([row]) for row in range(n)]
        return Design(
            n=n,
            repeat=np.repeat(np.arange(self.repeats), n + 1),
            fold=np.tile(np.arange(n + 1), self.repeats),
            held_out=[rows([]), *alone] * self.repeats,
            counted=[None, *alone] * self.repeats,
            units="repeats",
            group=np.zeros(self.repeats * (n + 1), dtype=np.int64),
        )
