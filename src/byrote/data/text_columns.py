"""The column of a table that holds the texts: which one, and its decoded contents."""

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from byrote.data import memory
from byrote.data.arrow_columns import pandas_index
from byrote.data.column_names import check_columns, quote_names
from byrote.data.text_stream import normalize_newlines
from byrote.errors import InvalidInput

_DEFAULT = "text"
_WINDOW = 1 << 26  # characters between checks of memory
_COPIES = 2  # of a text, while it becomes a document


def text_column_names(schema: pa.Schema) -> list[str]:
    """Return the names of columns of strings, except for a pandas index."""
    index = set(pandas_index(schema))
    return [field.name for field in schema if _is_text(field.type) and field.name not in index]


def choose_text_column(
    names: Sequence[str],
    text_names: Collection[str],
    column: str | None,
    others: Collection[str | None] = (),
) -> str:
    """Return ``column``, or else ``text``, or else the only column that holds text.

    ``others`` are columns of ids and labels, which need not be told from the text.

    Examples
    --------
    >>> choose_text_column(["id", "text", "title"], {"text", "title"}, None)
    'text'
    """
    check_columns(names, column=column)
    if column is not None:
        if column not in text_names:
            raise InvalidInput(f"column must hold text; {column!r} does not")
        return column
    text_names = [name for name in text_names if name not in others]
    if _DEFAULT in text_names:
        return _DEFAULT
    if len(text_names) != 1:
        several = quote_names([name for name in names if name in text_names])
        raise InvalidInput(
            f"column must name the column that holds the text: {several} could"
            if text_names
            else f"no column holds text; the columns are {quote_names(names) or 'none'}"
        )
    return next(iter(text_names))


def decode_texts(name: str, chunks: Iterable[pa.Array], limit: int | None = None) -> Sequence[str]:
    r"""Decode the texts of a column, missing ones as empty, with lines that end in ``"\n"``.

    Stops once they exceed ``limit`` characters; refuses more than fits in memory.
    """
    texts: list[str] = []
    length = checked_length = 0
    for chunk in chunks:
        for text in _decode_chunk(name, chunk, len(texts)):
            texts.append(text)
            length += len(text)
            if limit is not None and length > limit:
                return texts
        if length - checked_length > _WINDOW:
            memory.require(_COPIES * length, "the texts", "characters=N takes the first N")
            checked_length = length
    return texts


def _is_text(kind: pa.DataType) -> bool:
    of = pa.types
    if of.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in (of.is_string, of.is_large_string, of.is_string_view))


def _decode_chunk(name: str, chunk: pa.Array, first_row: int) -> Sequence[str]:
    try:
        if not pa.types.is_dictionary(chunk.type):
            return [normalize_newlines(text or "") for text in chunk.to_pylist()]
        used = pc.unique(chunk.indices).drop_null()
        categories = chunk.dictionary.take(used).to_pylist()
        decoded = [normalize_newlines(text or "") for text in categories]
        by_index = dict(zip([None, *used.to_pylist()], ["", *decoded], strict=True))
        return [by_index[index] for index in chunk.indices.to_pylist()]
    except UnicodeDecodeError:
        row = next(i for i in range(len(chunk)) if not _is_utf8(chunk[i]))
        raise InvalidInput(
            f"column {name!r} must be UTF-8 text; row {first_row + row} is not"
        ) from None


def _is_utf8(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True
