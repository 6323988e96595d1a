"""Columns of an Arrow table as NumPy arrays of values, labels and ids. No message quotes a cell."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from byrote import checks
from byrote.data import memory
from byrote.errors import InvalidInput


def pandas_index(schema: pa.Schema) -> Iterator[str]:
    """Yield the names of columns that hold the index of a frame written by pandas."""
    try:
        stored = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))["index_columns"]
        return iter([name for name in stored if isinstance(name, str)])  # a range is a dict
    except (ValueError, TypeError, LookupError, RecursionError):  # damaged, or not by pandas
        return iter(())


def is_number(kind: pa.DataType) -> bool:
    """Whether values of this type are numbers; an empty column is one of missing numbers."""
    of = pa.types
    tests = (of.is_integer, of.is_floating, of.is_boolean, of.is_decimal, of.is_null)
    return any(test(kind) for test in tests)


def is_number_list(kind: pa.DataType) -> bool:
    """Whether values of this type are lists of numbers, of fixed length or not."""
    of = pa.types
    is_list = of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind)
    return is_list and is_number(kind.value_type)


def is_label(kind: pa.DataType) -> bool:
    """Whether values of this type can be labels or ids: integers, strings, categories."""
    of = pa.types
    if of.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in (of.is_integer, of.is_string, of.is_large_string))


def matrix(
    fields: Sequence[pa.Field],
    batches: Iterable[pa.RecordBatch],
    count: int,
    rows: NDArray[np.intp] | None = None,
) -> np.ndarray:
    """Return columns of numbers as a matrix (count, columns), float32 only if all columns are.

    ``count`` is the number of rows in the file; ``rows`` are the sorted numbers of those to read.
    Missing values are NaN. A matrix too large for memory is refused.
    """
    shape = (count if rows is None else len(rows), len(fields))
    out = _allocate(shape, _float_type(field.type for field in fields))
    for target, batch in _selected(batches, count, rows):
        for j, field in enumerate(fields):
            out[target, j] = _as_floats(batch.column(field.name), out.dtype)
    return out


def list_matrix(
    field: pa.Field,
    batches: Iterable[pa.RecordBatch],
    count: int,
    rows: NDArray[np.intp] | None = None,
) -> np.ndarray:
    """Return a column of equally long lists of numbers as a matrix (count, length), as `matrix`."""
    n = count if rows is None else len(rows)
    out = np.empty((n, 0), _float_type([field.type.value_type]))
    missing = 0
    for target, batch in _selected(batches, count, rows):
        column = batch.column(field.name)
        if column.null_count:
            raise InvalidInput(
                f"column {field.name!r} must hold a list in every row; some are missing"
            )
        lengths = pc.list_value_length(column).to_numpy()
        if target.start == 0:
            out = _allocate((n, int(lengths[0])), out.dtype)
        if (lengths != out.shape[1]).any():
            raise InvalidInput(f"the lists of column {field.name!r} must all have the same length")
        out[target] = _as_floats(column.flatten(), out.dtype).reshape(len(column), -1)
        missing += int(np.isnan(out[target]).sum())
    _refuse_missing(Counter({field.name: missing} if missing else {}))
    return out


def label_column(option: str, name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Return a column of labels or ids, (n,), as int64 or strings; missing values are refused."""
    if not is_label(column.type):
        raise InvalidInput(f"{option} must be integers or strings; {name!r} holds {column.type}")
    if column.null_count:
        _refuse_missing(Counter({name: column.null_count}), option)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    values = checks.names(option, column.to_numpy())
    if option == "ids":
        checks.unique(f"ids, column {name!r},", values)
    return values


def label_column_of_text(option: str, name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Return a text column of labels or ids, as int64 if all are plain decimal integers.

    Codes such as 007 stay strings: as numbers they could not be found in the user's data.
    """
    if pc.any(pc.match_substring(column, "\n")).as_py():
        raise InvalidInput(
            f"{option} must each be on one line; column {name!r} holds line breaks, as after a"
            " quote that is not closed"
        )
    missing = column.null_count + pc.sum(pc.equal(column, "")).as_py() if len(column) else 0
    if missing:
        _refuse_missing(Counter({name: missing}), option)
    trimmed = pc.utf8_trim_whitespace(column)
    if pc.all(pc.match_substring_regex(trimmed, r"^(0|-?[1-9]\d{0,17})$")).as_py():
        column = trimmed.cast(pa.int64())
    return label_column(option, name, column)


def _allocate(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    memory.require(
        math.prod(shape) * dtype.itemsize,
        f"{shape[0]:,} rows of {shape[1]:,} numbers",
        "take fewer (records=N)",
    )
    return np.empty(shape, dtype)


def _selected(
    batches: Iterable[pa.RecordBatch], count: int, rows: NDArray[np.intp] | None
) -> Iterator[tuple[slice, pa.RecordBatch]]:
    start = filled = 0
    for batch in batches:
        stop = start + len(batch)
        part = batch
        if rows is not None:
            first, last = np.searchsorted(rows, (start, stop))
            part = batch.take(pa.array(rows[first:last] - start))
        if stop <= count and len(part):
            yield slice(filled, filled + len(part)), part
            filled += len(part)
        start = stop
    if start != count:
        raise InvalidInput(f"the file is damaged: {count} rows expected, {start} found")


def _float_type(kinds: Iterable[pa.DataType]) -> np.dtype:
    return np.dtype(np.float32 if all(map(pa.types.is_float32, kinds)) else np.float64)


def _as_floats(column: pa.Array, dtype: np.dtype) -> np.ndarray:
    # unsafe allows integers beyond 2**53, which a float rounds; nulls become NaN
    values: np.ndarray = column.cast(pa.from_numpy_dtype(dtype), safe=False).to_numpy(
        zero_copy_only=False
    )
    return values


def _refuse_missing(missing: Counter[str], noun: str = "values") -> None:
    if missing:
        name, times = missing.most_common(1)[0]
        more = f", and {len(missing) - 1} more columns have some" if len(missing) > 1 else ""
        raise InvalidInput(f"{noun} must not be missing; column {name!r} lacks {times}{more}")
