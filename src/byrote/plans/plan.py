"""The base class of plans, and drawing of a design."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans.design import Design

MOST_FITS = 100_000


@dataclass(frozen=True)
class Context:
    """Number, ids and labels of the records, lines of a text for insertions, and a seed.

    ``order``: the rows in the order in which a plan numbers them for its random choices, which then
    do not depend on how the rows are sorted (default: that of the data).
    """

    n: int
    seed: int
    ids: NDArray[Any]
    labels: NDArray[Any] | None = None
    places: int = 0
    order: NDArray[np.intp] | None = None

    def in_order(self) -> "Context":
        """Return the context of the records in their order."""
        labels = None if self.labels is None else self.labels[self.order]
        return replace(self, ids=self.ids[self.order], labels=labels, order=None)

    def strata(self, stratify: bool) -> NDArray[np.intp]:
        """Return the stratum of each record, (n,); all 0 if not stratified."""
        if not stratify:
            return np.zeros(self.n, dtype=np.intp)
        if self.labels is None:
            raise InvalidInput("stratify=True needs labels, --labels; the records have none")
        return np.unique(self.labels, return_inverse=True)[1]


class Plan(ABC):
    """A plan of fits: a frozen dataclass that draws a design.

    ``size`` names the field that may grow: a larger plan begins with the fits of a smaller one, and
    so extends its run folder. ``grows``: whether the plan itself can be made of another size.
    """

    kind: ClassVar[str]
    size: ClassVar[str]
    grows: ClassVar[bool] = True
    by_row: ClassVar[bool] = False  # whether rows of the data are chosen by whoever makes the plan

    def draw(self, context: Context, after: Design | None = None) -> Design:
        """Draw the design for the records of a context, extending the design ``after``."""
        order = context.order
        if order is None or self.by_row:
            return self._draw(context, after)
        after = None if after is None else after.renumbered(np.argsort(order))
        return self._draw(context.in_order(), after).renumbered(order)

    @abstractmethod
    def _draw(self, context: Context, after: Design | None) -> Design:
        """Draw the design, numbering records as the context does."""

    def resized(self, size: int) -> Self:
        """Return the plan of another size."""
        return replace(self, **{self.size: size})  # type: ignore[type-var]

    def sizes(self, looks: int) -> tuple[int, ...]:
        """Return the plan's size at each look at its run, in equal steps; the last is its own.

        Whole repeats, or even numbers of fits, so that halves and pairs are whole at each look.

        Raises
        ------
        InvalidInput
            If ``looks`` < 1, there are more looks than steps, or the plan cannot grow.
        """
        checks.integer("looks", looks, at_least=1)
        if not self.grows:
            raise InvalidInput(
                "looks need a plan that can grow: KFold, LeaveOneOut, Subset or Probes;"
                f" got {type(self).__name__}"
            )
        size, step = self.spec()[self.size], 2 if self.size == "fits" else 1
        if looks > (most := size // step):
            raise InvalidInput(
                f"looks must be at most {most} at {self.size}={size}, to see more each time;"
                f" got {looks}"
            )
        return *(most * look // looks * step for look in range(1, looks)), size

    def _set(self, **values: Any) -> None:
        """Set fields to their checked values, although the dataclass is frozen."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def spec(self) -> dict[str, Any]:
        """Return the plan as plain data, for the run folder and for comparing runs."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind, **values}


def check_fits(count: int) -> None:
    """Reject more fits than a run folder supports."""
    if count > MOST_FITS:
        raise InvalidInput(f"plan must have at most {MOST_FITS:,} fits; got {count:,}")


def design_of(
    plan: Plan, n: int, seed: int = 0, *, labels: Any = None, ids: Any = None, places: int = 0
) -> Design:
    """Draw the design of a plan for n records.

    Examples
    --------
    >>> from byrote import KFold
    >>> design = design_of(KFold(3, repeats=2), 7, seed=1)
    >>> design.fits, [len(rows) for rows in design.held_out]
    (6, [2, 3, 2, 3, 2, 2])
    """
    n = checks.integer("n", n, at_least=1, at_most=2**32 - 1)  # as rows are stored
    return plan.draw(
        Context(
            n,
            checks.seed("seed", seed),
            np.arange(n) if ids is None else _column("ids", ids, n),
            None if labels is None else _column("labels", labels, n),
            checks.integer("places", places, at_least=0, at_most=2**48),
        )
    )


def _column(name: str, values: Any, n: int) -> NDArray[Any]:
    column = checks.names(name, values)
    if len(column) != n:
        raise InvalidInput(f"{name} must have one entry for each of {n} records; got {len(column)}")
    return column
