"""Corpora from data sets that Hugging Face's ``datasets`` saved to a folder; never from its hub.

They are read without ``datasets``, which maps files into memory, where a truncated one ends the
process, and does not check where offsets of texts point.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from byrote import checks
from byrote.data.corpus import text_columns
from byrote.data.corpus.corpus import Corpus
from byrote.data.corpus.saved import PARTS, STATE
from byrote.data.damage import refused
from byrote.errors import InvalidInput

_END = b"\xff\xff\xff\xff\0\0\0\0"  # of a stream of Arrow batches
_SENTENCE = "the saved data set is damaged or incomplete"
_DAMAGE = (
    pa.ArrowException, OSError, ValueError, TypeError, LookupError, EOFError, OverflowError,
    MemoryError, RecursionError, AttributeError,
)  # fmt: skip


def load_saved(
    source: str, *, column: str | None = None, part: str | None = None, limit: int | None = None
) -> Corpus:
    """Load one column of a data set that ``save_to_disk`` wrote, one row a document.

    Parameters
    ----------
    source
        Path of the folder.
    column
        Name of the column of texts; may be left out as for tables.
    part
        Which part of a data set in parts; train if not given.
    limit
        The first rows that hold more characters than this are enough.

    Raises
    ------
    InvalidInput
        If the folder is damaged, names files outside it, or there is no such part or column of
        texts.
    """
    folder = Path(source)
    with refused(_SENTENCE, *_DAMAGE):
        if (folder / PARTS).is_file():
            parts = _json(folder / PARTS)["splits"]
            folder /= _plain(checks.choice("part", part or "train", map(_plain, parts)))
        elif part is not None:
            raise InvalidInput("part means nothing for a data set that was saved as one")
        state = _json(folder / STATE)
        if state.get("_indices_data_files"):
            raise InvalidInput("the saved data set is a choice of rows; flatten_indices() first")
        paths = [folder / _plain(file["filename"]) for file in state["_data_files"]]
        schema = _schema(paths)
        name = text_columns.choose(schema.names, text_columns.text_names(schema), column)
        return Corpus(text_columns.values(name, _chunks(paths, name), limit))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _plain(name: Any) -> str:
    """A name of something in this folder."""
    if not isinstance(name, str) or name in ("", ".", "..") or set(name) & set("/\\:\0"):
        raise InvalidInput("the saved data set must name files of its own folder; it names others")
    return name


def _schema(paths: list[Path]) -> pa.Schema:
    with paths[0].open("rb") as file, pa.ipc.open_stream(file) as stream:
        return stream.schema


def _chunks(paths: list[Path], name: str) -> Iterator[pa.Array]:
    """Give the column batch by batch, each checked in full before anything is read from it."""
    for path in paths:
        with path.open("rb") as file:
            file.seek(-len(_END), 2)
            if file.read() != _END:
                raise InvalidInput(f"{_SENTENCE}: {path.name} is cut off")
            file.seek(0)
            with pa.ipc.open_stream(file) as stream:
                for batch in stream:
                    chunk = batch.column(name)
                    chunk.validate(full=True)
                    yield chunk
