"""What a run keeps of its records: ids and labels, and of an exposure run the canaries.

Both files follow from the records alone, so that a start that has these mends what is damaged.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from byrote.data import load
from byrote.data.canary_records import CanaryRecords
from byrote.data.records import Records
from byrote.errors import CorruptFile, ForeignFile, InvalidInput
from byrote.runs import parquet
from byrote.runs.kinds import Kind, RecordFile
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths

Names = tuple[NDArray[Any], NDArray[Any] | None]  # ids and labels, in the order of the data


def write(paths: RunPaths, manifest: Manifest, kind: Kind) -> None:
    """Write the files of a new run."""
    for _, write_file, _ in _files(paths, kind):
        write_file(manifest)


def damaged(paths: RunPaths, manifest: Manifest, kind: Kind) -> dict[Path, CorruptFile]:
    """The files that are missing or damaged, with what is wrong with each.

    Raises
    ------
    ForeignFile
        If one belongs to another run: it is not ours to replace.
    CannotRead
        If the disk does not give one, or there is no memory for it.
    """
    problems = {}
    for path, _, read_file in _files(paths, kind):
        try:
            read_file(manifest)
        except ForeignFile:
            raise
        except CorruptFile as error:
            problems[path] = error
    return problems


def mend(paths: RunPaths, manifest: Manifest, kind: Kind, problems: Iterable[Path]) -> None:
    """Write again the files that are missing or damaged."""
    for path, write_file, _ in _files(paths, kind):
        if path in problems:
            write_file(manifest)


def read_names(paths: RunPaths, manifest: Manifest) -> Names:
    """Ids and labels of the records, in the order of the data.

    Raises
    ------
    CorruptFile
        If the file is missing or damaged, or has another number of records than the run.
    ForeignFile
        If it belongs to another run.
    CannotRead
        If the disk does not give it, or there is no memory for it.
    """
    with parquet.opened(paths.records, ("id",)) as (file, facts):
        if facts.get("run_id") != manifest.run_id:
            raise ForeignFile(f"{paths.records} belongs to another run")
        rows, records = file.metadata.num_rows, manifest.data.records
        if rows != records:
            raise CorruptFile(
                f"{paths.records} is damaged: it has {rows} rows, and the run {records} records"
            )
        table = file.read(use_threads=False)
        ids = parquet.column(table["id"])
        return ids, parquet.column(table["label"]) if "label" in table.column_names else None


def _files(paths: RunPaths, kind: Kind) -> list[RecordFile]:
    """Return each file with what writes it and what reads it."""
    names = partial(_write_names, paths, kind.records), partial(read_names, paths)
    return [(paths.records, *names), *kind.files(paths)]


def _write_names(paths: RunPaths, records: Records | CanaryRecords, manifest: Manifest) -> None:
    columns = {"id": records.ids}
    if records.labels is not None:
        columns["label"] = records.labels
    parquet.write(paths.records, columns, {"run_id": manifest.run_id})


def load_records(paths: RunPaths, manifest: Manifest) -> Records:
    """Load the records that a run was made from once more.

    Where a file listed them (``--only``), the ids in the run folder do so now, because that file
    may have changed.

    Raises
    ------
    InvalidInput
        If they were an array in memory, cannot be loaded, or have changed.
    """
    data = manifest.data
    if data.source == "memory":
        raise InvalidInput("the run was made from an array in memory, which no command can load")
    options = dict(data.options)
    if "only" in options:
        options["only"] = str(paths.records)
    records = load(data.location, **options)
    if records.fingerprint != data.fingerprint:
        raise InvalidInput(f"{data.source} has changed since the run: values, labels or ids")
    return records
