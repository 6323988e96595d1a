"""Columns of an Arrow table as NumPy arrays. No message quotes what a cell holds."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from byrote import checks
from byrote.data import memory, notices
from byrote.errors import InvalidInput, did_you_mean

_LONGEST_LIST = 5  # names in one message
_FEW = 64  # rows looked at first
_ID = re.compile(r"(?i:(.*[ _.-])?(id|index|uuid|key|nr|no|number|row)|unnamed: 0)|.*[a-z]I[dD]")


def check_names(names: Sequence[str], **asked: str | None) -> None:
    """Refuse names that occur twice, and options that name no column."""
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InvalidInput(f"column names must differ; repeated: {listed(repeated)}")
    for option, name in asked.items():
        if name is not None and name not in names:
            raise InvalidInput(
                f"{option} must name a column; there is no {name!r}" + did_you_mean(name, names)
            )


def listed(found: Sequence[str]) -> str:
    """Names for a message: the first few, and how many more there are."""
    more = f" and {len(found) - _LONGEST_LIST} more" if len(found) > _LONGEST_LIST else ""
    return ", ".join(map(repr, found[:_LONGEST_LIST])) + more


def pandas_index(schema: pa.Schema) -> Iterator[str]:
    """Names of the columns that hold the index that pandas wrote along with a frame."""
    try:
        stored = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))["index_columns"]
        return iter([name for name in stored if isinstance(name, str)])  # a range is a dict
    except (ValueError, TypeError, LookupError, RecursionError):  # damaged, or another program's
        return iter(())


def is_number(kind: pa.DataType) -> bool:
    """Tell whether values of this type go into a matrix; an empty column is one with gaps."""
    of = pa.types
    tests = (of.is_integer, of.is_floating, of.is_boolean, of.is_decimal, of.is_null)
    return any(test(kind) for test in tests)


def is_number_list(kind: pa.DataType) -> bool:
    """Tell whether this is a type of lists of numbers, of fixed length or not."""
    of = pa.types
    is_list = of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind)
    return is_list and is_number(kind.value_type)


def is_name(kind: pa.DataType) -> bool:
    """Tell whether values of this type can be labels or ids: integers, strings, categories."""
    of = pa.types
    if of.is_dictionary(kind):
        kind = kind.value_type
    tests = (of.is_integer, of.is_string, of.is_large_string)
    return any(test(kind) for test in tests)


def matrix(
    fields: Sequence[pa.Field],
    batches: Iterable[pa.RecordBatch],
    count: int,
    chosen: NDArray[np.intp] | None = None,
) -> np.ndarray:
    """Put columns of numbers side by side: (count, columns), float32 only where all are.

    Parameters
    ----------
    fields
        The columns.
    batches
        Of rows, ``count`` in all.
    count
        How many rows there are.
    chosen
        Numbers of the rows to take, in order; all if not given.

    Raises
    ------
    InvalidInput
        If a column is not numeric or has missing values, or they would take most of the memory
        available.
    """
    odd = [field.name for field in fields if not is_number(field.type)]
    if odd:
        columns = "column" if len(odd) == 1 else "columns"
        raise InvalidInput(
            f"values must be numeric; name {columns} {listed(odd)} as labels or ids, or drop"
            f" {'it' if len(odd) == 1 else 'them'}"
        )
    if not fields:
        raise InvalidInput("no column of values is left beside labels and ids")
    shape = (count if chosen is None else len(chosen), len(fields))
    out = _room(shape, _float(field.type for field in fields))
    gaps: Counter[str] = Counter()
    for rows, batch in _rows(batches, count, chosen):
        for j, field in enumerate(fields):
            out[rows, j] = _floats(batch.column(field.name), out.dtype)
            gaps[field.name] += int(np.isnan(out[rows, j]).sum())
    _refuse_gaps(+gaps)
    return out


def list_matrix(
    field: pa.Field,
    batches: Iterable[pa.RecordBatch],
    count: int,
    chosen: NDArray[np.intp] | None = None,
) -> np.ndarray:
    """Unpack a column of equally long lists of numbers: (count, length); as ``matrix``.

    Raises
    ------
    InvalidInput
        If lengths differ or values are missing.
    """
    wanted = count if chosen is None else len(chosen)
    out = np.empty((wanted, 0), _float([field.type.value_type]))
    gaps = 0
    for rows, batch in _rows(batches, count, chosen):
        column = batch.column(field.name)
        if column.null_count:
            raise InvalidInput(
                f"column {field.name!r} must hold a list in every row; some are missing"
            )
        lengths = pc.list_value_length(column).to_numpy()
        if rows.start == 0:
            out = _room((wanted, int(lengths[0])), out.dtype)
        if (lengths != out.shape[1]).any():
            raise InvalidInput(f"the lists of column {field.name!r} must all be of one length")
        out[rows] = _floats(column.flatten(), out.dtype).reshape(len(column), -1)
        gaps += int(np.isnan(out[rows]).sum())
    _refuse_gaps(Counter({field.name: gaps} if gaps else {}))
    return out


def names(option: str, name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Read a column as labels or ids: (n,) int64 or strings.

    Raises
    ------
    InvalidInput
        If it holds anything else, or values are missing.
    """
    if not is_name(column.type):
        raise InvalidInput(f"{option} must be integers or strings; {name!r} holds {column.type}")
    if column.null_count:
        _refuse_gaps(Counter({name: column.null_count}))
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return checks.names(option, column.to_numpy())


