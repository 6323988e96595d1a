"""JSON lines: one object per line, with one value that is a document; gzipped or not."""

import json
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.column_names import check_columns
from byrote.data.corpus import Corpus
from byrote.data.text_columns import choose_text_column
from byrote.data.text_rows import TextRows
from byrote.data.text_stream import normalize_newlines, read_documents, read_text
from byrote.errors import InvalidInput


def load_json_lines(source: str, *, column: str | None = None, limit: int | None = None) -> Corpus:
    r"""Load a file of JSON objects, one per line; a null or absent value counts as empty.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.jsonl").write_text('{"n": 1, "said": "one"}\n{"said": "two"}\n')
    ...     load_json_lines(f"{folder}/t.jsonl").documents
    ('one', 'two')
    """
    parse = partial(_documents, column=column)
    return Corpus(tuple(read_documents(Path(source), limit, parse, _last_line)))


def read_rows(
    source: str, *, column: str | None = None, ids: str | None = None, labels: str | None = None
) -> TextRows:
    r"""Read documents with their ids and labels; ids are row numbers unless a column has them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.jsonl").write_text('{"n": 7, "said": "one"}\n{"n": 9}\n')
    ...     rows = read_rows(f"{folder}/t.jsonl", ids="n")
    >>> rows.documents, rows.ids.tolist()
    (('one', ''), [7, 9])
    """
    text = read_text(Path(source))
    items = list(objects(text.split("\n")))
    check_columns(
        list(dict.fromkeys(key for item in items for key in item)), ids=ids, labels=labels
    )
    documents = _documents(text, column, (ids, labels))

    def names(option: str, name: str) -> NDArray[Any]:
        values = [item.get(name) for item in items]
        if missing := sum(value is None for value in values):
            raise InvalidInput(f"{option} must be in every line; column {name!r} lacks {missing}")
        return checks.names(option, values)

    return TextRows(
        documents,
        np.arange(len(documents)) if ids is None else names("ids", ids),
        None if labels is None else names("labels", labels),
    )


def _documents(
    text: str, column: str | None, others: Collection[str | None] = ()
) -> tuple[str, ...]:
    lines = text.split("\n")
    types: dict[str, set[type]] = {}
    for item in objects(lines):
        for key, value in item.items():
            types.setdefault(key, set()).add(type(value))
    text_names = [
        key for key, kinds in types.items() if str in kinds and kinds <= {str, type(None)}
    ]
    name = choose_text_column(list(types), text_names, column, others)
    return tuple(normalize_newlines(item.get(name) or "") for item in objects(lines))


def _last_line(text: str) -> int:
    return text.rfind("\n") + 1


def objects(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Parse line by line, again for each use, so that other values are never kept."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):  # whose text quotes the line
            item = None
        if not isinstance(item, dict):
            raise InvalidInput(f"every line must be a JSON object; line {number} is not")
        yield item
