"""Files that list records by their ids, one each: read to choose among records, and written."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.cells import cell, text_of
from byrote.data.notices import noticed
from byrote.errors import InvalidInput, did_you_mean

KINDS = (".csv", ".txt", ".parquet")
_COLUMN = "id"


def check_kind(name: str, path: str | Path) -> Path:
    """Refuse a path that does not end as a list of ids does."""
    if checks.path(name, path).suffix.lower() not in KINDS:
        raise InvalidInput(f"{name} must name a {', '.join(KINDS)} file; got {path}")
    return Path(path)


def read_ids(path: str | Path) -> list[str]:
    r"""The ids that a file lists, as text: the column ``id`` of a table, or the lines of a .txt.

    Raises
    ------
    InvalidInput
        If there is no such file, it is damaged, or it holds no column of ids.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/ids.csv").write_text("id,score\n007,1.5\n12,0.1\n")
    ...     read_ids(f"{folder}/ids.csv")
    ['007', '12']
    """
    path = check_kind("only", path)
    if not path.is_file():
        raise InvalidInput(f"only must name a file that lists ids; there is no {path}")
    try:
        with noticed(path.name):
            return _READERS[path.suffix.lower()](str(path))
    except InvalidInput as error:
        raise InvalidInput(f"only, {path.name}: {error}") from None


def rows_of(ids: NDArray[Any], listed: list[str]) -> NDArray[np.intp]:
    """Rows of the records that are listed, in the order of the data.

    Ids that are numbers are compared as written plainly: 7, not 07 or 7.0.

    Parameters
    ----------
    ids
        (n,) integers or strings, all different.
    listed
        Ids as text, in any order.

    Raises
    ------
    InvalidInput
        If none is listed, one is listed twice, or one is no record's. No id is quoted.

    Examples
    --------
    >>> rows_of(np.array([30, 10, 20]), ["20", "30"]).tolist()
    [0, 2]
    """
    if not listed:
        raise InvalidInput("only must list at least one id; the file lists none")
    if ids.dtype.kind != "U":
        listed = [text.strip() for text in listed]
    wanted = np.array(listed)
    checks.unique("ids in the file for only", wanted)
    there = ids.astype(str)
    unknown = int(np.count_nonzero(~np.isin(wanted, there)))
    if unknown:
        raise InvalidInput(
            f"only must list ids of the records; {unknown} of {len(wanted)} are no record's, of"
            f" {len(there)} records"
        )
    return np.flatnonzero(np.isin(there, wanted))


def as_file(ids: NDArray[Any], kind: str) -> bytes:
    r"""Ids as the content of a file that ``read_ids`` reads; the kind is its suffix.

    Raises
    ------
    InvalidInput
        If an id has a line break in it, or is empty, and the file is to have a line for each.

    Examples
    --------
    >>> as_file(np.array(["a", "b, c"]), ".csv")
    b'id\na\n"b, c"\n'
    """
    if kind == ".parquet":
        return _parquet_of(ids)
    if kind == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        texts = (cell(value) if isinstance(value, str) else value for value in ids.tolist())
        writer.writerows([[_COLUMN], *([text] for text in texts)])
        return text.getvalue().encode()
    lines = [str(value) for value in ids.tolist()]
    if any(not line.strip() or {"\n", "\r"} & set(line) for line in lines):
        raise InvalidInput("a .txt file has one id a line; some ids hold line breaks or no text")
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(path: str) -> list[str]:
    from byrote.data.comma_separated import text_of_file  # noqa: PLC0415 (slow to load)

    text = text_of_file(path).decode().removeprefix("\ufeff")
    return [line for line in (each.removesuffix("\r") for each in text.split("\n")) if line.strip()]


def _csv(path: str) -> list[str]:
    from byrote.data import columns  # noqa: PLC0415 (slow to load)
    from byrote.data.comma_separated import parse_csv, text_of_file  # noqa: PLC0415

    table = parse_csv(text_of_file(path), text=[_COLUMN])
    _check_column(table.column_names)
    columns.check_names(table.column_names)
    return [text_of(str(value)) for value in table.column(_COLUMN).to_pylist()]


def _parquet(path: str) -> list[str]:
    from byrote.data import columns  # noqa: PLC0415 (slow to load)
    from byrote.data.parquet import open_parquet  # noqa: PLC0415

    with open_parquet(path) as file:
        names = file.schema_arrow.names
        _check_column(names)
        columns.check_names(names)
        table = file.read(columns=[_COLUMN])
    found = columns.names("ids", _COLUMN, table.column(_COLUMN))
    return [str(value) for value in found.tolist()]


def _parquet_of(ids: NDArray[Any]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 (slow to load)
    import pyarrow.parquet as pa_parquet  # noqa: PLC0415

    buffer = io.BytesIO()
    table = pa.table({_COLUMN: ids})
    pa_parquet.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def _check_column(names: list[str]) -> None:
    if _COLUMN not in names:
        raise InvalidInput(
            f"a column {_COLUMN!r} must list the ids; no column has that name"
            + did_you_mean(_COLUMN, names)
        )


_READERS = {".csv": _csv, ".txt": _lines, ".parquet": _parquet}
