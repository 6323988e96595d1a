"""CSV: UTF-8, commas, a line of column names, rows of equal length; gzipped or not."""

import codecs
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from byrote.data.arrow_columns import check_columns, label_column_of_text, matrix, warn_about_ids
from byrote.data.corpus import Corpus
from byrote.data.gzip_stream import open_gzip
from byrote.data.load_diagnostics import translate_errors, warn
from byrote.data.records import Records
from byrote.data.text_columns import choose_text_column, decode_texts, text_column_names
from byrote.data.text_stream import read_documents
from byrote.errors import InvalidInput

_BLOCK = 1 << 24  # bytes parsed at a time; a line must fit
_BATCH = 4096  # rows converted at a time
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def load_records(source: str, *, labels: str | None = None, ids: str | None = None) -> Records:
    r"""Load a CSV file of numbers, with columns of labels and ids.

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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n")
    ...     records = load_records(f"{folder}/t.csv", labels="kind")
    >>> records.x.tolist(), records.labels.tolist()
    ([[1.0, 2.0], [3.0, 4.0]], ['x', 'y'])
    """
    table = parse_csv(read_utf8(source), text=[name for name in (labels, ids) if name is not None])
    check_columns(table.column_names, labels=labels, ids=ids)
    fields = [field for field in table.schema if field.name not in (labels, ids)]
    x = matrix(fields, table.to_batches(_BATCH), len(table))
    columns: dict[str, Any] = {
        option: label_column_of_text(option, name, table.column(name))
        for option, name in (("labels", labels), ("ids", ids))
        if name is not None
    }
    warn_about_ids([field.name for field in fields], x)
    return Records(x, **columns)


def load_texts(source: str, *, column: str | None = None, limit: int | None = None) -> Corpus:
    r"""Load one column of a CSV file as documents; quoted cells may hold several lines.

    With ``limit``, the first rows that exceed this number of characters suffice.

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


def read_utf8(path: str | Path) -> bytearray:
    """Read a UTF-8 file, gzipped or not.

    Raises
    ------
    InvalidInput
        If it is not UTF-8 (the message names the line, which Arrow's does not), its gzip data is
        damaged, or it would take most of the available memory.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    data = bytearray()
    with open_gzip(Path(path)) as file:
        for piece in file.text_pieces():
            start = len(data) - len(decoder.getstate()[0])
            data += piece
            _check_utf8(decoder, piece, data, start)
        if file.damaged:
            raise InvalidInput("the file is damaged: its gzip stream ends early or wrongly")
    _check_utf8(decoder, b"", data, len(data) - len(decoder.getstate()[0]), final=True)
    return data


def parse_csv(content: bytes | bytearray, *, text: Sequence[str] = ()) -> pa.Table:
    r"""Parse commas, rows of equal length, and a first row that names the columns.

    Parameters
    ----------
    content
        UTF-8; a quoted cell may hold several lines.
    text
        Columns that stay text as written; other types are inferred.

    Raises
    ------
    InvalidInput
        If rows differ in length, the first does not name the columns or this is not CSV.

    Examples
    --------
    >>> table = parse_csv(b"a,b\n1,x\n")
    >>> table.to_pydict()
    {'a': [1], 'b': ['x']}
    """
    ragged: list[Any] = []

    def skip(row: Any) -> str:
        ragged.append(row)
        return "skip"

    with translate_errors("the file is not readable as CSV: commas, equally long lines", *_DAMAGE):
        table = pa_csv.read_csv(
            pa.BufferReader(content),
            # without threads, since only then Arrow counts rows
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(invalid_row_handler=skip, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string())),
        )
        header = table.column_names
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


def _check_utf8(
    decoder: codecs.IncrementalDecoder,
    piece: bytes,
    data: bytearray,
    start: int,
    *,
    final: bool = False,
) -> None:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, start + error.start) + 1
        raise InvalidInput(f"the file must be UTF-8 text; line {line} is not") from None


def _check_separator(header: Sequence[str]) -> None:
    """Refuse a file whose first line has another separator and no comma."""
    other = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
    if other is not None:
        name = "tabs" if other == "\t" else repr(other)
        raise InvalidInput(
            "cells must be separated by commas, and decimals written with points; the first line"
            f" has {name} and no comma"
        )


def _check_rows(ragged: Sequence[Any]) -> None:
    if ragged:
        first = ragged[0]
        raise InvalidInput(
            f"every row must have {first.expected_columns} cells, as the first has; row"
            f" {first.number} has {first.actual_columns} (rows that differ: {len(ragged)})"
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
