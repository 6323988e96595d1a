"""Tables: CSV of numbers, and Parquet of numbers, lists or encoded images."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from byrote.data import columns
from byrote.data.choice import chosen_rows
from byrote.data.comma_separated import parse_csv, text_of_file
from byrote.data.geometry import Geometry
from byrote.data.images import stack
from byrote.data.parquet import open_parquet, rows_at_a_time
from byrote.data.records import Records
from byrote.errors import InvalidInput

_BATCH = 4096  # rows converted at a time
_IMAGE_BATCH = 64  # encoded images held at a time
_VALUES = 1 << 22  # of lists, converted at a time
_USUAL_LABELS = ("label", "labels", "fine_label")


def load_csv(source: str, *, labels: str | None = None, ids: str | None = None) -> Records:
    r"""Load a CSV file: UTF-8, commas, a line of column names, numbers.

    Parameters
    ----------
    source
        Path of the file.
    labels, ids
        Names of columns, of integers or text; all other columns are values.

    Returns
    -------
    Records
        (n, columns), float64.

    Raises
    ------
    InvalidInput
        If lines or names are malformed, a value is missing or a column is not numeric.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n")
    ...     records = load_csv(f"{folder}/t.csv", labels="kind")
    >>> records.x.tolist(), records.labels.tolist()
    ([[1.0, 2.0], [3.0, 4.0]], ['x', 'y'])
    """
    named_columns = [name for name in (labels, ids) if name is not None]
    table = parse_csv(text_of_file(source), text=named_columns)
    header = table.column_names
    columns.check_names(header, labels=labels, ids=ids)
    fields = [field for field in table.schema if field.name not in (labels, ids)]
    x = columns.matrix(fields, table.to_batches(_BATCH), len(table))
    named: dict[str, Any] = {
        option: columns.written_names(option, name, table.column(name))
        for option, name in (("labels", labels), ("ids", ids))
        if name is not None
    }
    columns.caution_ids([field.name for field in fields], x)
    return Records(x, **named)


def load_parquet(
    source: str,
    *,
    key: str | None = None,
    labels: str | None = None,
    ids: str | None = None,
    image: Geometry | None = None,
    records: int | None = None,
) -> Records:
    """Load a Parquet file: columns of numbers, one column of lists, or one of encoded images.

    Parameters
    ----------
    source
        Path of the file. The index that pandas writes along with a frame is no column of values.
    key
        Name of the column of images (bytes, or bytes with a path as Hugging Face writes them) or
        of lists of numbers; may be left out where only one column holds images.
    labels, ids
        Names of columns, of integers or strings. Without ``labels``, images take theirs from a
        column label, labels or fine_label if there is one.
    image
        What to do with each image; nothing if not given.
    records
        How many to take, a random choice; all if not given.

    Returns
    -------
    Records
        Images as `byrote.data.images.stack` gives them; numbers (n, d), float32 if all are.

    Raises
    ------
    InvalidInput
        If the file is damaged, a name is not in it, values are missing, not numeric or of
        different lengths, images cannot be decoded into one array, or ``image`` is given where
        there are none.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow.parquet as pa_parquet
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pa.table({"a": [1.0, 2.0], "b": [3.0, 4.0], "name": ["u", "v"]})
    ...     pa_parquet.write_table(table, f"{folder}/t.parquet")
    ...     records = load_parquet(f"{folder}/t.parquet", ids="name")
    >>> records.x.tolist(), records.ids.tolist()
    ([[1.0, 3.0], [2.0, 4.0]], ['u', 'v'])
    """
    with open_parquet(source) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
        columns.check_names(schema.names, key=key, labels=labels, ids=ids)
        key_field = _choose(schema, key, {labels, ids})
        if labels is None and key_field is not None and _is_image(key_field.type):
            labels = next((name for name in _USUAL_LABELS if _can_label(schema, name, ids)), None)
        rows = None if records is None else chosen_rows(count, records)
        named: dict[str, Any] = {"ids": rows} if rows is not None and ids is None else {}
        for option, name in (("labels", labels), ("ids", ids)):
            if name is not None:
                column = columns.names(option, name, file.read(columns=[name]).column(name))
                named[option] = column if rows is None else column[rows]
        if key_field is None or not _is_image(key_field.type):
            return Records(_values(file, key_field, {labels, ids}, image, rows), **named)
    images = _encoded(source, key_field, rows)
    return Records(stack(images, count if rows is None else len(rows), image), **named)


def _is_image(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _is_image(kind.field(place).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _can_label(schema: pa.Schema, name: str, ids: str | None) -> bool:
    return name in schema.names and name != ids and columns.is_name(schema.field(name).type)


def _choose(schema: pa.Schema, key: str | None, taken: set[str | None]) -> pa.Field | None:
    """Find the column that holds whole records; None if each record is a row of numbers."""
    if key is not None:
        field = schema.field(key)
        if not (_is_image(field.type) or columns.is_number_list(field.type)):
            raise InvalidInput(f"key must name a column of images or of lists; {key!r} is neither")
        return field
    fields = [field for field in schema if field.name not in taken]
    images = [field for field in fields if _is_image(field.type)]
    whole = images or [field for field in fields if columns.is_number_list(field.type)]
    if len(whole) > 1 or (whole and not images and len(fields) > 1):
        raise InvalidInput(
            "key must say which column holds the records: "
            + ", ".join(repr(field.name) for field in whole)
            + " could, beside other columns"
        )
    return whole[0] if whole else None


def _values(
    file: Any,
    key: pa.Field | None,
    taken: set[str | None],
    image: Geometry | None,
    rows: NDArray[np.intp] | None,
) -> np.ndarray:
    count, schema = file.metadata.num_rows, file.schema_arrow
    if image is not None:
        raise InvalidInput("image means nothing for a table that holds no images")
    if key is not None:
        batches = file.iter_batches(_list_batch(file, key.name), columns=[key.name])
        return columns.list_matrix(key, batches, count, rows)
    taken = taken.union(columns.pandas_index(schema))
    fields = [field for field in schema if field.name not in taken]
    wanted = [field.name for field in fields]
    x = columns.matrix(fields, file.iter_batches(_BATCH, columns=wanted), count, rows)
    columns.caution_ids(wanted, x)
    return x


def _list_batch(file: Any, name: str) -> int:
    """How many lists to read at a time, by the length of the first, which all must have."""
    first = next(file.iter_batches(1, columns=[name]), None)
    length = first.nbytes // 8 if first is not None else 0
    return max(1, min(_BATCH, _VALUES // max(1, length)))


def _encoded(
    source: str, key: pa.Field, rows: NDArray[np.intp] | None
) -> Iterator[tuple[str, BinaryIO]]:
    wanted = None if rows is None else set(rows.tolist())
    nested = pa.types.is_struct(key.type)
    path = f"{key.name}.bytes" if nested else key.name
    row = 0
    with open_parquet(source, categories=[path]) as file:  # the same image again is held once
        for batch in file.iter_batches(rows_at_a_time(file, _IMAGE_BATCH), columns=[key.name]):
            for value in batch.column(key.name):
                if wanted is None or row in wanted:
                    yield f"row {row}", io.BytesIO(_bytes_of(value, nested, key.name, row))
                row += 1


def _bytes_of(value: Any, nested: bool, name: str, row: int) -> Any:
    data = value["bytes"] if nested and value.is_valid else value
    if isinstance(data, pa.DictionaryScalar):
        data = data.value
    if not data.is_valid:
        raise InvalidInput(f"column {name!r} holds no image bytes in row {row}")
    return data.as_buffer()
