"""JSON lines: one object per line, with one value that is a document; gzipped or not."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from byrote.data.corpus import Corpus
from byrote.data.text_columns import choose_text_column
from byrote.data.text_stream import normalize_newlines, read_documents
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


def _documents(text: str, column: str | None) -> tuple[str, ...]:
    lines = text.split("\n")
    types: dict[str, set[type]] = {}
    for item in objects(lines):
        for key, value in item.items():
            types.setdefault(key, set()).add(type(value))
    text_names = [
        key for key, kinds in types.items() if str in kinds and kinds <= {str, type(None)}
    ]
    name = choose_text_column(list(types), text_names, column)
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
