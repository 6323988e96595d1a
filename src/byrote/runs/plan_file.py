"""plan.parquet: the design of a run, one row for each fit; and the same for programs elsewhere."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from byrote.errors import ForeignFile
from byrote.plans import Design
from byrote.runs import sealed
from byrote.runs.files import parsing
from byrote.runs.job import job_of
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths

_NUMBERS = ("repeat", "fold", "group", "leader")
_COLUMNS = ("fit", *_NUMBERS, "held_out", "counted")
_INSERTIONS = ("copies", "places")
_NUMBERS_AT_ONCE = 1 << 21  # of records, decoded at a time


def write_design(paths: RunPaths, manifest: Manifest, design: Design) -> None:
    """Write the design of a run."""
    rows = pa.list_(pa.uint32())
    columns = {
        "fit": np.arange(design.fits, dtype=np.uint32),
        **{name: getattr(design, name) for name in _NUMBERS},
        "held_out": pa.array(design.held_out, type=rows),
        "counted": pa.array(design.counted, type=rows),
    }
    if design.copies is not None:
        columns["copies"] = pa.array(design.copies, type=rows)
        columns["places"] = pa.array(design.places, type=pa.list_(pa.int64()))
    if len(design.bystanders):
        columns["bystanders"] = pa.array([design.bystanders, *[[]] * (design.fits - 1)], type=rows)
    lists = [name for name in columns if name not in ("fit", *_NUMBERS)]
    sealed.write_parquet(
        paths.plan,
        columns,
        {"run_id": manifest.run_id},
        use_dictionary=False,  # of rows, it would be longer than they are
        column_encoding={f"{name}.list.element": "DELTA_BINARY_PACKED" for name in lists},
    )


def read_design(paths: RunPaths, manifest: Manifest) -> Design:
    """Read the design of a run, which must be the one that the manifest describes."""
    plan = manifest.plan
    at_once = max(1, _NUMBERS_AT_ONCE // manifest.data.records)
    table, facts = sealed.read_parquet(paths.plan, _COLUMNS, at_once=at_once)
    if facts.get("run_id") != manifest.run_id or len(table) < plan.fits:
        raise ForeignFile(f"{paths.plan} belongs to another run")
    table = table.slice(0, plan.fits)  # longer where a start was killed while it extended the run
    with parsing(paths.plan):
        names = set(table.column_names)
        insertions: dict[str, Any] = {n: _lists(table[n]) for n in _INSERTIONS if n in names}
        if (plan.spec["kind"] == "insertions") != (len(insertions) == len(_INSERTIONS)):
            raise ValueError("an exposure run has insertions, and no other run has")
        optional = dict(insertions)
        if "bystanders" in names:
            optional["bystanders"] = np.concatenate(_lists(table["bystanders"]))
        numbers: dict[str, Any] = {name: _numbers(table[name]) for name in _NUMBERS}
        design = Design(
            n=manifest.data.records,
            **numbers,
            **optional,
            held_out=_lists(table["held_out"]),
            counted=_lists(table["counted"]),
            randomized=plan.randomized,
            units=plan.units,
            looks=len(plan.looks) or 1,
        )
        design.check()
        return design


def write_membership(
    paths: RunPaths, manifest: Manifest, design: Design, ids: NDArray[Any]
) -> None:
    """Write membership.parquet, for programs in any language: one row for each record.

    Columns: ``id``, ``scored`` (whether the log-likelihood is needed in every fit that counts it),
    and for each fit ``fit_0``, … (whether it trains on the record). The metadata has the seeds.
    """
    columns: dict[str, Any] = {"id": ids, "scored": np.isin(np.arange(design.n), design.evaluated)}
    columns |= {f"fit_{fit}": design.trained_on(fit) for fit in range(design.fits)}
    seeds = [job_of(design, fit, manifest.seed).training_seed for fit in range(design.fits)]
    sealed.write_parquet(paths.membership, columns, {"run_id": manifest.run_id, "seeds": seeds})


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    numbers = sealed.column(column)  # no cast by Arrow, which would first load its functions
    if numbers.dtype.kind not in "iu":
        raise ValueError(f"a column that must hold integers holds {numbers.dtype}")
    return numbers.astype(np.int64)


def _lists(column: pa.ChunkedArray) -> list[Any]:
    return [sealed.column(value.values) if value.is_valid else None for value in column]
