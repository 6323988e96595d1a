"""Corpora from JSON lines: one object a line, of which one value is a document."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from byrote.data.corpus import text_columns
from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.lines import plain_newlines
from byrote.data.corpus.text_stream import documents_of
from byrote.errors import InvalidInput


def load_json_lines(source: str, *, column: str | None = None, limit: int | None = None) -> Corpus:
    r"""Load a file of JSON objects, one a line; a value that is null or not there counts as empty.

    Parameters
    ----------
    source
        Path of the file, gzipped or not.
    column
        Name of the values that are texts; may be left out as for tables.
    limit
        The first lines that hold more characters than this are enough.

    Raises
    ------
    InvalidInput
        If a line is not a JSON object, or the values of that name are not texts.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.jsonl").write_text('{"n": 1, "said": "one"}\n{"said": "two"}\n')
    ...     load_json_lines(f"{folder}/t.jsonl").documents
    ('one', 'two')
    """
    parse = partial(_documents, column=column)
    return Corpus(tuple(documents_of(Path(source), limit, parse, _last_line)))


def _documents(text: str, column: str | None) -> tuple[str, ...]:
    lines = text.split("\n")
    kinds: dict[str, set[type]] = {}
    for item in _objects(lines):
        for key, value in item.items():
            kinds.setdefault(key, set()).add(type(value))
    of_text = [key for key, found in kinds.items() if str in found and found <= {str, type(None)}]
    name = text_columns.choose(list(kinds), of_text, column)
    return tuple(plain_newlines(item.get(name) or "") for item in _objects(lines))


def _last_line(text: str) -> int:
    return text.rfind("\n") + 1


def _objects(lines: list[str]) -> Iterator[dict[str, Any]]:
    """Parse again for each use, so that values that are not asked for are never kept."""
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
