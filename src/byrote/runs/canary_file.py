"""canaries.parquet: what an exposure run planted. The only file of a run that holds secrets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.canaries import Canary
from byrote.data.canary_records import CanaryRecords, pattern_spec
from byrote.errors import ForeignFile, InvalidInput
from byrote.runs import parquet, reading
from byrote.runs.manifest import Manifest
from byrote.runs.paths import RunPaths

_COLUMNS = ("id", "pattern", "completion")


@dataclass(frozen=True, eq=False, repr=False)
class PlantedCanaries:
    """The canaries of a run, controls included, in the order of its records.

    Attributes
    ----------
    patterns
        As canaries without a secret.
    pattern
        (c,) the pattern of each.
    ids
        (c,) names.
    completions
        What follows the prefix of each.
    corpus
        Characters, bytes and compressed bytes of the text to train on.
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
        """One of them, with its secret."""
        pattern = self.patterns[self.pattern[row]]
        return pattern.with_secret(pattern.secrets_in(self.completions[row]))


def write_canaries(paths: RunPaths, records: CanaryRecords, manifest: Manifest) -> None:
    """Write the canaries; reference candidates need no names."""
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
    values = records.ids[:count], records.pattern[:count], list(records.completions[:count])
    columns = dict(zip(_COLUMNS, values, strict=True))
    parquet.write(paths.canaries, columns, facts)


def read_canaries(paths: RunPaths, manifest: Manifest) -> PlantedCanaries:
    """The canaries of a run.

    Raises
    ------
    InvalidInput
        If it is not an exposure run.
    CorruptFile
        If the file is damaged.
    ForeignFile
        If it belongs to another run.
    CannotRead
        If the disk does not give it, or there is no memory for it.
    """
    if manifest.plan.spec.get("kind") != "insertions":
        raise InvalidInput(f"{paths.root} is not an exposure run: it has no canaries")
    table, facts = parquet.read(paths.canaries, _COLUMNS)
    if facts.get("run_id") != manifest.run_id:
        raise ForeignFile(f"{paths.canaries} belongs to another run")
    with reading.parsed(paths.canaries):
        found = PlantedCanaries(
            patterns=tuple(_pattern(given) for given in facts["patterns"]),
            pattern=table["pattern"].to_numpy(),
            ids=parquet.column(table["id"]),
            completions=tuple(table["completion"].to_pylist()),
            corpus=dict(facts["corpus"]),
            measurement=dict(facts["measurement"]),
        )
        if not set(found.pattern.tolist()) <= set(range(len(found.patterns))):
            raise ValueError("a canary is of no pattern")
        if len(found) > manifest.data.records:
            raise ValueError("there are more canaries than records")
        return found


def _pattern(given: dict[str, Any]) -> Canary:
    try:
        return Canary(**given)
    except InvalidInput:
        raise ValueError("a pattern is none") from None  # without its words, which may be private
