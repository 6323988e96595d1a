"""CSV files as Arrow tables: what is no proper table is refused by its line."""

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from byrote.data import notices
from byrote.data.damage import refused
from byrote.data.gzipped import opened
from byrote.errors import InvalidInput

_BLOCK = 1 << 24  # bytes parsed at a time, which a line must fit in
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def text_of_file(path: str | Path) -> bytearray:
    """Read a file of UTF-8, gzipped or not.

    Raises
    ------
    InvalidInput
        If it is not UTF-8, by its line, which Arrow does not give; if a gzip stream is damaged or
        would take most of the memory available.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    data = bytearray()
    with opened(Path(path)) as file:
        for piece in file.text():
            pending = len(decoder.getstate()[0])
            start = len(data) - pending
            data += piece
            _check_utf_8(decoder, piece, data, start)
        if file.damaged:
            raise InvalidInput("the file is damaged: its gzip stream ends early or wrongly")
    _check_utf_8(decoder, b"", data, len(data) - len(decoder.getstate()[0]), final=True)
    return data


def _check_utf_8(
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


def parse_csv(content: bytes | bytearray, *, text: Sequence[str] = ()) -> pa.Table:
    r"""Parse commas, equally long rows, and a first row that names the columns.

    A quoted cell may hold several lines.

    Parameters
    ----------
    content
        Of the file.
    text
        Columns that stay text as written; the types of others follow what they hold.

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

    def note(line: Any) -> str:
        ragged.append(line)
        return "skip"

    with refused("the file is not readable as CSV: commas, equally long lines", *_DAMAGE):
        table = pa_csv.read_csv(
            pa.BufferReader(content),
            # without threads, since only then Arrow counts rows
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(invalid_row_handler=note, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string())),
        )
        header = table.column_names
        _check_separator(header)
        _check_rows(ragged)
    _check_header(header)
    return table


def _check_separator(header: Sequence[str]) -> None:
    """Refuse a file whose first line has other separators and no comma."""
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
    as_pandas = numbers == list(range(len(numbers)))  # names the columns of an array
    whole = all(number.is_integer() for number in numbers) and numbers == sorted(set(numbers))
    if not as_pandas and not (whole and len(numbers) < len(header)):  # as years beside a name are
        raise InvalidInput(
            "the first line must name the columns; it holds numbers (put a line of names before"
            " it if these are a record's)"
        )
    if numbers:
        notices.caution(
            "the first line, though it holds numbers, is taken for the names of the columns, not"
            " for a record"
        )
    if "" in header:
        raise InvalidInput(
            f"every column must have a name; column {header.index('') + 1} of {len(header)} has"
            " none (pandas writes its index so, unless told index=False)"
        )
