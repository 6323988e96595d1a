"""A column of a table: numbers or categories, described over one or more data frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.content_order import (
    category_marks,
    content_hashes,
    number_marks,
    ranked_categories,
)
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
        depend on how categories are written (``content_order``); None for numbers.
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


def describe_columns(frames: Mapping[str, "pd.DataFrame"]) -> tuple[Column, ...]:
    """Describe the columns of data frames, in the order of the first; see ``Columns.of``."""
    first = next(iter(frames))
    for name, frame in frames.items():
        _check_names(name, frame, first, frames[first])
    return tuple(_with_categories([_described(name, frames) for name in frames[first].columns]))


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


def _with_categories(described: Sequence[tuple[Column, "pd.Series[Any]"]]) -> list[Column]:
    """Give columns of categories theirs; each is described with its values over all frames."""
    if all(column.categories is None for column, _ in described):
        return [column for column, _ in described]
    marks = (
        (
            column.name,
            number_marks(np.asarray(values.astype("float64")))
            if column.categories is None
            else category_marks(values),
        )
        for column, values in described
    )
    hashes = content_hashes(len(described[0][1]), marks)
    return [
        column
        if column.categories is None
        else replace(column, categories=ranked_categories(values, hashes))
        for column, values in described
    ]


def _described(name: Any, frames: Mapping[str, "pd.DataFrame"]) -> tuple[Column, "pd.Series[Any]"]:
    """Describe a column over all frames, but for categories, and return its values in all."""
    import pandas as pd  # noqa: PLC0415 (slow to load)
    from pandas.api import types  # noqa: PLC0415

    series = {frame: frames[frame][name] for frame in frames}
    for frame, values in series.items():
        if types.is_datetime64_any_dtype(values) or types.is_timedelta64_dtype(values):
            where = f"{frame}: " if len(frames) > 1 else ""
            raise InvalidInput(
                f"{where}column {name!r} must hold numbers or categories; got {values.dtype} (make"
                f" it a number, such as days, or drop it: --drop {name})"
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
        return Column(name, dtype, np.nan, np.nan, (), gaps), pooled
    values = np.asarray(pooled.astype("float64"))
    if np.isinf(values).any():
        raise InvalidInput(
            f"column {name!r} must be finite; got an infinite value (leave its cell empty, as one"
            f" that is missing, or drop the column: --drop {name})"
        )
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return Column(name, dtype, low, high, None, gaps), pooled
