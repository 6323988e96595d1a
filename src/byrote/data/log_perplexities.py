"""Log-perplexities computed elsewhere: a table of canaries and reference candidates."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from byrote import checks
from byrote.data.arrow_columns import is_number, label_column, label_column_of_text
from byrote.data.column_names import check_columns
from byrote.data.formats.csv import parse_csv
from byrote.data.formats.parquet import open_parquet
from byrote.data.load_diagnostics import collect_warnings, prefix_errors
from byrote.data.text_stream import read_utf8
from byrote.errors import InvalidInput, did_you_mean

_REQUIRED = ("id", "bits", "role")
_GROUP = "group"
_ROLES = ("canary", "control", "reference")


@dataclass(frozen=True, eq=False, repr=False)
class LogPerplexities:
    """Log-perplexities of canaries and of reference candidates, in bits, in table order.

    Parameters
    ----------
    ids
        (n,) distinct integers or strings: the canaries, controls included.
    canary_bits
        (n,) log-perplexities of the canaries.
    control
        (n,) booleans: canaries that were never inserted.
    reference_bits
        (m,) log-perplexities of the reference candidates.
    canary_group, reference_group
        (n,) and (m,) integers or strings: each canary is compared only with the references of its
        group; None to compare all with all.
    """

    ids: NDArray[np.generic]
    canary_bits: NDArray[np.float64]
    control: NDArray[np.bool_]
    reference_bits: NDArray[np.float64]
    canary_group: NDArray[np.generic] | None = None
    reference_group: NDArray[np.generic] | None = None

    def __repr__(self) -> str:
        controls = int(self.control.sum())
        counts = (len(self.ids) - controls, controls, len(self.reference_bits))
        nouns = (("canary", "canaries"), ("control", "controls"), ("reference", "references"))
        parts = (f"{n:,} {noun[n != 1]}" for n, noun in zip(counts, nouns, strict=True))
        return f"LogPerplexities({', '.join(parts)})"


def load_log_perplexities(source: str | os.PathLike[str]) -> LogPerplexities:
    r"""Load a CSV or Parquet file with columns id, bits, role and optionally group.

    ``bits`` are log-perplexities, -log2 of the completion's probability; ``role`` is canary,
    control (a canary that was never inserted) or reference; ``group`` assigns references to
    canaries. The ids of references are ignored. Messages name a row by its number, counted from 0.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/t.csv").write_text(
    ...         "id,bits,role\na,2.5,canary\nb,31,control\n1,30.5,reference\n2,33,reference\n"
    ...     )
    ...     loaded = load_log_perplexities(f"{folder}/t.csv")
    >>> loaded.ids.tolist(), loaded.canary_bits.tolist(), loaded.reference_bits.tolist()
    (['a', 'b'], [2.5, 31.0], [30.5, 33.0])
    """
    checks.path("source", source)
    name = os.fspath(source)
    with collect_warnings(name), prefix_errors(name):
        return _parse_table(_read_table(name))


def _read_table(source: str) -> pa.Table:
    suffix = Path(source).suffix.lower()
    if suffix == ".csv":
        return parse_csv(read_utf8(source), text=("id", "role", _GROUP))
    if suffix == ".parquet":
        with open_parquet(source) as file:
            return file.read()
    raise InvalidInput(f"log-perplexities must be in a .csv or .parquet file; got {suffix or 'no'}")


def _parse_table(table: pa.Table) -> LogPerplexities:
    names = table.column_names
    check_columns(names)
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise InvalidInput(
            f"columns id, bits and role are needed; {missing[0]!r} is missing"
            f"{did_you_mean(missing[0], names)}"
        )
    roles, bits = _roles(table.column("role")), _bits(table.column("bits"))
    reference = roles == "reference"
    if reference.all() or not reference.any():
        role = "canary or control" if reference.all() else "reference"
        raise InvalidInput(f"canaries and references are needed; no row has the role {role}")
    ids = _labels("id", table.filter(pa.array(~reference)).column("id"))
    checks.unique("ids of canaries", ids)
    groups = _labels(_GROUP, table.column(_GROUP)) if _GROUP in names else None
    canary_group = None if groups is None else groups[~reference]
    reference_group = None if groups is None else groups[reference]
    if canary_group is not None and reference_group is not None:
        _check_groups(canary_group, reference_group)
    control = roles[~reference] == "control"
    return LogPerplexities(
        ids, bits[~reference], control, bits[reference], canary_group, reference_group
    )


def _labels(name: str, column: pa.ChunkedArray) -> NDArray[np.generic]:
    read = label_column_of_text if pa.types.is_string(column.type) else label_column
    return read(name, name, column)


def _roles(column: pa.ChunkedArray) -> NDArray[np.str_]:
    roles = np.array([str(role) for role in column.to_pylist()], dtype=str)
    unknown = np.flatnonzero(~np.isin(roles, _ROLES))
    if len(unknown):
        raise InvalidInput(
            f"role must be one of {', '.join(_ROLES)}; row {unknown[0]} (counted from 0) has"
            f" another (such rows: {len(unknown)})"
        )
    return roles


def _bits(column: pa.ChunkedArray) -> NDArray[np.float64]:
    if not is_number(column.type):
        raise InvalidInput(f"bits must be numbers; the column holds {column.type}")
    bits = column.cast(pa.float64(), safe=False).to_numpy()
    bad = np.flatnonzero(~(np.isfinite(bits) & (bits >= 0)))
    if len(bad):
        what = "holds NaN or nothing" if np.isnan(bits[bad[0]]) else "does not"
        raise InvalidInput(
            f"bits must be finite and at least 0; row {bad[0]} (counted from 0) {what}"
            f" (such rows: {len(bad)})"
        )
    return bits


def _check_groups(canaries: NDArray[np.generic], references: NDArray[np.generic]) -> None:
    lonely = int((~np.isin(canaries, references)).sum())
    if lonely:
        raise InvalidInput(
            f"each canary's group must have references; {lonely} of {len(canaries)} canaries are in"
            " groups that have none"
        )
