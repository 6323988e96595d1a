"""CSV files of tables: numbers and categories with gaps, in any of the usual dialects."""

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions

from byrote.data.arrow_columns import label_column_of_text
from byrote.data.column_choice import ColumnChoice
from byrote.data.csv_dialect import (
    COMMA,
    POINT,
    Dialect,
    check_decimal,
    check_quotes,
    check_separator,
    has_decimal_commas,
    read_as_utf8,
    recognize_separator,
)
from byrote.data.formats.csv import parse_csv
from byrote.data.load_diagnostics import warn
from byrote.data.records import Records
from byrote.data.tables import table_records
from byrote.errors import InvalidInput

_GAPS = ("", "?", *ConvertOptions().null_values)  # "?" as in the UCI repository
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_WITH_COMMAS = re.compile(r"[-+]?\d+(,\d+)+(\.\d+)?")


def load_records(
    source: str,
    *,
    labels: str | None = None,
    ids: str | None = None,
    columns: str | None = None,
    drop: str | None = None,
    categories: str | None = None,
    standardize: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
) -> Records:
    r"""Load a table from a CSV file: numbers and categories, with columns of labels and ids.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n")
    ...     records = load_records(f"{folder}/t.csv", labels="kind")
    >>> records.x.tolist(), records.labels.tolist()
    ([[1.0, 2.0], [3.0, 4.0]], ['x', 'y'])
    """
    choice = ColumnChoice.parse(columns, drop, categories, labels, ids, standardize)
    names = [name for name in (labels, ids) if name is not None]
    table = read_table(source, text=names, separator=separator, decimal=decimal, encoding=encoding)
    return table_records(table, choice, label_column_of_text)


def read_table(
    source: str | Path,
    *,
    text: Sequence[str] = (),
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
) -> pa.Table:
    r"""Read a CSV file, whose dialect is given or recognized; empty cells and ``?`` are missing.

    Columns in ``text`` stay text as written; others lose blanks around their cells.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text("age, sex\n30, f\n?, m\n")
    ...     read_table(f"{folder}/t.csv").to_pydict()
    {'age': [30.0, None], 'sex': ['f', 'm']}
    """
    mark, given = check_decimal(decimal), separator is not None
    content = read_as_utf8(source, encoding)
    separator = recognize_separator(content, separator)
    table = _parsed(content, text, Dialect(separator, mark or POINT))
    if given:
        check_separator(table.column_names, separator)
    if len(table):
        last = [column[-1].as_py() for column in table.columns]
        check_quotes(content, last, len(table) + 1)
    if mark is None and (name := _first_with_commas(table, text)) is not None:
        if separator == COMMA:
            raise InvalidInput(
                f"column {name!r} holds numbers with commas; give decimal=',' (--decimal ,) if they"
                " mark decimals, or write numbers without them"
            )
        warn("decimals are marked by commas, not points (--decimal . if they are not)")
        table = _parsed(content, text, Dialect(separator, COMMA))
    return table


def _parsed(content: bytes | bytearray, text: Sequence[str], dialect: Dialect) -> pa.Table:
    table = parse_csv(content, text=text, dialect=dialect)
    names = [name.strip() for name in table.column_names]
    columns = [
        column if name in text or not pa.types.is_string(column.type) else _cleaned(column, dialect)
        for name, column in zip(names, table.columns, strict=True)
    ]
    return pa.table(columns, names=names)


def _cleaned(column: pa.ChunkedArray, dialect: Dialect) -> pa.ChunkedArray:
    """Strip cells, whose gaps may only then show, and with them that others are numbers."""
    stripped = pc.utf8_trim_whitespace(column)
    is_gap = pc.is_in(stripped, value_set=pa.array(_GAPS))
    stripped = pc.if_else(is_gap, pa.scalar(None, pa.string()), stripped)
    if stripped.null_count == len(stripped):
        return stripped.cast(pa.float64())
    pointed = stripped
    if dialect.decimal == COMMA:
        pointed = pc.replace_substring(stripped, ",", ".", max_replacements=1)
    is_number = pc.match_substring_regex(pointed, _NUMBER)
    return pointed.cast(pa.float64()) if pc.all(is_number).as_py() else stripped


def _first_with_commas(table: pa.Table, text: Sequence[str]) -> str | None:
    """Return the name of the first column of numbers with commas in them."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in text or not pa.types.is_string(column.type):
            continue
        cells = pc.unique(column).drop_null().to_pylist()
        if has_decimal_commas(cells) or all(map(_WITH_COMMAS.fullmatch, cells)):
            return name
    return None
