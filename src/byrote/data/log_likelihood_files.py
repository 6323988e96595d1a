"""Files of log-likelihoods that another program computed, of one fit or of several.

A .csv (gzipped or not), .parquet or .jsonl file has a column ``id`` (or ``row``, counted from 0)
and a column of numbers; where it holds several fits, a column ``fit``. Columns ``run`` and
``included`` are checked where they exist. A .npy file holds the numbers alone, in the order of the
records: of one fit (n,), or of all fits (fits, n).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from byrote import checks
from byrote.data.arrow_columns import is_number
from byrote.data.column_names import check_columns
from byrote.data.formats.csv import parse_csv
from byrote.data.formats.json_lines import objects
from byrote.data.formats.npy import read_array
from byrote.data.formats.parquet import open_parquet
from byrote.data.load_diagnostics import collect_warnings, prefix_errors, translate_errors
from byrote.data.log_likelihoods import LOG_PROB, LOSS, Array, FitNumbers, Units, refuse_rows
from byrote.data.text_stream import read_utf8
from byrote.errors import InvalidInput, did_you_mean

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".npy", ".jsonl", ".ndjson")
EACH_VALUE = "values"  # the mean over the values of a record, whose number the run knows
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_KEYS = ("id", "row", "record")  # fits of byrote's own have "record"


def load_log_likelihoods(
    path: str | Path, units: Units | None = None, values: int = 1
) -> list[FitNumbers]:
    r"""Load the log-likelihoods of one or several fits from a file, converted to nats.

    Parameters
    ----------
    path
        A .csv, .parquet, .jsonl or .npy file; other names are recognized by their content.
    units
        What the numbers are (default: log-likelihoods in nats).
    values
        Number of values of a record, for means over them.

    Raises
    ------
    InvalidInput
        If the file is missing, damaged, or lacks a column of numbers or of ids.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/fit-3.csv").write_text("id,log_prob\na,-2.5\nb,-1\n")
    ...     numbers = load_log_likelihoods(f"{folder}/fit-3.csv")[0]
    >>> numbers.aligned(np.array(["b", "c", "a"]), np.array([0, 2])).tolist()
    [-1.0, -2.5]
    """
    file = checks.path("file", path)
    units = Units() if units is None else units
    with prefix_errors(str(file)), collect_warnings(str(file)):
        if not file.is_file():
            raise InvalidInput("the file does not exist")
        suffix = _suffix(file)
        if suffix == ".npy":
            return list(_of_array(read_array(file), units, values))
        table, facts = _READERS[suffix](str(file))
        return list(_of_table(table, facts, units, values))


def _suffix(file: Path) -> str:
    """Return the format by the name, or else by the first bytes."""
    name = file.name.lower().removesuffix(".gz")
    suffix = next((known for known in SUFFIXES if name.endswith(known)), None)
    if suffix is not None:
        return suffix
    with file.open("rb") as opened:
        start = opened.read(6)
    if start.startswith(b"PAR1"):
        return ".parquet"
    return ".npy" if start == b"\x93NUMPY" else ".jsonl" if start[:1] == b"{" else ".csv"


def _read_csv(file: str) -> tuple[pa.Table, dict[str, Any]]:
    return parse_csv(read_utf8(file), text=("id", "run")), {}


def _read_json_lines(file: str) -> tuple[pa.Table, dict[str, Any]]:
    rows = list(objects(read_utf8(file).decode().split("\n")))
    with translate_errors("values of a name must be of one kind in every line", pa.ArrowException):
        return pa.Table.from_pylist(rows), {}


def _read_parquet(file: str) -> tuple[pa.Table, dict[str, Any]]:
    with open_parquet(file) as opened:
        stored = (opened.metadata.metadata or {}).get(b"byrote", b"{}")
        with translate_errors("the description in its metadata is damaged", ValueError):
            facts = json.loads(stored)
        return opened.read(use_threads=False), facts if isinstance(facts, dict) else {}


_READERS = {
    ".csv": _read_csv, ".parquet": _read_parquet, ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
}  # fmt: skip


def _of_array(array: NDArray[Any], units: Units, values: int) -> Iterator[FitNumbers]:
    if units.mean_of not in (None, EACH_VALUE):
        raise InvalidInput(f"an array has no column {units.mean_of!r} of numbers of terms")
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2):
        raise InvalidInput(
            f"an array must hold real numbers, (records,) or (fits, records); got {array.dtype}"
            f" {array.shape}"
        )
    terms = values if units.mean_of else 1
    for fit, numbers in enumerate(np.atleast_2d(array)):
        log_prob = units.nats(checks.floats(numbers), terms)
        yield FitNumbers(None if array.ndim == 1 else fit, "", None, log_prob)


def _of_table(
    table: pa.Table, facts: dict[str, Any], units: Units, values: int
) -> Iterator[FitNumbers]:
    names = table.column_names
    check_columns(names)
    key = next((name for name in _KEYS if name in names), None)
    if key is None:
        raise InvalidInput(
            f"a column 'id' or 'row' must say which record each row is; it has {_listed(names)}"
        )
    numbers = _numbers(table, _number_column(names, units))
    log_prob = units.nats(numbers, _terms(table, units, values))
    keys = _keys(key, table.column(key))
    included = _numbers(table, "included") if "included" in names else None
    run = _run(table, facts)
    if "fit" not in names:
        fit = facts.get("fit")
        yield FitNumbers(fit if type(fit) is int else None, key, keys, log_prob, run, included)
        return
    fits = _numbers(table, "fit")
    refuse_rows(~((fits >= 0) & (fits % 1 == 0)), "has no number of a fit")
    for fit in np.unique(fits):
        of = fits == fit
        yield FitNumbers(
            int(fit),
            key,
            keys.filter(pa.array(of)),
            log_prob[of],
            run,
            None if included is None else included[of],
        )


def _number_column(names: list[str], units: Units) -> str:
    """Return the name of the column of numbers: ``log_prob`` also for losses."""
    for name in (units.column, LOG_PROB):
        if name in names:
            return name
    hint = "; --loss takes losses" if LOSS in names else did_you_mean(units.column, names)
    raise InvalidInput(
        f"a column {units.column!r} must hold the numbers; it has {_listed(names)}{hint}"
    )


def _terms(table: pa.Table, units: Units, values: int) -> Array | int:
    if units.mean_of is None:
        return 1
    if units.mean_of in table.column_names:
        terms = _numbers(table, units.mean_of)
        refuse_rows(~(np.isfinite(terms) & (terms > 0)), f"has no positive {units.mean_of!r}")
        return terms
    if units.mean_of == EACH_VALUE:
        return values
    raise InvalidInput(
        f"mean_of must name the column with the number of terms of each mean, or be {EACH_VALUE};"
        f" column {units.mean_of!r} is missing{did_you_mean(units.mean_of, table.column_names)}"
    )


def _numbers(table: pa.Table, name: str) -> Array:
    column = table.column(name)
    if not is_number(column.type):
        if pa.types.is_string(column.type):
            is_text = pc.invert(pc.fill_null(pc.match_substring_regex(column, _NUMBER), True))
            refuse_rows(is_text.to_numpy(), f"holds text in column {name!r} of numbers")
        raise InvalidInput(f"column {name!r} must hold numbers; it holds {column.type}")
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _run(table: pa.Table, facts: dict[str, Any]) -> str | None:
    if "run" not in table.column_names:
        return None if "run_id" not in facts else str(facts["run_id"])
    runs = table.column("run").unique().to_pylist()
    return str(runs[0]) if len(runs) == 1 else "several"


def _keys(key: str, column: pa.ChunkedArray) -> pa.Array:
    """Return ids as text or integers, rows as integers; missing ones stay null."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind, of = column.type, pa.types
    is_text = of.is_string(kind) or of.is_large_string(kind)
    if not of.is_integer(kind) and not (key == "id" and is_text):
        expected = "integers or strings" if key == "id" else "integers"
        raise InvalidInput(f"column {key!r} must hold {expected}; it holds {kind}")
    target = pa.string() if is_text else pa.int64()
    with translate_errors(f"column {key!r} holds integers beyond 64 bits", pa.ArrowException):
        return column.cast(target).combine_chunks()


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (", …" if len(names) > 8 else "")
