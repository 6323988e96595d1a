"""The Parquet files of a run folder: columns in, columns out, each marked with its run."""

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
from byrote.fits.files import write_atomically

_KEY = b"byrote"


def write(path: Path, columns: Mapping[str, Any], facts: Mapping[str, Any], **how: Any) -> None:
    """Write columns and facts about them, atomically, with a checksum on every page."""
    table = pa.table(dict(columns)).replace_schema_metadata({_KEY: json.dumps(dict(facts))})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True, **how)
    write_atomically(path, buffer.getbuffer())


def read(
    path: Path, columns: Iterable[str] = (), *, alone: bool = False, where: Any = None
) -> tuple[Any, dict[str, Any]]:
    """The table, which must have the columns, and its facts.

    ``alone`` reads no other columns; ``where`` only rows of which a PyArrow expression is true.

    Raises
    ------
    CorruptFile
        If the file is truncated, altered or not byrote's.
    """
    columns = list(columns)
    with _refused(path):
        table = pq.read_table(
            path,
            columns=columns if alone else None,
            filters=where,
            page_checksum_verification=True,
            partitioning=None,
        )
        facts = json.loads(table.schema.metadata[_KEY])
        table.select(columns)
    return table, facts


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


def read_result(path: str | Path, format_: str, what: str) -> tuple[pa.Table, dict[str, Any]]:
    """A saved result, in the format that is expected.

    Raises
    ------
    InvalidInput
        If there is no such file.
    CorruptFile
        If the file is damaged, or holds something else than ``what``.
    """
    if not checks.path("path", path).is_file():
        raise InvalidInput(f"path must name a file; there is no {path}")
    table, facts = read(Path(path))
    if facts.get("format") != format_:
        raise CorruptFile(f"{path} holds no {what}")
    return table, facts


def describe(path: Path) -> tuple[list[str], dict[str, Any]]:
    """Names of the columns, and the facts, from the end of the file alone.

    Raises
    ------
    CorruptFile
        As ``read``.
    """
    with _refused(path):
        schema = pq.read_schema(path)
        return list(schema.names), json.loads(schema.metadata[_KEY])


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, TypeError, KeyError, ValueError) as error:
        raise CorruptFile(f"{path} is damaged and cannot be read ({_first_line(error)})") from None


def column(values: Any) -> NDArray[Any]:
    """A column as an array; text as fixed-width strings."""
    array = np.asarray(values.to_numpy())
    return array.astype(str) if array.dtype.kind == "O" else array


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
