"""Corpora from tables: one column of a CSV or Parquet file, one row a document."""

from pathlib import Path

import pyarrow as pa

from byrote.data.comma_separated import parse_csv
from byrote.data.corpus import text_columns
from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.files import read_text
from byrote.data.parquet import open_parquet


def load_csv(source: str, *, column: str | None = None) -> Corpus:
    r"""Load a CSV file: UTF-8, commas, a line of column names; quoted cells may hold several lines.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text('n,said\n1,"one\ntwo"\n2,three\n')
    ...     load_csv(f"{folder}/t.csv").documents
    ('one\ntwo', 'three')
    """
    data = pa.BufferReader(read_text(Path(source)).encode())
    table = parse_csv(data, newlines=True)
    name = text_columns.choose(table.column_names, text_columns.text_names(table.schema), column)
    return Corpus(text_columns.values(name, table.column(name)))


def load_parquet(source: str, *, column: str | None = None) -> Corpus:
    """Load a Parquet file, of which only the one column is read.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow.parquet as pa_parquet
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pa.table({"n": [1, 2], "said": ["one", "two"]})
    ...     pa_parquet.write_table(table, f"{folder}/t.parquet")
    ...     load_parquet(f"{folder}/t.parquet").documents
    ('one', 'two')
    """
    with open_parquet(source) as file:
        schema = file.schema_arrow
        name = text_columns.choose(schema.names, text_columns.text_names(schema), column)
        return Corpus(text_columns.values(name, file.read(columns=[name]).column(name)))
