"""Tables as they are: files of columns of numbers and categories, as data frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from byrote import checks
from byrote.data.formats.csv_table import read_table
from byrote.data.formats.parquet import open_parquet
from byrote.data.load_diagnostics import collect_warnings, prefix_errors
from byrote.data.tables import as_frame
from byrote.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    import pandas as pd


def load_frame(name: str, path: str | Path, *, drop: Sequence[str] = ()) -> "pd.DataFrame":
    r"""Load a CSV (also gzipped) or Parquet file; ``name`` stands for it in messages.

    Raises
    ------
    InvalidInput
        If the file is missing, damaged or of another kind, or lacks a column to drop.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text("id,age,sex\n1,30,f\n2,,m\n")
    ...     frame = load_frame("train", f"{folder}/t.csv", drop=["id"])
    >>> frame.to_dict("list")
    {'age': [30.0, nan], 'sex': ['f', 'm']}
    """
    file = checks.path(name, path)
    if not file.is_file():
        raise InvalidInput(f"{name} must be a .csv or .parquet file; {path} does not exist")
    source = str(file)
    with collect_warnings(source), prefix_errors(source):
        frame = _read(name, file)
        for column in drop:
            if column not in frame.columns:
                nearest = did_you_mean(column, list(frame.columns))
                raise InvalidInput(f"the column to drop, {column!r}, is missing{nearest}")
        return frame.drop(columns=list(drop))


def _read(name: str, file: Path) -> "pd.DataFrame":
    lower = file.name.lower()
    if lower.endswith((".csv", ".csv.gz")):
        frame = as_frame(read_table(file))
    elif lower.endswith(".parquet"):
        with open_parquet(str(file)) as parquet:
            frame = as_frame(parquet.read())
    else:
        raise InvalidInput(f"{name} must be a .csv (also gzipped) or .parquet file")
    return frame


def id_columns(frame: "pd.DataFrame") -> list[str]:
    """Return the columns that look like ids: every row has another integer or text.

    Examples
    --------
    >>> import pandas as pd
    >>> id_columns(pd.DataFrame({"n": [4, 8, 9], "age": [0.5, 2.5, 7.5], "sex": ["f", "m", "m"]}))
    ['n']
    """
    return [
        str(name)
        for name, values in frame.items()
        if values.dtype.kind != "f" and len(values) > 2 and values.is_unique
    ]
