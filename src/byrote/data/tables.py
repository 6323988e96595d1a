"""Tables as records: data frames, and columns of Arrow tables."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from byrote.data.arrow_columns import is_number, matrix, pandas_index
from byrote.data.column_choice import ColumnChoice
from byrote.data.columns import Columns
from byrote.data.doubtful_columns import check_empty, check_ids, check_texts, name_few_numbers
from byrote.data.records import Records, as_values
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
_BATCH = 4096  # rows converted at a time
ReadLabels = Callable[[str, str, pa.ChunkedArray], Array]


def table_records(table: pa.Table, choice: ColumnChoice, read_labels: ReadLabels) -> Records:
    """Make records of a table: numbers as they are, and codes of categories.

    ``read_labels`` turns a column of labels or ids into an array, by option and name.
    """
    names = value_columns(table.schema, choice)
    arrays = {
        option: read_labels(option, name, table.column(name))
        for option, name in (("labels", choice.labels), ("ids", choice.ids))
        if name is not None
    }
    table = table.select(names)
    if holds_numbers(table.schema, choice):
        x = matrix([*table.schema], table.to_batches(_BATCH), len(table))
        return number_records(names, x, choice, **arrays)
    return frame_records(as_frame(table), choice, **arrays)


def value_columns(schema: pa.Schema, choice: ColumnChoice) -> list[str]:
    """Return the names of columns of values, without an index that pandas wrote."""
    index = {*pandas_index(schema)}.difference(choice.columns)
    names = [name for name in choice.values(schema.names) if name not in index]
    if not names:
        raise InvalidInput("the table must have a column of values in addition to labels and ids")
    return names


def holds_numbers(schema: pa.Schema, choice: ColumnChoice) -> bool:
    """Whether all columns of values are numbers, and none is to be one of categories."""
    kinds = [field.type for field in schema]
    numbers = all(is_number(kind) and not pa.types.is_boolean(kind) for kind in kinds)
    return numbers and not choice.categories


def as_frame(table: pa.Table) -> "pd.DataFrame":
    """Convert columns of numbers, texts, truth values and dates; refuse others."""
    of = pa.types
    for place, field in enumerate(table.schema):
        kind = field.type.value_type if of.is_dictionary(field.type) else field.type
        texts = of.is_string(kind) or of.is_large_string(kind)
        if not (is_number(kind) or texts or of.is_temporal(kind)):
            raise InvalidInput(
                f"column {field.name!r} must hold numbers or categories; got {kind} (drop it:"
                f" --drop {field.name})"
            )
        if of.is_decimal(kind) or of.is_null(kind):
            floats = table.column(place).cast(pa.float64())
            table = table.set_column(place, field.name, floats)
    frame: pd.DataFrame = table.to_pandas(date_as_object=False, ignore_metadata=True)
    return frame


def value_frame(table: pa.Table, choice: ColumnChoice) -> "pd.DataFrame":
    """Return the columns of values as a data frame."""
    frame = as_frame(table.select(value_columns(table.schema, choice)))
    return frame.astype(dict.fromkeys(choice.categories, "category"))


def checked_frame(table: pa.Table, choice: ColumnChoice) -> "pd.DataFrame":
    """Return the columns of values as a data frame, checked as records are."""
    frame = value_frame(table, choice)
    _check(frame, Columns.of({"X": frame}), choice)
    return frame


def frame_records(
    frame: "pd.DataFrame", choice: ColumnChoice, *, labels: Any = None, ids: Any = None
) -> Records:
    """Make records of a data frame of values, with ids and labels."""
    _check_rows(len(frame))
    frame = frame.astype(dict.fromkeys(choice.categories, "category"))
    columns = Columns.of({"X": frame})
    _check(frame, columns, choice)
    x = columns.encode(frame)
    return Records(x, ids, labels, columns=columns, standardize=choice.standardize)


def number_records(
    names: Sequence[str], x: Array, choice: ColumnChoice, *, labels: Any = None, ids: Any = None
) -> Records:
    """Make records of columns of numbers, (n, d), NaN where missing."""
    _check_rows(len(x))
    if np.isnan(x).any():
        import pandas as pd  # noqa: PLC0415 (slow to load)

        return frame_records(pd.DataFrame(x, columns=[*names]), choice, labels=labels, ids=ids)
    x = as_values("X", x)
    columns = Columns.of_numbers(names, x)
    _check(dict(zip(names, x.T, strict=True)), columns, choice)
    return Records(x, ids, labels, columns=columns, standardize=choice.standardize)


def _check_rows(count: int) -> None:
    if not count:
        raise InvalidInput("the table must have rows of records; it has names of columns alone")


def _check(values: Any, columns: Columns, choice: ColumnChoice) -> None:
    """Refuse or name what may not be the values that it looks like, unless it was asked for."""
    taken = {*choice.columns, *choice.categories}
    check_empty(columns)
    check_ids(values, columns, taken)
    check_texts(columns, len(values[columns.names[0]]), taken)
    name_few_numbers(values, columns, taken)
