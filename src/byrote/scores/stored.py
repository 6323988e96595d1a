"""Results that commands write into a run folder, beside its fits."""

from collections.abc import Mapping
from typing import Any, TypeVar

from byrote.errors import InvalidInput
from byrote.runs.files import file_exists
from byrote.runs.run_folder import RunFolder
from byrote.scores.neighbors.near_duplicates import NearDuplicates
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.recitation.counterfactual import CounterfactualRecitation

Stored = TypeVar("Stored", NeighborResult, NearDuplicates, CounterfactualRecitation)
_WRITTEN: Mapping[type[Any], tuple[str, str]] = {  # name of the file in RunPaths, and the command
    NeighborResult: ("neighbors", "byrote neighbors"),
    NearDuplicates: ("near_duplicates", "byrote neighbors"),
    CounterfactualRecitation: ("recitation", "byrote recite"),
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