def written_names(option: str, name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Read a column of text as labels or ids: int64 where all are written as plain integers.

    Codes such as 007 stay strings: as numbers they could no longer be found in the user's data.
    """
    if pc.any(pc.match_substring(column, "\n")).as_py():
        raise InvalidInput(
            f"{option} must each be on one line; column {name!r} holds line breaks, as after a"
            " quote that is not closed"
        )
    gaps = column.null_count + pc.sum(pc.equal(column, "")).as_py() if len(column) else 0
    if gaps:
        _refuse_gaps(Counter({name: gaps}))
    trimmed = pc.utf8_trim_whitespace(column)
    if pc.all(pc.match_substring_regex(trimmed, r"^(0|-?[1-9]\d{0,17})$")).as_py():
        column = trimmed.cast(pa.int64())
    return names(option, name, column)


def caution_ids(names: Sequence[str], x: NDArray[np.floating[Any]]) -> None:
    """Say which columns of a table look like ids: integers, all different.

    They rise by one from row to row, or are named as ids are; and other columns are left.
    """
    found = [
        name for name, column in zip(names, x.T, strict=True) if len(x) > 2 and _is_id(name, column)
    ]
    if 0 < len(found) < x.shape[1]:
        noun = "column" if len(found) == 1 else "columns"
        verb = "looks" if len(found) == 1 else "look"
        notices.caution(
            f"{noun} {listed(found)} {verb} like ids, which a model would learn as values; name"
            " one as ids (--ids NAME), or leave it out"
        )


def _is_id(name: str, column: NDArray[np.floating[Any]]) -> bool:
    if (np.diff(column[:_FEW]) == 0).any() or not (column == np.rint(column)).all():
        return False
    return bool((np.diff(column) == 1).all()) or (
        _ID.fullmatch(name) is not None and len(np.unique(column)) == len(column)
    )


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    memory.require(
        math.prod(shape) * dtype.itemsize,
        f"{shape[0]:,} rows of {shape[1]:,} numbers",
        "take fewer (records=N)",
    )
    return np.empty(shape, dtype)


def _rows(
    batches: Iterable[pa.RecordBatch], count: int, chosen: NDArray[np.intp] | None
) -> Iterator[tuple[slice, pa.RecordBatch]]:
    """Give batches, or what is chosen of them, with the place that each takes."""
    start = done = 0
    for batch in batches:
        stop = start + len(batch)
        part = batch
        if chosen is not None:
            first, last = np.searchsorted(chosen, (start, stop))
            part = batch.take(pa.array(chosen[first:last] - start))
        if stop <= count and len(part):
            yield slice(done, done + len(part)), part
            done += len(part)
        start = stop
    if start != count:
        raise InvalidInput(f"the file is damaged: {count} rows expected, {start} found")


def _float(kinds: Iterable[pa.DataType]) -> np.dtype:
    return np.dtype(np.float32 if all(map(pa.types.is_float32, kinds)) else np.float64)


def _floats(column: pa.Array, dtype: np.dtype) -> np.ndarray:
    # unsafe allows integers beyond 2**53, which a float rounds; nulls become NaN
    values: np.ndarray = column.cast(pa.from_numpy_dtype(dtype), safe=False).to_numpy(
        zero_copy_only=False
    )
    return values


def _refuse_gaps(gaps: Counter[str]) -> None:
    if gaps:
        name, times = gaps.most_common(1)[0]
        more = f", and {len(gaps) - 1} more columns have some" if len(gaps) > 1 else ""
        raise InvalidInput(f"values must not be missing; column {name!r} lacks {times}{more}")
