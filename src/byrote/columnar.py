"""Bases of results: tables of equal columns, frozen ones, and frozen plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.display import Displayed
from byrote.errors import CorruptFile, InvalidInput
from byrote.runs import files, sealed

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class PlainData:
    """Base of frozen results whose fields are numbers, text and the like."""

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, one entry per field."""
        return asdict(self)


class Tabular:
    """Base of results with equal columns."""

    def columns(self) -> Mapping[str, Any]:
        """Return the columns by name."""
        raise NotImplementedError

    def to_frame(self) -> "pd.DataFrame":
        """Return the columns as a data frame."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        return pd.DataFrame(self.columns())


@dataclass(frozen=True, eq=False, repr=False)
class Columnar(Tabular, Displayed):
    """Base of frozen results with one row per record, canary or sample.

    Fields that hold arrays are columns; ``ids`` is the column "id". Everything else is facts:
    ``facts`` and ``from_columns`` convert them to JSON and back.
    """

    FORMAT: ClassVar[str]  # of a saved file
    CONTENT: ClassVar[str]  # of a saved file, in words

    ids: NDArray[Any]

    def __len__(self) -> int:
        return len(self.ids)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name, (n,) each."""
        columns = {name: value for name, value in vars(self).items() if _is_column(value)}
        return {"id": columns.pop("ids"), **columns}

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data."""
        names = [field.name for field in fields(self)]
        return {name: getattr(self, name) for name in names if not _is_column(getattr(self, name))}

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> Self:
        """Make a result from what ``columns`` and ``facts`` return."""
        names = {field.name for field in fields(cls)}
        values = {name: value for name, value in {**columns, **facts}.items() if name in names}
        return cls(ids=columns["id"], **values)

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """Select rows, by number or by a mask."""
        values = vars(self).items()
        return replace(self, **{name: value[rows] for name, value in values if _is_column(value)})

    def where(self, condition: NDArray[np.bool_], other: Self) -> Self:
        """Replace the rows where ``condition``, (n,), is false by those of ``other``."""
        columns = {
            name: np.where(condition, value, getattr(other, name))
            for name, value in vars(self).items()
            if _is_column(value)
        }
        return replace(self, **columns)

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Put tables one after the other; facts are those of the first."""
        names = [name for name, value in vars(parts[0]).items() if _is_column(value)]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return replace(parts[0], **columns)

    def save(self, path: str | Path) -> None:
        """Write the result to one Parquet file.

        Raises
        ------
        InvalidInput
            If its folder does not exist.
        """
        sealed.check_destination(path)
        sealed.write_parquet(Path(path), self.columns(), {"format": self.FORMAT, **self.facts()})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote.

        Raises
        ------
        InvalidInput
            If the file does not exist.
        CorruptFile
            If the file is damaged or holds something else.
        CannotRead
            If the disk does not return it, or memory does not suffice.
        """
        path = checks.path("path", path)
        with files.reading(path):
            if not path.is_file():
                raise InvalidInput(f"path must name a file; {path} does not exist")
        table, facts = sealed.read_parquet(path)
        if facts.get("format") != cls.FORMAT:
            raise CorruptFile(f"{path} holds no {cls.CONTENT}")
        with files.parsing(path):
            columns = {name: sealed.column(table[name]) for name in table.column_names}
            return cls.from_columns(columns, facts)


def _is_column(value: Any) -> bool:
    return isinstance(value, np.ndarray)
