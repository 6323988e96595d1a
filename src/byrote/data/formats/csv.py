r"""CSV: a line of column names, rows of equal length.

A spreadsheet computes a cell that begins like a formula, and a terminal obeys control characters.
Therefore, in the cells that byrote writes and reads back exactly,

- characters that are not printable, or not in the file's encoding, are written ``\x1b``, ``\u202e``
  or ``\U000e0001``; a backslash before what would be read as such an escape is written ``\x5c``;
- a string that begins with ``=``, ``+``, ``-``, ``@`` or their full-width forms, and is not a
  number, gets an apostrophe in front; so does such a string that already has apostrophes in front.

All other strings, and numbers, are unchanged.
"""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from byrote.data.arrow_columns import label_column_of_text
from byrote.data.column_names import check_columns
from byrote.data.corpus import Corpus
from byrote.data.csv_dialect import Dialect, check_kind
from byrote.data.load_diagnostics import translate_errors, warn
from byrote.data.text_columns import choose_text_column, decode_texts, text_column_names
from byrote.data.text_rows import TextRows
from byrote.data.text_stream import read_documents, read_utf8
from byrote.errors import InvalidInput

_BLOCK = 1 << 24  # bytes parsed at a time; a line must fit
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_FORMULA = re.compile("'+[=+@\uff1d\uff0b\uff20\uff0d-]")
_CELL_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def load_texts(source: str, *, column: str | None = None, limit: int | None = None) -> Corpus:
    r"""Load one column of a CSV file as documents; quoted cells may hold several lines.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text('n,said\n1,"one\ntwo"\n2,three\n')
    ...     load_texts(f"{folder}/t.csv").documents
    ('one\ntwo', 'three')
    """
    parse = partial(_documents, column=column)
    return Corpus(tuple(read_documents(Path(source), limit, parse, _last_row)))


def read_rows(
    source: str, *, column: str | None = None, ids: str | None = None, labels: str | None = None
) -> TextRows:
    """Read one column as documents, with the ids and labels of other columns."""
    named = {"ids": ids, "labels": labels}
    table = parse_csv(read_utf8(source), text=[name for name in named.values() if name])
    check_columns(table.column_names, **named)
    texts = text_column_names(table.schema)
    name = choose_text_column(table.column_names, texts, column, named.values())
    values = {
        option: label_column_of_text(option, each, table.column(each))
        for option, each in named.items()
        if each is not None
    }
    documents = decode_texts(name, table.column(name).chunks)
    return TextRows(documents, **{"ids": np.arange(len(documents)), **values})


def parse_csv(
    content: bytes | bytearray,
    *,
    text: Sequence[str] = (),
    dialect: Dialect | None = None,
) -> pa.Table:
    r"""Parse CSV: rows of equal length, and a first row that names the columns.

    Quoted cells may hold several lines. Columns in ``text`` stay text as written; the types of
    others are inferred. Commas separate cells unless a ``dialect`` is given.

    Examples
    --------
    >>> table = parse_csv(b"a,b\n1,x\n")
    >>> table.to_pydict()
    {'a': [1], 'b': ['x']}
    """
    if not content.strip():
        raise InvalidInput(
            "the file is empty; it must have a line of names and one for each record"
        )
    check_kind(content)
    ragged: list[Any] = []

    def skip(row: Any) -> str:
        ragged.append(row)
        return "skip"

    separator, decimal = (",", ".") if dialect is None else (dialect.separator, dialect.decimal)
    with translate_errors("the file is not readable as CSV: commas, equally long lines", *_DAMAGE):
        table = pa_csv.read_csv(
            pa.BufferReader(content),
            # without threads, since only then Arrow counts rows
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(
                delimiter=separator, invalid_row_handler=skip, newlines_in_values=True
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(text, pa.string()), decimal_point=decimal
            ),
        )
        header = table.column_names
        if dialect is None:
            _check_separator(header)
        _check_rows(ragged)
    _check_header(header)
    return table


