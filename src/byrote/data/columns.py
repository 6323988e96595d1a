"""Columns of tables: which hold numbers and which categories, and tables as arrays and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
NUMBER, NUMBER_WITH_GAPS = "number", "number?"  # kinds of columns; others are counts of categories


@dataclass(frozen=True)
class Column:
    """A column: numbers with their range, or categories.

    Attributes
    ----------
    name
        Its name in the data frame.
    dtype
        Type of its values, as a data frame has it.
    low, high
        Smallest and largest number over all tables; NaN for categories.
    categories
        Distinct values in the order of their codes, the most frequent first, so that codes do not
        depend on how categories are written; None for numbers.
    has_gaps
        Whether a value is missing in one of the tables.
    """

    name: Any
    dtype: Any
    low: float
    high: float
    categories: tuple[Any, ...] | None
    has_gaps: bool

    @property
    def span(self) -> float:
        """Range of the numbers; 1 where they are all equal."""
        return self.high - self.low if self.high > self.low else 1.0

    @property
    def kind(self) -> str | int:
        """Number, number with gaps, or how many categories, a missing value being one of them."""
        if self.categories is not None:
            return len(self.categories) + self.has_gaps
        return NUMBER_WITH_GAPS if self.has_gaps else NUMBER

    def values(self, series: "pd.Series[Any]") -> Array:
        """Return numbers, NaN where missing; or codes of categories.

        A missing value has the code after those of categories, an unknown category the next.
        """
        if self.categories is None:
            return np.asarray(series.astype("float64"))
        missing = len(self.categories)
        codes = series.map({value: code for code, value in enumerate(self.categories)})
        codes = codes.astype("float64").fillna(missing + 1)
        return np.where(series.isna(), missing, codes)

    def restored(self, values: Array) -> "pd.Series[Any]":
        """Invert ``values`` with the column's type, where that has a place for what is missing."""
        import pandas as pd  # noqa: PLC0415 (slow to load)

        if self.categories is None:
            whole = pd.api.types.is_integer_dtype(self.dtype)
            series = pd.Series(np.rint(values) if whole else values, name=self.name)
            without_gaps = whole and isinstance(self.dtype, np.dtype)
            return series if without_gaps and series.isna().any() else series.astype(self.dtype)
        known = [*self.categories, None]
        codes = values.astype(int).clip(0, len(self.categories))
        texts = pd.Series([known[code] for code in codes], name=self.name)
        return texts.astype("object" if texts.isna().any() else self.dtype)


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
        first = next(iter(frames))
        for name, frame in frames.items():
            _check_names(name, frame, first, frames[first])
        return cls(tuple(_column(column, frames) for column in frames[first].columns))

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

    @property
    def _gaps(self) -> list[int]:
        """Places of columns of numbers of which some are missing."""
        return [i for i, c in enumerate(self.columns) if c.categories is None and c.has_gaps]

    def _matrix(self, frame: "pd.DataFrame", columns: Any) -> Array:
        parts = [column.values(frame[column.name]) for column in columns]
        return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def _check_names(name: str, frame: "pd.DataFrame", first: str, other: "pd.DataFrame") -> None:
    names = list(frame.columns)
    if len(set(names)) < len(names) or not names or not len(frame):
        raise InvalidInput(
            f"{name} must have rows, and columns of different names; got {len(frame)} rows and"
            f" {len(names)} columns with {len(set(names))} names"
        )
    for missing in (c for c in other.columns if c not in names):
        raise InvalidInput(
            f"{name} must have the columns of {first}; it lacks {missing!r}"
            f"{did_you_mean(str(missing), [str(c) for c in names])}"
        )
    for unexpected in (c for c in names if c not in other.columns):
        raise InvalidInput(
            f"{name} must have the columns of {first}; it has also {unexpected!r} (drop it there,"
            " or add it here)"
        )


def _column(name: Any, frames: Mapping[str, "pd.DataFrame"]) -> Column:
    """Describe a column over all frames; one of numbers in all of them is numeric."""
    import pandas as pd  # noqa: PLC0415 (slow to load)
    from pandas.api import types  # noqa: PLC0415

    series = {frame: frames[frame][name] for frame in frames}
    for frame, values in series.items():
        if types.is_datetime64_any_dtype(values) or types.is_timedelta64_dtype(values):
            raise InvalidInput(
                f"{frame}: column {name!r} must hold numbers or categories; got {values.dtype}"
                " (convert it to a number, such as days)"
            )
    numeric = {
        frame: types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
        for frame, values in series.items()
        if not values.isna().all()
    }
    if len(set(numeric.values())) > 1:
        number, text = (
            next(f for f, is_ in numeric.items() if is_ is side) for side in (True, False)
        )
        raise InvalidInput(
            f"column {name!r} must hold numbers in all tables or in none; it does in {number}, not"
            f" in {text}"
        )
    pooled = pd.concat(list(series.values()), ignore_index=True)
    dtype, gaps = next(iter(series.values())).dtype, bool(pooled.isna().any())
    if not all(numeric.values()) or not numeric:
        counts = dict.fromkeys(pooled.dropna().unique(), 0)  # in the order of appearance
        counts.update(pooled.value_counts().items())
        ranked = sorted((value for value in counts if counts[value]), key=lambda v: -counts[v])
        return Column(name, dtype, np.nan, np.nan, tuple(ranked), gaps)
    values = np.asarray(pooled.astype("float64"))
    if np.isinf(values).any():
        raise InvalidInput(f"column {name!r} must be finite; got an infinite value")
    return Column(name, dtype, float(np.nanmin(values)), float(np.nanmax(values)), None, gaps)


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
