"""Text data sets saved to a folder by Hugging Face's ``datasets``; never from its hub.

They are read without ``datasets``, which maps files into memory, where a truncated one ends the
process, and does not check the offsets of texts.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from byrote import checks
from byrote.data.arrow_columns import label_column
from byrote.data.column_names import check_columns
from byrote.data.corpus import Corpus
from byrote.data.formats.registry import SAVED_PARTS, SAVED_STATE
from byrote.data.load_diagnostics import translate_errors
from byrote.data.text_columns import choose_text_column, decode_texts, text_column_names
from byrote.data.text_rows import TextRows
from byrote.errors import InvalidInput

_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # of Arrow batches
_MESSAGE = "the saved data set is damaged or incomplete"
_DAMAGE = (
    pa.ArrowException, OSError, ValueError, TypeError, LookupError, EOFError, OverflowError,
    MemoryError, RecursionError, AttributeError,
)  # fmt: skip


def load_saved(
    source: str, *, column: str | None = None, part: str | None = None, limit: int | None = None
) -> Corpus:
    """Load one column of a data set that ``save_to_disk`` wrote, one document per row.

    Files outside the folder are never read, even if its description names them.
    """
    with translate_errors(_MESSAGE, *_DAMAGE):
        paths = _files(Path(source), part)
        schema = _read_schema(paths)
        name = choose_text_column(schema.names, text_column_names(schema), column)
        return Corpus(tuple(decode_texts(name, _read_chunks(paths, name), limit)))


def read_rows(
    source: str,
    *,
    column: str | None = None,
    ids: str | None = None,
    labels: str | None = None,
    part: str | None = None,
) -> TextRows:
    """Read one column as documents, with the ids and labels of other columns."""
    named = {"ids": ids, "labels": labels}
    with translate_errors(_MESSAGE, *_DAMAGE):
        paths = _files(Path(source), part)
        schema = _read_schema(paths)
        check_columns(schema.names, **named)
        texts = text_column_names(schema)
        name = choose_text_column(schema.names, texts, column, named.values())
        values = {
            option: label_column(option, each, pa.chunked_array(_read_chunks(paths, each)))
            for option, each in named.items()
            if each is not None
        }
        documents = decode_texts(name, _read_chunks(paths, name))
    return TextRows(documents, **{"ids": np.arange(len(documents)), **values})


def _files(folder: Path, part: str | None) -> list[Path]:
    """Return the files of batches, of a data set or of one of its parts."""
    if (folder / SAVED_PARTS).is_file():
        parts = _read_json(folder / SAVED_PARTS)["splits"]
        names = map(_checked_name, parts)
        folder /= _checked_name(checks.choice("part", part or "train", names))
    elif part is not None:
        raise InvalidInput("part does not apply to a data set that was saved as one")
    state = _read_json(folder / SAVED_STATE)
    if state.get("_indices_data_files"):
        raise InvalidInput(
            "the saved data set is a selection of rows; call flatten_indices() before saving"
        )
    return [folder / _checked_name(file["filename"]) for file in state["_data_files"]]


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _checked_name(name: Any) -> str:
    """Return the name of something in this folder; refuse any other path."""
    if not isinstance(name, str) or name in ("", ".", "..") or set(name) & set("/\\:\0"):
        raise InvalidInput("the saved data set must name files within its folder; it names others")
    return name


def _read_schema(paths: list[Path]) -> pa.Schema:
    with paths[0].open("rb") as file, pa.ipc.open_stream(file) as stream:
        return stream.schema


def _read_chunks(paths: list[Path], name: str) -> Iterator[pa.Array]:
    """Yield the column batch by batch, each fully validated before anything is read from it."""
    for path in paths:
        with path.open("rb") as file:
            file.seek(-len(_END_OF_STREAM), 2)
            if file.read() != _END_OF_STREAM:
                raise InvalidInput(f"{_MESSAGE}: {path.name} is cut off")
            file.seek(0)
            with pa.ipc.open_stream(file) as stream:
                for batch in stream:
                    chunk = batch.column(name)
                    chunk.validate(full=True)
                    yield chunk
