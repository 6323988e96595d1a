"""Corpora from tables: one column of a CSV or Parquet file, one row a document."""

from functools import partial
from pathlib import Path

from byrote.data.comma_separated import parse_csv
from byrote.data.corpus import text_columns
from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.text_stream import documents_of
from byrote.data.parquet import open_parquet, rows_at_a_time

_BATCH = 4096  # rows converted at a time


def load_csv(source: str, *, column: str | None = None, limit: int | None = None) -> Corpus:
    r"""Load a CSV file: UTF-8, commas, a line of column names; quoted cells may hold several lines.

    With ``limit``, the first rows that hold more characters are enough.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text('n,said\n1,"one\ntwo"\n2,three\n')
    ...     load_csv(f"{folder}/t.csv").documents
    ('one\ntwo', 'three')
    """
    parse = partial(_documents, column=column)
    return Corpus(tuple(documents_of(Path(source), limit, parse, _last_row)))


def _documents(text: str, column: str | None) -> tuple[str, ...]:
    table = parse_csv(text.encode())
    name = text_columns.choose(table.column_names, text_columns.text_names(table.schema), column)
    return text_columns.values(name, table.column(name).chunks)


def _last_row(text: str) -> int:
    """Offset of the last end of a line that is not within quotes."""
    quotes, end = text.count('"'), len(text)
    while (newline := text.rfind("\n", 0, end)) >= 0:
        quotes -= text.count('"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0


def load_parquet(source: str, *, column: str | None = None, limit: int | None = None) -> Corpus:
    """Load a Parquet file, of which only the one column is read.

    With ``limit``, the first rows that hold more characters are enough.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
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
    # a text that comes again and again is held once
    with open_parquet(source, categories=[name]) as file:
        count = rows_at_a_time(file, _BATCH)
        chunks = (batch.column(name) for batch in file.iter_batches(count, columns=[name]))
        return Corpus(text_columns.values(name, chunks, limit))
