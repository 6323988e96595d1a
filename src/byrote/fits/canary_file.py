"""canaries.parquet: what an exposure run planted. The only file of a run that holds secrets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.canaries import Canary
from byrote.data.canary_records import CanaryRecords, spec
from byrote.errors import ForeignFile, InvalidInput
from byrote.fits import parquet
from byrote.fits.manifest import Manifest
from byrote.fits.paths import RunPaths


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
        secrets = pattern.secrets_in(self.completions[row])
        return pattern.with_secret(secrets[0] if len(secrets) == 1 else secrets)


def write_canaries(paths: RunPaths, manifest: Manifest, records: CanaryRecords) -> None:
    """Write the canaries; reference candidates need no names."""
    corpus, count = records.corpus, records.canaries
    facts = {
        "run_id": manifest.run_id,
        "patterns": [spec(pattern) for pattern in records.patterns],
        "corpus": {
            "characters": corpus.characters,
            "bytes": corpus.size,
            "compressed": corpus.compressed,
        },
        "measurement": vars(records.measurement),
    }
    columns = {
        "id": records.ids[:count],
        "pattern": records.pattern[:count],
        "completion": list(records.completions[:count]),
    }
    parquet.write(paths.canaries, columns, facts)


def read_canaries(paths: RunPaths, manifest: Manifest) -> PlantedCanaries:
    """The canaries of a run.

    Raises
    ------
    InvalidInput
        If it is no exposure run.
    CorruptFile
        If the file is damaged.
    ForeignFile
        If it belongs to another run.
    """
    if manifest.plan.spec.get("kind") != "insertions":
        raise InvalidInput(f"{paths.root} is no exposure run: it has no canaries")
    table, facts = parquet.read(paths.canaries, ("id", "pattern", "completion"))
    if facts.get("run_id") != manifest.run_id:
        raise ForeignFile(f"{paths.canaries} belongs to another run")
    return PlantedCanaries(
        patterns=tuple(Canary(**given) for given in facts["patterns"]),
        pattern=table["pattern"].to_numpy(),
        ids=parquet.column(table["id"]),
        completions=tuple(table["completion"].to_pylist()),
        corpus=facts["corpus"],
        measurement=facts["measurement"],
    )
