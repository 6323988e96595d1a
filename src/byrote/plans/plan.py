"""What a plan is: a membership design before it meets the records."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans.design import Design

MOST_FITS = 100_000


@dataclass(frozen=True)
class Context:
    """What a plan may look at when it is drawn: the records' number, ids and labels, a seed.

    ``places`` is the number of lines of the text that records are inserted into, if they are.
    """

    n: int
    seed: int
    ids: NDArray[Any]
    labels: NDArray[Any] | None = None
    places: int = 0

    def strata(self, stratify: bool) -> NDArray[np.intp]:
        """(n,) class of each record, all 0 when not stratified."""
        if not stratify:
            return np.zeros(self.n, dtype=np.intp)
        if self.labels is None:
            raise InvalidInput("stratify=True needs labels; the records have none")
        return np.unique(self.labels, return_inverse=True)[1]


class Plan(ABC):
    """A membership design. Plans are frozen dataclasses; ``draw`` makes the design.

    ``size`` names the field that may grow: a run folder is extended when only that field is larger
    than before, because a larger plan begins with the fits of the smaller one.
    """

    kind: ClassVar[str]
    size: ClassVar[str]

    @abstractmethod
    def draw(self, context: Context, after: Design | None = None) -> Design:
        """The design for these records; ``after`` is the design of a run that this one extends."""

    def _keep(self, **values: Any) -> None:
        """Keep arguments as they were checked, Python's own numbers."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def spec(self) -> dict[str, Any]:
        """The plan as plain data, for the run folder and for comparing two runs."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind, **values}


def check_fits(count: int) -> None:
    """Refuse more fits than a run folder is made for."""
    if count > MOST_FITS:
        raise InvalidInput(f"plan must have at most {MOST_FITS:,} fits; got {count:,}")


def design_of(
    plan: Plan, n: int, seed: int = 0, *, labels: Any = None, ids: Any = None, places: int = 0
) -> Design:
    """The design of a plan for n records.

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
    found = checks.names(name, values)
    if len(found) != n:
        raise InvalidInput(f"{name} must have one entry for each of {n} records; got {len(found)}")
    return found
