"""The Parquet files of a run folder, sealed: columns in, columns out, each marked with its run."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import CorruptFile, InvalidInput
from byrote.runs import reading, sealed

_KEY = "byrote"
Made = TypeVar("Made")


def write(path: Path, columns: Mapping[str, Any], facts: Mapping[str, Any], **how: Any) -> None:
    """Write columns and facts about them, atomically, with a checksum on every page."""
    marks = {_KEY: sealed.escaped(json.dumps(dict(facts))), sealed.KEY: sealed.BLANK}
    table = pa.table(dict(columns)).replace_schema_metadata(marks)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True, **how)
    sealed.write(path, bytearray(buffer.getbuffer()), last=True)


@contextmanager
def opened(
    path: Path, columns: Iterable[str] = (), *, seen: sealed.Seen | None = None
) -> Iterator[tuple[pq.ParquetFile, dict[str, Any]]]:
    """A file with the columns, of which nothing but its end is read yet, and its facts.

    What is read of it within the block is read in this thread alone: Arrow's scanner of data sets
    waits for ever for some files.

    Raises
    ------
    CorruptFile
        If the file is truncated, altered or not byrote's.
    CannotRead
        If the disk does not give it, or there is no memory for it.
    """
    with sealed.opened(path, last=True, seen=seen) as file, reading.parsed(path):
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
        missing = [name for name in columns if name not in parquet.schema_arrow.names]
        if missing:
            raise CorruptFile(f"{path} is damaged and cannot be read: there is no {missing[0]}")
        yield parquet, dict(json.loads(parquet.metadata.metadata[_KEY.encode()]))


def read(path: Path, columns: Iterable[str] = ()) -> tuple[pa.Table, dict[str, Any]]:
    """The whole table, which must have the columns, and its facts.

    Raises
    ------
    CorruptFile, CannotRead
        As ``opened``.
    """
    with opened(path, columns) as (file, facts):
        return file.read(use_threads=False), facts


def check_destination(path: str | Path) -> None:
    """Refuse a path of a result whose folder does not exist.

    Raises
    ------
    InvalidInput
        If it does not.
    """
    place = checks.path("path", path)
    if not place.absolute().parent.is_dir():
        raise InvalidInput(f"path must lie in a folder that exists; got {path}")
    if place.is_dir():
        raise InvalidInput(f"path must name a file; {path} is a folder")


def read_result(
    path: str | Path,
    format_: str,
    what: str,
    made: Callable[[Mapping[str, NDArray[Any]], dict[str, Any]], Made],
) -> Made:
    """A saved result, made of its columns and facts, in the format that is expected.

    Raises
    ------
    InvalidInput
        If there is no such file.
    CorruptFile
        If the file is damaged, or holds something else than ``what``.
    CannotRead
        If the disk does not give it, or there is no memory for it.
    """
    path = checks.path("path", path)
    with reading.of(path):
        if not path.is_file():
            raise InvalidInput(f"path must name a file; there is no {path}")
    table, facts = read(path)
    if facts.get("format") != format_:
        raise CorruptFile(f"{path} holds no {what}")
    with reading.parsed(path):
        return made({name: column(table[name]) for name in table.column_names}, facts)


def column(values: Any) -> NDArray[Any]:
    """A column as an array; text as fixed-width strings."""
    array = np.asarray(values.to_numpy())
    return array.astype(str) if array.dtype.kind == "O" else array
