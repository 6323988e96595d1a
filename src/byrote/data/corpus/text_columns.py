"""A column of texts in an Arrow table: which one, and what it holds."""

from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from byrote.data import columns, memory
from byrote.data.corpus.lines import plain_newlines
from byrote.errors import InvalidInput

_USUAL = "text"
_LOOK = 1 << 26  # characters after which memory is looked at
_COPIES = 2  # of a text, while it becomes a document


def is_text(kind: pa.DataType) -> bool:
    """Tell whether values of this type are strings, or categories of them."""
    of = pa.types
    if of.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in (of.is_string, of.is_large_string, of.is_string_view))


def text_names(schema: pa.Schema) -> list[str]:
    """Columns of strings, without an index that pandas wrote along with them."""
    index = set(columns.pandas_index(schema))
    return [field.name for field in schema if is_text(field.type) and field.name not in index]


def choose(names: Sequence[str], of_text: Collection[str], column: str | None) -> str:
    """Choose the column: the one asked for, else ``text``, else the only one that holds text.

    Raises
    ------
    InvalidInput
        If there is no such column, it holds no text, or several could be meant.

    Examples
    --------
    >>> choose(["id", "text", "title"], {"text", "title"}, None)
    'text'
    >>> choose(["id", "title"], {"title"}, None)
    'title'
    """
    columns.check_names(names, column=column)
    if column is not None:
        if column not in of_text:
            raise InvalidInput(f"column must hold text; {column!r} does not")
        return column
    if _USUAL in of_text:
        return _USUAL
    if len(of_text) != 1:
        several = columns.listed([name for name in names if name in of_text])
        raise InvalidInput(
            f"column must say which column holds the text: {several} could"
            if of_text
            else f"no column holds text; there are {columns.listed(names) or 'none'}"
        )
    return next(iter(of_text))


def values(name: str, chunks: Iterable[pa.Array], limit: int | None = None) -> tuple[str, ...]:
    r"""Texts of a column, a missing one empty, their lines ended by ``"\n"``.

    With ``limit``, the first that hold more characters are enough.

    Raises
    ------
    InvalidInput
        If a text is not UTF-8, or they would take most of the memory available.
    """
    texts: list[str] = []
    length = looked = 0
    for chunk in chunks:
        for text in _decoded(name, chunk, len(texts)):
            texts.append(text)
            length += len(text)
            if limit is not None and length > limit:
                return tuple(texts)
        if length - looked > _LOOK:
            memory.require(_COPIES * length, "the texts", "characters=N takes the first N")
            looked = length
    return tuple(texts)


def _decoded(name: str, chunk: pa.Array, start: int) -> Sequence[str]:
    try:
        if not pa.types.is_dictionary(chunk.type):
            return [plain_newlines(text or "") for text in chunk.to_pylist()]
        used = pc.unique(chunk.indices).drop_null()
        words = [plain_newlines(text or "") for text in chunk.dictionary.take(used).to_pylist()]
        by_place = dict(zip([None, *used.to_pylist()], ["", *words], strict=True))
        return [by_place[place] for place in chunk.indices.to_pylist()]
    except UnicodeDecodeError:
        row = next(i for i in range(len(chunk)) if not _decodes(chunk[i]))
        raise InvalidInput(
            f"column {name!r} must be UTF-8 text; row {start + row} is not"
        ) from None


def _decodes(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True
