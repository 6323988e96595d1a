"""What a run stores of its records: ids and labels, and the canaries of an exposure run.

Both files follow from the records alone, so a start that has the records writes a damaged one
again. canaries.parquet is the only file of a run that holds secrets.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.data import load
from byrote.data.canaries import Canary
from byrote.data.canary_records import CanaryRecords, pattern_spec
from byrote.data.records import Records
from byrote.data.text_records import TextRecords
from byrote.data.text_sources import load_texts
from byrote.errors import CorruptFile, ForeignFile, InvalidInput
from byrote.runs import files, sealed
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths

Names = tuple[NDArray[Any], NDArray[Any] | None]  # ids and labels, in the order of the data
_CANARY_COLUMNS = ("id", "pattern", "completion")


class RecordFile(NamedTuple):
    """A file made from the records, with the functions that write and read it."""

    path: Path
    write: Callable[[Manifest], None]
    read: Callable[[Manifest], object]


def names_file(paths: RunPaths, records: Records | TextRecords | CanaryRecords) -> RecordFile:
    """Return the file of ids and labels."""
    write = partial(_write_names, paths, records)
    return RecordFile(paths.records, write, partial(read_names, paths))


def canaries_file(paths: RunPaths, records: CanaryRecords) -> RecordFile:
    """Return the file of patterns and secrets."""
    write = partial(_write_canaries, paths, records)
    return RecordFile(paths.canaries, write, partial(read_canaries, paths))


def read_files(
    record_files: Iterable[RecordFile], manifest: Manifest
) -> tuple[dict[Path, Any], list[tuple[RecordFile, CorruptFile]]]:
    """Return the contents by path, and the missing or damaged files with their errors.

    A file of another run is not ours to replace.
    """
    contents, damaged = {}, []
    for file in record_files:
        try:
            contents[file.path] = file.read(manifest)
        except ForeignFile:
            raise
        except CorruptFile as error:
            damaged.append((file, error))
    return contents, damaged


def _write_names(
    paths: RunPaths, records: Records | TextRecords | CanaryRecords, manifest: Manifest
) -> None:
    columns = {"id": records.ids}
    if records.labels is not None:
        columns["label"] = records.labels
    sealed.write_parquet(paths.records, columns, {"run_id": manifest.run_id})


def read_names(paths: RunPaths, manifest: Manifest) -> Names:
    """Read ids and labels of the records, in the order of the data."""
    with sealed.opened_parquet(paths.records, ("id",)) as (file, facts):
        if facts.get("run_id") != manifest.run_id:
            raise ForeignFile(f"{paths.records} belongs to another run")
        rows, records = file.metadata.num_rows, manifest.data.records
        if rows != records:
            raise CorruptFile(
                f"{paths.records} is damaged: it has {rows} rows, and the run {records} records"
            )
        table = file.read(use_threads=False)
        ids = sealed.column(table["id"])
        return ids, sealed.column(table["label"]) if "label" in table.column_names else None


def load_records(paths: RunPaths, manifest: Manifest) -> Records | TextRecords:
    """Load the records that a run was made from, which must be unchanged.

    Records selected by a list in a file (``--only``) are selected by the ids in the run folder,
    because that file may have changed.
    """
    data = manifest.data
    if data.source == "memory":
        raise InvalidInput(
            f"the run was made from {'texts' if data.texts else 'an array or data frame'} in"
            " memory, which no command can load (byrote.open_run takes it as records)"
        )
    options = dict(data.options)
    if "only" in options:
        options["only"] = str(paths.records)
    return checked_records((load_texts if data.texts else load)(data.location, **options), manifest)


def checked_records(records: Records | TextRecords, manifest: Manifest) -> Records | TextRecords:
    """Return records, which must be those of the run, unchanged."""
    data = manifest.data
    if records.fingerprint != data.fingerprint:
        changed = f"{data.source} has changed since the run"
        given = "records must be those of the run; these have other"
        raise InvalidInput(
            f"{given if data.source == 'memory' else f'{changed}:'} values, labels or ids"
        )
    return records


@dataclass(frozen=True, eq=False, repr=False)
class PlantedCanaries:
    """The canaries of a run, including controls, in the order of its records.

    Attributes
    ----------
    patterns
        Canaries without a secret.
    pattern
        (c,) pattern of each canary.
    ids
        (c,) names.
    completions
        Text after the prefix of each canary.
    corpus
        Characters, bytes and compressed bytes of the training text.
    measurement
        How exposure was measured.
    """

    patterns: tuple[Canary, ...]
    pattern: NDArray[np.int64]
    ids: NDArray[Any]
    completions: tuple[str, ...]
    corpus: dict[str, int]
    measurement: dict[str, Any]

    def __len__(self) -> int:
        return len(self.completions)

    def canary(self, row: int) -> Canary:
        """Return one canary with its secret."""
        pattern = self.patterns[self.pattern[row]]
        return pattern.with_secret(pattern.secrets_in(self.completions[row]))


def _write_canaries(paths: RunPaths, records: CanaryRecords, manifest: Manifest) -> None:
    corpus, count = records.corpus, records.canaries
    facts = {
        "run_id": manifest.run_id,
        "patterns": [pattern_spec(pattern) for pattern in records.patterns],
        "corpus": {
            "characters": corpus.characters,
            "bytes": corpus.size,
            "compressed": corpus.compressed,
        },
        "measurement": vars(records.measurement),
    }
    # Reference candidates need no names.
    values = records.ids[:count], records.pattern[:count], list(records.completions[:count])
    sealed.write_parquet(paths.canaries, dict(zip(_CANARY_COLUMNS, values, strict=True)), facts)


def read_canaries(paths: RunPaths, manifest: Manifest) -> PlantedCanaries:
    """Read the canaries of an exposure run."""
    if manifest.plan.spec.get("kind") != "insertions":
        raise InvalidInput(f"{paths.root} is not an exposure run: it has no canaries")
    table, facts = sealed.read_parquet(paths.canaries, _CANARY_COLUMNS)
    if facts.get("run_id") != manifest.run_id:
        raise ForeignFile(f"{paths.canaries} belongs to another run")
    with files.parsing(paths.canaries):
        canaries = PlantedCanaries(
            patterns=tuple(_pattern(spec) for spec in facts["patterns"]),
            pattern=sealed.column(table["pattern"]),
            ids=sealed.column(table["id"]),
            completions=tuple(table["completion"].to_pylist()),
            corpus=dict(facts["corpus"]),
            measurement=dict(facts["measurement"]),
        )
        if not set(canaries.pattern.tolist()) <= set(range(len(canaries.patterns))):
            raise ValueError("the pattern of a canary is unknown")
        if len(canaries) > manifest.data.records:
            raise ValueError("there are more canaries than records")
        return canaries


def _pattern(spec: dict[str, Any]) -> Canary:
    try:
        return Canary(**spec)
    except InvalidInput:  # whose message may quote private text
        raise ValueError("a pattern is not valid") from None
