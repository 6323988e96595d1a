"""What a run keeps of its records: ids and labels, and of an exposure run the canaries.

Both files follow from the records alone, so that a start that has these mends what is damaged.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from byrote.data.canary_records import CanaryRecords
from byrote.data.records import Records
from byrote.errors import CorruptFile, ForeignFile
from byrote.fits import parquet
from byrote.fits.canary_file import write_canaries
from byrote.fits.manifest import Manifest
from byrote.fits.paths import RunPaths


def write(paths: RunPaths, manifest: Manifest, records: Records | CanaryRecords) -> None:
    """Write the files of a new run."""
    for _, write_one in _files(paths, records):
        write_one(paths, manifest, records)


def mend(
    paths: RunPaths, manifest: Manifest, records: Records | CanaryRecords
) -> list[CorruptFile]:
    """Write again the files that are missing or damaged; returns what was wrong with each.

    Raises
    ------
    ForeignFile
        If one belongs to another run: it is not ours to replace.
    """
    problems = []
    for path, write_one in _files(paths, records):
        try:
            _read(path, manifest)
        except ForeignFile:
            raise
        except CorruptFile as error:
            write_one(paths, manifest, records)
            problems.append(error)
    return problems


def read_names(paths: RunPaths, manifest: Manifest) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Ids and labels of the records, in the order of the data."""
    table = _read(paths.records, manifest)
    ids = parquet.column(table["id"])
    return ids, parquet.column(table["label"]) if "label" in table.column_names else None


def _read(path: Path, manifest: Manifest) -> Any:
    table, facts = parquet.read(path, ("id",))
    if facts.get("run_id") != manifest.run_id:
        raise ForeignFile(f"{path} belongs to another run")
    return table


def _files(
    paths: RunPaths, records: Records | CanaryRecords
) -> list[tuple[Path, Callable[..., None]]]:
    """Each with what writes it."""
    planted = [(paths.canaries, write_canaries)] if isinstance(records, CanaryRecords) else []
    return [(paths.records, _write_names), *planted]


def _write_names(paths: RunPaths, manifest: Manifest, records: Records | CanaryRecords) -> None:
    columns = {"id": records.ids}
    if records.labels is not None:
        columns["label"] = records.labels
    parquet.write(paths.records, columns, {"run_id": manifest.run_id})
