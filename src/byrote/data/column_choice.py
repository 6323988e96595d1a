"""Which columns of a table are values, labels and ids: the options, as they are given and kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from byrote import checks
from byrote.data.column_names import check_columns, split_names
from byrote.errors import InvalidInput, did_you_mean


@dataclass(frozen=True)
class ColumnChoice:
    """Which columns of a table are values, labels and ids, and what they hold.

    Attributes
    ----------
    columns
        The only columns of values, which are taken as they are; empty for all.
    drop
        Columns that are left out.
    categories
        Columns of categories, though they hold numbers or many texts.
    labels, ids
        Columns of labels and ids.
    standardize
        As in ``Records``.
    """

    columns: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    labels: str | None = None
    ids: str | None = None
    standardize: bool | None = None

    @classmethod
    def parse(
        cls,
        columns: str | None,
        drop: str | None,
        categories: str | None,
        labels: str | None,
        ids: str | None,
        standardize: str | None,
    ) -> "ColumnChoice":
        """Parse options as they are kept with records: names separated by commas, yes or no."""
        if standardize is not None:
            checks.choice("standardize", standardize, ("yes", "no"))
        return cls(
            split_names("columns", columns),
            split_names("drop", drop),
            split_names("categories", categories),
            labels,
            ids,
            None if standardize is None else standardize == "yes",
        )

    def within(self, names: Sequence[str]) -> "ColumnChoice":
        """Return the choice for a table of these columns, which may lack some that are left out."""
        left_out = [name for name in (*self.drop, self.labels, self.ids) if name in names]
        return replace(self, drop=tuple(filter(None, left_out)), labels=None, ids=None)

    def values(self, names: Sequence[str]) -> list[str]:
        """Return the names of columns of values, in the order of the table.

        Refuses names that are not in the table, or are both values and left out.
        """
        check_columns(names, labels=self.labels, ids=self.ids)
        for option in ("columns", "drop", "categories"):
            for name in getattr(self, option):
                if name not in names:
                    hint = did_you_mean(name, names)
                    raise InvalidInput(
                        f"{option} must name columns of the table; got {name!r}{hint}"
                    )
        left_out = {*self.drop, self.labels, self.ids}
        for option in ("columns", "categories"):
            if contradicted := [name for name in getattr(self, option) if name in left_out]:
                raise InvalidInput(
                    f"{option} must not name what drop, labels or ids name; got {contradicted[0]!r}"
                )
        wanted = [name for name in names if name not in left_out]
        return [name for name in wanted if not self.columns or name in self.columns]


def yes_or_no(option: str, value: Any) -> str | None:
    """Return a truth value as it is kept with records, yes or no; None for None."""
    if value is None or value in ("yes", "no"):
        return value
    return "yes" if checks.flag(option, value) else "no"
