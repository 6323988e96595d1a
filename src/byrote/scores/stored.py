"""Results that commands write into a run folder, beside its fits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from byrote.errors import InvalidInput
from byrote.runs.files import file_exists
from byrote.runs.run_folder import RunFolder
from byrote.scores.exposure.secret_extraction import SecretExtraction
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.near_duplicates import NearDuplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.scores.once import once
from byrote.scores.recitation.counterfactual import CounterfactualRecitation
from byrote.scores.reported import Reported

Stored = TypeVar(
    "Stored",
    CounterfactualRecitation,
    NearDuplicates,
    NeighborResult,
    RecordExtraction,
    SecretExtraction,
)
_WRITTEN: Mapping[type[Any], tuple[str, str]] = {  # name of the file in RunPaths, and the command
    CounterfactualRecitation: ("recitation", "byrote recite"),
    NearDuplicates: ("near_duplicates", "byrote neighbors"),
    NeighborResult: ("neighbors", "byrote neighbors"),
    RecordExtraction: ("extraction", "byrote extract"),
    SecretExtraction: ("extraction", "byrote extract"),
}


def load_stored(folder: RunFolder, form: type[Stored]) -> Stored | None:
    """Load what a command wrote of this run; None if it was not run.

    Raises
    ------
    InvalidInput
        If the file is of another run.
    CorruptFile, CannotRead
        If it is damaged, or cannot be read.
    """
    name, command = _WRITTEN[form]
    path = getattr(folder.paths, name)
    if not file_exists(path):
        return None
    result = form.load(path)
    if result.description.get("run_id") != folder.manifest.run_id:
        raise InvalidInput(f"{path} belongs to another run; {command} replaces it")
    return result


def save_stored(folder: RunFolder, result: Stored) -> None:
    """Write what a command found of this run, in place of what it found before.

    Raises
    ------
    CannotWrite
        If the system refuses; what was there before stays.
    """
    name, _ = _WRITTEN[type(result)]
    description = {**result.description, "run_id": folder.manifest.run_id}
    replace(result, description=description).save(getattr(folder.paths, name))


class StoredResults(Reported):
    """Base of an open run: what commands left in its folder."""

    folder: RunFolder

    def memorization(self, *, partial: bool = False) -> MemorizationResult:
        """Compute the memorization scores."""
        raise NotImplementedError

    @property
    def has_canaries(self) -> bool:
        """Whether the run has canaries."""
        raise NotImplementedError

    @once
    def neighbors(self) -> NeighborResult:
        """Load the results of ``byrote neighbors --validation``."""
        result = load_stored(self.folder, NeighborResult)
        if result is None:
            raise InvalidInput("byrote neighbors has not been run")
        return replace(result, score=self.memorization(partial=True).score)

    @once
    def near_duplicates(self) -> NearDuplicates | None:
        """Load the near-duplicates found by ``byrote neighbors``; None if it was not run."""
        result = load_stored(self.folder, NearDuplicates)
        if result is None:
            return None
        return replace(result, score=self.memorization(partial=True).score)

    @once
    def recitation(self) -> CounterfactualRecitation | None:
        """Load the result of ``byrote recite RUN``; None if it was not run."""
        return load_stored(self.folder, CounterfactualRecitation)

    @once
    def extraction(self) -> SecretExtraction | RecordExtraction | None:
        """Load the result of ``byrote extract``; None if it was not run.

        Of a run with canaries, without the completions themselves; of others, with the current
        scores, which later repeats may have changed.
        """
        if self.has_canaries:
            return load_stored(self.folder, SecretExtraction)
        result = load_stored(self.folder, RecordExtraction)
        return None if result is None else result.beside(self.memorization(partial=True))
