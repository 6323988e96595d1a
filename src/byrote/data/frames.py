"""Tables that are compared, as data frames: read and checked as ``byrote.load`` does, or given."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from byrote import checks
from byrote.data.arrow_columns import label_column, label_column_of_text
from byrote.data.column_choice import ColumnChoice
from byrote.data.columns import Columns, is_arrow, is_frame
from byrote.data.formats.csv_table import read_table
from byrote.data.formats.parquet import open_parquet
from byrote.data.load_diagnostics import collect_warnings, prefix_errors
from byrote.data.records import Records, as_numbers
from byrote.data.tables import ReadLabels, as_frame, checked_frame, value_frame
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd


def load_tables(
    paths: Mapping[str, str | Path],
    *,
    ids: str | None = None,
    columns: str | None = None,
    drop: str | None = None,
    categories: str | None = None,
    **dialect: str | None,
) -> dict[str, "pd.DataFrame"]:
    r"""Load CSV (also gzipped) and Parquet files of the same columns; names stand in messages.

    Options are those of ``byrote.load``. The first table is checked as there, and ids become its
    index; the others need not have columns of ids, or such as are left out.

    Raises
    ------
    InvalidInput
        If a file is missing, damaged or of another kind, or an option does not apply to it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text("id,age,sex\n7,30,f\n9,,m\n")
    ...     _ = Path(f"{folder}/s.csv").write_text("age,sex\n40,f\n")
    ...     paths = {"train": f"{folder}/t.csv", "synthetic": f"{folder}/s.csv"}
    ...     frames = load_tables(paths, ids="id")
    >>> frames["train"].index.tolist(), frames["train"].to_dict("list")
    ([7, 9], {'age': [30.0, nan], 'sex': ['f', 'm']})
    """
    choice = ColumnChoice.parse(columns, drop, categories, None, ids, None)
    frames: dict[str, pd.DataFrame] = {}
    for name, path in paths.items():
        with collect_warnings(str(path)), prefix_errors(str(path)):
            table, read = _read(name, checks.path(name, path), choice, dialect)
            if frames:
                frames[name] = value_frame(table, choice.within(table.column_names))
            else:
                frames[name] = checked_frame(table, choice)
                if ids is not None:
                    frames[name].index = read("ids", ids, table.column(ids))
    return frames


def comparable_frames(train: Any, **others: Any) -> "list[pd.DataFrame] | None":
    """Return ``train`` and others as data frames; None if ``train`` is not a table.

    A table is a data frame, of pandas or of a library that shares Arrow tables, or ``Records`` of
    one, whose ids become the index. If ``train`` is ``Records``, others may also be arrays encoded
    like it.

    Raises
    ------
    InvalidInput
        If one is a table and another is not.

    Examples
    --------
    >>> import numpy as np
    >>> columns = Columns.of_numbers(["a"], np.array([[1.0], [3.0]]))
    >>> train = Records(np.array([[1.0], [3.0]]), columns=columns)
    >>> [frame["a"].tolist() for frame in comparable_frames(train, samples=np.array([[5.0]]))]
    [[1.0, 3.0], [5.0]]
    """
    first = _frame_of(train)
    if first is None:
        if frame := next((name for name, data in others.items() if is_frame(data)), None):
            raise InvalidInput(
                f"train must be a data frame, as {frame} is; got {type(train).__name__}"
            )
        return None
    columns = train.columns if isinstance(train, Records) else None
    return [first, *(_frame_like(columns, name, data) for name, data in others.items())]


def _frame_of(data: Any) -> "pd.DataFrame | None":
    if isinstance(data, Records):
        return None if data.columns is None else data.frame()
    if not is_frame(data):
        return None
    return as_frame(pa.table(data)) if is_arrow(data) else data


def _frame_like(columns: Columns | None, name: str, data: Any) -> "pd.DataFrame":
    frame = _frame_of(data)
    if frame is not None:
        return frame
    if columns is None:
        raise InvalidInput(f"{name} must be a data frame, as train is; got {type(data).__name__}")
    array = as_numbers(name, data.x if isinstance(data, Records) else data)
    if array.shape[1:] != (columns.width,):
        raise InvalidInput(
            f"{name} must have the columns {columns.names}; got an array of shape {array.shape}"
        )
    return columns.decode(array)


def _read(
    name: str, file: Path, choice: ColumnChoice, dialect: Mapping[str, str | None]
) -> tuple[pa.Table, ReadLabels]:
    """Read a table, and return with it what reads its column of ids."""
    lower = file.name.lower()
    if not file.is_file():
        raise InvalidInput(f"{name} must be a .csv or .parquet file; it does not exist")
    if lower.endswith((".csv", ".csv.gz")):
        text = [] if choice.ids is None else [choice.ids]
        return read_table(file, text=text, **dialect), label_column_of_text
    if lower.endswith(".parquet"):
        with open_parquet(str(file)) as parquet:
            return parquet.read(), label_column
    raise InvalidInput(f"{name} must be a .csv (also gzipped) or .parquet file")
