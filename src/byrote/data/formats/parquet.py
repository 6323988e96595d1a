"""Parquet: columns of numbers, lists, encoded images or texts, with page checksums verified."""

import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from byrote.data.arrow_columns import is_label, is_number_list, label_column, list_matrix, matrix
from byrote.data.column_choice import ColumnChoice
from byrote.data.column_names import check_columns
from byrote.data.corpus import Corpus
from byrote.data.formats.images import stack_images
from byrote.data.geometry import Geometry
from byrote.data.load_diagnostics import translate_errors
from byrote.data.records import Records, random_rows
from byrote.data.tables import as_frame, frame_records, holds_numbers, number_records, value_columns
from byrote.data.text_columns import choose_text_column, decode_texts, text_column_names
from byrote.data.text_rows import TextRows
from byrote.errors import InvalidInput

_BATCH = 4096  # rows converted at a time
_BATCH_BYTES = 1 << 26  # read at a time
_IMAGE_BATCH = 64  # encoded images held at a time
_LIST_VALUES = 1 << 22  # of lists, converted at a time
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)
_USUAL_LABELS = ("label", "labels", "fine_label")


def load_records(
    source: str,
    *,
    key: str | None = None,
    labels: str | None = None,
    ids: str | None = None,
    image: Geometry | None = None,
    records: int | None = None,
    columns: str | None = None,
    drop: str | None = None,
    categories: str | None = None,
    standardize: str | None = None,
) -> Records:
    """Load a Parquet file: a table, one column of lists, or one of encoded images.

    Images are bytes, or bytes with a path as Hugging Face writes them, and take their labels from a
    column label, labels or fine_label by default. Numbers are float32 if all columns are. An index
    that pandas wrote along with a frame is not a column of values.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pa.table({"a": [1.0, 2.0], "b": [3.0, 4.0], "name": ["u", "v"]})
    ...     pa_parquet.write_table(table, f"{folder}/t.parquet")
    ...     records = load_records(f"{folder}/t.parquet", ids="name")
    >>> records.x.tolist(), records.ids.tolist()
    ([[1.0, 3.0], [2.0, 4.0]], ['u', 'v'])
    """
    choice = ColumnChoice.parse(columns, drop, categories, labels, ids, standardize)
    with open_parquet(source) as file:
        schema, count = file.schema_arrow, file.metadata.num_rows
        check_columns(schema.names, key=key, labels=labels, ids=ids)
        key_field = _record_field(schema, key, {labels, ids})
        if labels is None and key_field is not None and _is_image(key_field.type):
            labels = next((name for name in _USUAL_LABELS if _can_label(schema, name, ids)), None)
        rows = None if records is None else random_rows(count, records)
        arrays: dict[str, Any] = {"ids": rows} if rows is not None and ids is None else {}
        for option, name in (("labels", labels), ("ids", ids)):
            if name is not None:
                column = label_column(option, name, file.read(columns=[name]).column(name))
                arrays[option] = column if rows is None else column[rows]
        if key_field is None or not _is_image(key_field.type):
            if image is not None:
                raise InvalidInput("image does not apply to a table that holds no images")
            if key_field is None:
                return _read_table(file, choice, rows, arrays)
            batches = file.iter_batches(
                _list_batch_size(file, key_field.name), columns=[key_field.name]
            )
            return Records(list_matrix(key_field, batches, count, rows), **arrays)
    images = _encoded_images(source, key_field, rows)
    return Records(stack_images(images, count if rows is None else len(rows), image), **arrays)


def load_texts(source: str, *, column: str | None = None, limit: int | None = None) -> Corpus:
    """Load one column of a Parquet file as documents; no other column is read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pa.table({"n": [1, 2], "said": ["one", "two"]})
    ...     pa_parquet.write_table(table, f"{folder}/t.parquet")
    ...     load_texts(f"{folder}/t.parquet").documents
    ('one', 'two')
    """
    return Corpus(tuple(_read_texts(source, column, limit)))


def read_rows(
    source: str, *, column: str | None = None, ids: str | None = None, labels: str | None = None
) -> TextRows:
    """Read one column as documents, with the ids and labels of other columns."""
    named = {"ids": ids, "labels": labels}
    with open_parquet(source) as file:
        check_columns(file.schema_arrow.names, **named)
        values = {
            option: label_column(option, name, file.read(columns=[name]).column(name))
            for option, name in named.items()
            if name is not None
        }
    documents = _read_texts(source, column, others=named.values())
    return TextRows(documents, **{"ids": np.arange(len(documents)), **values})


