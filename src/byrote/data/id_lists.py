"""Files that list record ids: a column ``id`` of a .csv or .parquet, or the lines of a .txt."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.column_names import check_columns
from byrote.data.load_diagnostics import collect_warnings, prefix_errors
from byrote.data.text_stream import read_utf8
from byrote.errors import InvalidInput, did_you_mean

SUFFIXES = (".csv", ".txt", ".parquet")
_COLUMN = "id"


def check_suffix(name: str, path: str | Path) -> Path:
    """Refuse a path without the suffix of an id list."""
    if checks.path(name, path).suffix.lower() not in SUFFIXES:
        raise InvalidInput(f"{name} must name a {', '.join(SUFFIXES)} file; got {path}")
    return Path(path)


def read_ids(path: str | Path) -> list[str]:
    r"""Read the ids that a file lists, as text: the column ``id`` of a table, or lines of a .txt.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/ids.csv").write_text("id,score\n007,1.5\n12,0.1\n")
    ...     read_ids(f"{folder}/ids.csv")
    ['007', '12']
    """
    path = check_suffix("only", path)
    if not path.is_file():
        raise InvalidInput(f"only must name a file that lists ids; {path} does not exist")
    with prefix_errors(f"only, {path.name}"), collect_warnings(path.name):
        return _READERS[path.suffix.lower()](str(path))


def listed_rows(ids: NDArray[Any], listed: list[str]) -> NDArray[np.intp]:
    """Return the rows of the listed records, in the order of the data; unknown ids are refused.

    Integer ids match their plain decimal form: 7, not 07 or 7.0. No message quotes an id.

    Examples
    --------
    >>> listed_rows(np.array([30, 10, 20]), ["20", "30"]).tolist()
    [0, 2]
    """
    if not listed:
        raise InvalidInput("only must list at least one id; the file lists none")
    if ids.dtype.kind != "U":
        listed = [text.strip() for text in listed]
    wanted = np.array(listed)
    checks.unique("ids in the file for only", wanted)
    as_text = ids.astype(str)
    unknown = int(np.count_nonzero(~np.isin(wanted, as_text)))
    if unknown:
        raise InvalidInput(
            f"only must list ids of the records; {unknown} of {len(wanted)} listed ids belong to"
            f" none of the {len(as_text)} records"
        )
    return np.flatnonzero(np.isin(as_text, wanted))


def encode_ids(ids: NDArray[Any], suffix: str) -> bytes:
    r"""Encode ids as the content of a file with this suffix, which ``read_ids`` reads back.

    An id with a line break, or a blank one, cannot go into a .txt.

    Examples
    --------
    >>> encode_ids(np.array(["a", "b, c"]), ".csv")
    b'id\na\n"b, c"\n'
    """
    if suffix == ".parquet":
        return _encode_parquet(ids)
    if suffix == ".csv":
        return _encode_csv(ids)
    lines = [str(id_) for id_ in ids.tolist()]
    if any(not line.strip() or {"\n", "\r"} & set(line) for line in lines):
        raise InvalidInput(
            "a .txt file has one id per line; some ids are blank or hold line breaks"
        )
    return "".join(f"{line}\n" for line in lines).encode()


def _encode_csv(ids: NDArray[Any]) -> bytes:
    from byrote.data.formats.csv import escape_cell  # noqa: PLC0415 (slow to load)

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    cells = (escape_cell(id_) if isinstance(id_, str) else id_ for id_ in ids.tolist())
    writer.writerows([[_COLUMN], *([cell] for cell in cells)])
    return text.getvalue().encode()


def _encode_parquet(ids: NDArray[Any]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 (slow to load)
    import pyarrow.parquet as pa_parquet  # noqa: PLC0415

    buffer = io.BytesIO()
    table = pa.table({_COLUMN: ids})
    pa_parquet.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def _read_lines(path: str) -> list[str]:
    text = read_utf8(path).decode().removeprefix("\ufeff")
    return [line for line in (each.removesuffix("\r") for each in text.split("\n")) if line.strip()]


def _read_csv(path: str) -> list[str]:
    from byrote.data.formats.csv import parse_csv, unescape_cell  # noqa: PLC0415 (slow to load)

    table = parse_csv(read_utf8(path), text=[_COLUMN])
    _check_columns(table.column_names)
    return [unescape_cell(str(cell)) for cell in table.column(_COLUMN).to_pylist()]


def _read_parquet(path: str) -> list[str]:
    from byrote.data.arrow_columns import label_column  # noqa: PLC0415 (slow to load)
    from byrote.data.formats.parquet import open_parquet  # noqa: PLC0415

    with open_parquet(path) as file:
        _check_columns(file.schema_arrow.names)
        table = file.read(columns=[_COLUMN])
    ids = label_column("ids", _COLUMN, table.column(_COLUMN))
    return [str(id_) for id_ in ids.tolist()]


def _check_columns(names: list[str]) -> None:
    if _COLUMN not in names:
        raise InvalidInput(
            f"a column {_COLUMN!r} must list the ids; no column has that name"
            + did_you_mean(_COLUMN, names)
        )
    check_columns(names)


_READERS = {".csv": _read_csv, ".txt": _read_lines, ".parquet": _read_parquet}
