"""Columns of tables, and tables as arrays of numbers and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.column import NUMBER, Array, Column, describe_columns
from byrote.data.content_order import content_hashes, number_marks, order_of_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Columns:
    """The columns of one or more data frames, in the order of the first.

    ``encode`` gives an array of numbers for a run, which ``decode`` turns into the frame again:
    numbers, codes of categories and, for numbers with gaps, whether each is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [30.0, None], "sex": ["f", "m"]})
    >>> columns = Columns.of({"train": frame})
    >>> columns.encode(frame).tolist()
    [[30.0, 0.0, 0.0], [30.0, 1.0, 1.0]]
    >>> columns.decode(columns.encode(frame)).equals(frame)
    True
    >>> columns.kinds
    ('number?', 2)
    """

    columns: tuple[Column, ...]

    @classmethod
    def of(cls, frames: Mapping[str, "pd.DataFrame"]) -> "Columns":
        """Describe the columns of data frames, by the name of each for messages.

        Raises
        ------
        InvalidInput
            If names differ or repeat, or a column holds neither numbers nor categories.
        """
        return cls(describe_columns(frames))

    @classmethod
    def of_numbers(cls, names: Sequence[Any], values: Array) -> "Columns":
        """Describe columns of numbers without gaps, (n, d)."""
        dtype, ends = values.dtype, (values.min(axis=0).tolist(), values.max(axis=0).tolist())
        return cls(
            tuple(
                Column(name, dtype, low, high, None, has_gaps=False)
                for name, low, high in zip(names, *ends, strict=True)
            )
        )

    @property
    def names(self) -> list[Any]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def kinds(self) -> tuple[str | int, ...]:
        """Kind of each column: "number", "number?" (some are missing) or a count of categories."""
        return tuple(column.kind for column in self.columns)

    def first_not_number(self) -> Column | None:
        """Return the first column of categories or with missing values, if any."""
        return next((c for c in self.columns if c.kind != NUMBER), None)

    @property
    def width(self) -> int:
        """Number of columns of the array that ``encode`` returns."""
        return len(self.columns) + len(self._gaps)

    def numbers(self, frame: "pd.DataFrame") -> Array:
        """Return the columns of numbers, (n, p), NaN where missing."""
        return self._matrix(frame, [c for c in self.columns if c.categories is None])

    def spans(self) -> Array:
        """Return the ranges of the columns of numbers, (p,)."""
        return np.array([c.span for c in self.columns if c.categories is None])

    def codes(self, frame: "pd.DataFrame") -> NDArray[np.int32]:
        """Return codes of the columns of categories, (n, q)."""
        categories = [c for c in self.columns if c.categories is not None]
        return self._matrix(frame, categories).astype(np.int32)

    def encode(self, frame: "pd.DataFrame") -> Array:
        """Return a frame with these columns as finite numbers, (n, d)."""
        values = self._matrix(frame, self.columns)
        lows = np.array([column.low for column in self.columns])
        gaps = np.isnan(values[:, self._gaps])
        return np.column_stack([np.where(np.isnan(values), lows, values), gaps])

    def decode(self, values: NDArray[Any]) -> "pd.DataFrame":
        """Return the frame that ``encode`` turned into these numbers."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        table = np.array(values[:, : len(self.columns)], np.float64)
        table[self.missing(values)] = np.nan
        series = [c.restored(v) for c, v in zip(self.columns, table.T, strict=True)]
        return pd.concat(series, axis=1)

    def missing(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which numbers are missing in an array from ``encode``, (n, columns)."""
        missing = np.zeros((len(values), len(self.columns)), np.bool_)
        missing[:, self._gaps] = values[:, len(self.columns) :] > 0
        return missing

    def by_name(self) -> "Columns":
        """Return the columns in the order of their names."""
        return Columns(tuple(sorted(self.columns, key=lambda column: str(column.name))))

    def places(self, columns: "Columns") -> NDArray[np.intp]:
        """Return where ``encode`` puts the values of the same columns in another order, (d,)."""
        width = len(self.columns)
        values = {column.name: place for place, column in enumerate(self.columns)}
        gaps = {self.columns[i].name: width + place for place, i in enumerate(self._gaps)}
        ordered = columns.columns
        return np.array(
            [*(values[c.name] for c in ordered), *(gaps[ordered[i].name] for i in columns._gaps)]
        )

    def order_of_rows(self, values: NDArray[Any], ids: NDArray[Any]) -> NDArray[np.intp]:
        """Return rows of an array from ``encode`` in the order of their content, (n,)."""
        missing = self.missing(values)
        marks = (
            (column.name, number_marks(np.where(missing[:, place], np.nan, values[:, place])))
            for place, column in enumerate(self.columns)
        )
        return order_of_rows(content_hashes(len(values), marks), ids)

    @property
    def _gaps(self) -> list[int]:
        """Places of columns of numbers of which some are missing."""
        return [i for i, c in enumerate(self.columns) if c.categories is None and c.has_gaps]

    def _matrix(self, frame: "pd.DataFrame", columns: Any) -> Array:
        parts = [column.values(frame[column.name]) for column in columns]
        return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def is_frame(data: Any) -> bool:
    """Whether data is a data frame: of pandas, or of a library that shares Arrow tables.

    Examples
    --------
    >>> import pandas as pd
    >>> is_frame(pd.DataFrame()), is_frame(np.zeros((2, 2)))
    (True, False)
    """
    if isinstance(data, type):
        return False
    return (hasattr(data, "iloc") and hasattr(data, "columns")) or is_arrow(data)


def is_arrow(data: Any) -> bool:
    """Whether data is a table that can be read as Arrow's, as those of Polars and DuckDB."""
    return hasattr(data, "__arrow_c_stream__") and not hasattr(data, "iloc")
