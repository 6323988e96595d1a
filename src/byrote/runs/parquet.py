"""Sealed Parquet files of a run folder: columns, and facts that mark them with their run."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import CorruptFile, InvalidInput
from byrote.runs import files, sealed

_KEY = "byrote"


def write(path: Path, columns: Mapping[str, Any], facts: Mapping[str, Any], **options: Any) -> None:
    """Write columns and facts atomically, with a checksum on every page."""
    marks = {_KEY: sealed.escaped(json.dumps(dict(facts))), sealed.KEY: sealed.BLANK}
    table = pa.table(dict(columns)).replace_schema_metadata(marks)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True, **options)
    sealed.write(path, bytearray(buffer.getbuffer()), last=True)


@contextmanager
def opened(
    path: Path, columns: Iterable[str] = (), *, verified: sealed.Verified | None = None
) -> Iterator[tuple[pq.ParquetFile, dict[str, Any]]]:
    """Open a file that must have the columns, and read its facts.

    Read from it in one thread: Arrow's scanner of data sets waits for ever for some files.
    """
    with sealed.opened(path, last=True, verified=verified) as file, files.parsing(path):
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
        missing = [name for name in columns if name not in parquet.schema_arrow.names]
        if missing:
            raise CorruptFile(
                f"{path} is damaged and cannot be read: the column {missing[0]} is missing"
            )
        yield parquet, dict(json.loads(parquet.metadata.metadata[_KEY.encode()]))


def read(path: Path, columns: Iterable[str] = ()) -> tuple[pa.Table, dict[str, Any]]:
    """Read the whole table, which must have the columns, and its facts."""
    with opened(path, columns) as (file, facts):
        return file.read(use_threads=False), facts


def check_destination(path: str | Path) -> None:
    """Reject a path for a result whose folder does not exist, or that is a folder."""
    target = checks.path("path", path)
    if not target.absolute().parent.is_dir():
        raise InvalidInput(f"path must lie in a folder that exists; got {path}")
    if target.is_dir():
        raise InvalidInput(f"path must name a file; {path} is a folder")


def column(values: Any) -> NDArray[Any]:
    """Convert a column to an array; text to fixed-width strings."""
    array = np.asarray(values.to_numpy())
    return array.astype(str) if array.dtype.kind == "O" else array
