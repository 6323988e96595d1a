"""Groups of records, such as near-duplicates, that are held out together."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans.design import Design, Rows
from byrote.plans.plan import Context, Plan
from byrote.plans.registry import as_plan


@dataclass(frozen=True, eq=False)
class Grouped(Plan):
    """Draw a plan of groups in place of records: the records of a group are held out together.

    A record with a twin in the training data has a score near 0, whatever was memorized. Held out
    together, the score of each is the effect of its whole group.

    Parameters
    ----------
    plan
        The plan of groups: its numbers of probes, folds and the like are those of groups. A group
        has the id and label of its first record.
    groups
        (n,) group of each record, integers or strings.

    Raises
    ------
    InvalidInput
        If the plan pairs fits, whose records change places one for one; or, when drawn, if there is
        not one group for each record.

    Examples
    --------
    >>> from byrote import KFold
    >>> from byrote.plans import design_of
    >>> design = design_of(Grouped(KFold(2, repeats=1), [0, 1, 0, 2, 3]), 5)
    >>> [rows.tolist() for rows in design.held_out]
    [[0, 2, 3], [1, 4]]
    """

    plan: Plan
    groups: ArrayLike
    by_row: ClassVar[bool] = True

    def __post_init__(self) -> None:
        plan = as_plan(self.plan)
        if getattr(plan, "pairs", False):
            raise InvalidInput(
                "plan must not pair fits (pairs=True) where groups are held out: the records of a"
                " pair change places one for one, and groups differ in size"
            )
        group = np.unique(checks.names("groups", self.groups), return_inverse=True)[1]
        self._set(plan=plan, groups=group, kind=f"grouped-{plan.kind}")
        self._set(size=plan.size, grows=plan.grows)

    def spec(self) -> dict[str, Any]:
        """Return the plan of groups, and their number; the membership is also compared."""
        return {**self.plan.spec(), "kind": self.kind, "groups": self._count}

    def resized(self, size: int) -> Self:
        """Return the plan with another size of the plan of groups."""
        return replace(self, plan=self.plan.resized(size))

    def _draw(self, context: Context, after: Design | None) -> Design:
        """Draw the plan of groups, and put the records in their places."""
        if len(self._group) != context.n:
            raise InvalidInput(
                f"groups must be one for each of {context.n} records; got {len(self._group)}"
            )
        first = np.unique(self._group, return_index=True)[1]
        labels = None if context.labels is None else context.labels[first]
        of_groups = replace(
            context, n=self._count, ids=context.ids[first], labels=labels, order=None
        )
        before = None if after is None else self.of_groups(after)
        return self.plan.draw(of_groups, before).mapped(self._records_of, context.n)

    def of_groups(self, design: Design) -> Design:
        """Return a design of this plan with groups in place of records."""
        return design.mapped(self._groups_of, self._count)

    def some(self, generator: np.random.Generator, least: int, groups: int) -> NDArray[np.intp]:
        """Return the rows of random groups, at least ``least`` rows and ``groups`` groups, or all.

        A larger number keeps the groups of a smaller one.
        """
        order = generator.permutation(self._count)
        sizes = np.cumsum(np.bincount(self._group)[order])
        enough = max(groups, int(np.searchsorted(sizes, least)) + 1)
        return np.flatnonzero(np.isin(self._group, order[:enough]))

    @property
    def _count(self) -> int:
        return int(self._group.max(initial=-1)) + 1

    def _groups_of(self, records: Rows) -> NDArray[np.intp]:
        return np.unique(self._group[records])

    def _records_of(self, groups: Rows) -> NDArray[np.intp]:
        return np.flatnonzero(np.isin(self._group, groups))

    @property
    def _group(self) -> NDArray[np.intp]:
        return np.asarray(self.groups)