def _documents(text: str, column: str | None) -> Sequence[str]:
    table = parse_csv(text.encode())
    name = choose_text_column(table.column_names, text_column_names(table.schema), column)
    return decode_texts(name, table.column(name).chunks)


def _last_row(text: str) -> int:
    """Return the offset of the last line end outside quotes."""
    quotes, end = text.count('"'), len(text)
    while (newline := text.rfind("\n", 0, end)) >= 0:
        quotes -= text.count('"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0


def _check_separator(header: Sequence[str]) -> None:
    """Refuse a file whose first line has another separator and no comma."""
    separator = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
    if separator is not None:
        name = "tabs" if separator == "\t" else repr(separator)
        raise InvalidInput(
            "cells must be separated by commas, and decimals written with points; the first line"
            f" has {name} and no comma"
        )


def _check_rows(ragged: Sequence[Any]) -> None:
    if ragged:
        first = ragged[0]
        cells = first.expected_columns
        raise InvalidInput(
            f"every row must have {cells} cell{'s' if cells > 1 else ''}, as the first has; row"
            f" {first.number} has {first.actual_columns} (rows that differ: {len(ragged)}; a cell"
            " that holds the separator must be in quotes, and the line of names must be the first)"
        )


def _check_header(header: Sequence[str]) -> None:
    """Refuse a first line that is data, or that leaves a column without a name."""
    numbers = [float(name) for name in header if _NUMBER.fullmatch(name)]
    is_range = numbers == list(range(len(numbers)))  # as pandas names the columns of an array
    increasing = all(number.is_integer() for number in numbers) and numbers == sorted(set(numbers))
    if not is_range and not (increasing and len(numbers) < len(header)):  # as years after a name
        raise InvalidInput(
            "the first line must name the columns; it holds numbers (put a line of names before"
            " it if these are a record's)"
        )
    if numbers:
        warn(
            "the first line, though it holds numbers, is taken for the names of the columns, not"
            " for a record"
        )
    if "" in header:
        raise InvalidInput(
            f"every column must have a name; column {header.index('') + 1} of {len(header)} has"
            " none (pandas writes its index so; use index=False)"
        )


def escape_cell(text: str, encoding: str = "utf-8") -> str:
    r"""Escape a text for a cell.

    Examples
    --------
    >>> cells = ["=1+1", "-5", "'=a", "a\tb", "\\x1b"]
    >>> [escape_cell(text) for text in cells], escape_cell("é", "ascii")
    (["'=1+1", '-5', "''=a", 'a\\x09b', '\\x5cx1b'], '\\xe9')
    """
    if not (text.isascii() and text.isprintable() and "\\" not in text):
        text = _ESCAPE.sub(_escape_backslash, text)
        text = "".join(c if _is_plain(c, encoding) else _escape(c) for c in text)
    return f"'{text}" if _FORMULA.match(f"'{text}") and not _CELL_NUMBER.fullmatch(text) else text


def unescape_cell(cell: str) -> str:
    r"""Return the text that a cell was written from.

    Examples
    --------
    >>> [unescape_cell(escape_cell(t)) for t in ("=1+1", "-5", "'=a", "a\tb", "\\x1b", "\\")]
    ['=1+1', '-5', "'=a", 'a\tb', '\\x1b', '\\']
    """
    return _ESCAPE.sub(_unescape, cell[1:] if _FORMULA.match(cell) else cell)


def _is_plain(character: str, encoding: str) -> bool:
    if not character.isascii():
        try:
            character.encode(encoding)
        except UnicodeEncodeError:
            return False
    return character.isprintable()


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_backslash(match: re.Match[str]) -> str:
    return match[0] if _unescape(match) == match[0] else f"\\x5c{match[0][1:]}"


def _unescape(match: re.Match[str]) -> str:
    code = int(next(filter(None, match.groups())), 16)
    never_escaped = code > 0x10FFFF or (0x20 <= code < 0x7F and code != 0x5C)
    return match[0] if never_escaped else chr(code)