def _read_texts(
    source: str,
    column: str | None,
    limit: int | None = None,
    others: Collection[str | None] = (),
) -> Sequence[str]:
    with open_parquet(source) as file:
        schema = file.schema_arrow
        name = choose_text_column(schema.names, text_column_names(schema), column, others)
    with open_parquet(source, categories=[name]) as file:
        batches = file.iter_batches(_batch_size(file, _BATCH), columns=[name])
        return decode_texts(name, (batch.column(name) for batch in batches), limit)


@contextmanager
def open_parquet(source: str, categories: Sequence[str] = ()) -> Iterator[Any]:
    """Open a Parquet file for the length of a block, in which damage is refused.

    Strings of the columns in ``categories`` are read as categories: equal strings are held once.
    """
    with (
        translate_errors("the file is truncated, damaged or not Parquet", *_DAMAGE),
        pa_parquet.ParquetFile(
            source, page_checksum_verification=True, read_dictionary=list(categories)
        ) as file,
    ):
        yield file


def _batch_size(file: Any, max_rows: int) -> int:
    """Return how many rows to read at a time, by the size of all columns in the metadata.

    The metadata of single columns would be more precise, but pyarrow ends the process if they
    contradict themselves.
    """
    metadata = file.metadata
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    return max(1, min(max_rows, _BATCH_BYTES * metadata.num_rows // max(1, size)))


def _is_image(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _is_image(kind.field(index).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _can_label(schema: pa.Schema, name: str, ids: str | None) -> bool:
    return name in schema.names and name != ids and is_label(schema.field(name).type)


def _record_field(schema: pa.Schema, key: str | None, excluded: set[str | None]) -> pa.Field | None:
    """Return the column of images or lists; None if each record is a row of numbers."""
    if key is not None:
        field = schema.field(key)
        if not (_is_image(field.type) or is_number_list(field.type)):
            raise InvalidInput(f"key must name a column of images or of lists; {key!r} is neither")
        return field
    fields = [field for field in schema if field.name not in excluded]
    images = [field for field in fields if _is_image(field.type)]
    candidates = images or [field for field in fields if is_number_list(field.type)]
    if len(candidates) > 1 or (candidates and not images and len(fields) > 1):
        raise InvalidInput(
            "key must name the column that holds the records: "
            + ", ".join(repr(field.name) for field in candidates)
            + " could, next to other columns"
        )
    return candidates[0] if candidates else None


def _read_table(
    file: Any, choice: ColumnChoice, rows: NDArray[np.intp] | None, arrays: dict[str, Any]
) -> Records:
    schema = file.schema_arrow
    names = value_columns(schema, choice)
    fields = [schema.field(name) for name in names]
    if holds_numbers(pa.schema(fields), choice):
        batches = file.iter_batches(_BATCH, columns=names)
        x = matrix(fields, batches, file.metadata.num_rows, rows)
        return number_records(names, x, choice, **arrays)
    table = file.read(columns=names).select(names)
    frame = as_frame(table if rows is None else table.take(pa.array(rows)))
    return frame_records(frame, choice, **arrays)


def _list_batch_size(file: Any, name: str) -> int:
    """Return how many lists to read at a time, by the length of the first."""
    first = next(file.iter_batches(1, columns=[name]), None)
    length = first.nbytes // 8 if first is not None else 0
    return max(1, min(_BATCH, _LIST_VALUES // max(1, length)))


def _encoded_images(
    source: str, key: pa.Field, rows: NDArray[np.intp] | None
) -> Iterator[tuple[str, BinaryIO]]:
    selected = None if rows is None else set(rows.tolist())
    nested = pa.types.is_struct(key.type)
    path = f"{key.name}.bytes" if nested else key.name
    row = 0
    with open_parquet(source, categories=[path]) as file:
        for batch in file.iter_batches(_batch_size(file, _IMAGE_BATCH), columns=[key.name]):
            for value in batch.column(key.name):
                if selected is None or row in selected:
                    yield f"row {row}", io.BytesIO(_image_bytes(value, nested, key.name, row))
                row += 1


def _image_bytes(value: Any, nested: bool, name: str, row: int) -> Any:
    data = value["bytes"] if nested and value.is_valid else value
    if isinstance(data, pa.DictionaryScalar):
        data = data.value
    if not data.is_valid:
        raise InvalidInput(f"column {name!r} holds no image bytes in row {row}")
    return data.as_buffer()
