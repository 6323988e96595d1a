"""Records that a run's model has not seen, which its training records are compared with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from byrote.data import Records, load
from byrote.errors import InvalidInput

_SAME_RECORDS = "--validation must be records other than those of the run; got the same"
_OPTIONS_OF_FILES = {  # all but the first are about parts of one file
    "image", "key", "labels", "ids", "columns", "drop", "categories", "separator", "decimal",
    "encoding",
}  # fmt: skip
_FILES_WITH_PARTS = {".npz", ".csv", ".parquet"}


def load_validation(data: Mapping[str, Any], path: str | None, part: str | None) -> Records:
    """Load validation records: another file, or another part of the run's data set.

    Options of the run's records apply to them too, except those that name files or a part.

    Raises
    ------
    InvalidInput
        If they cannot be loaded, are the run's own, or have another shape.
    """
    location = data["location"] if path is None else path
    same_source = Path(location).resolve() == Path(data["location"]).resolve()
    # The run's records may be a random subset of what is there.
    if same_source and (part or "train") == data["options"].get("part", "train"):
        raise InvalidInput(_SAME_RECORDS)
    suffix = Path(location).suffix.lower()
    same_format = suffix in _FILES_WITH_PARTS and suffix == Path(data["location"]).suffix.lower()
    inherited = _OPTIONS_OF_FILES if same_format else {"image"}
    options = {name: value for name, value in data["options"].items() if name in inherited}
    records = load(location, **options, **({} if part is None else {"part": part}))
    if records.fingerprint == data["fingerprint"]:
        raise InvalidInput(_SAME_RECORDS)
    if records.columns is None and list(records.shape) != list(data["shape"]):
        shape = tuple(data["shape"])
        raise InvalidInput(f"--validation must hold records of shape {shape}; got {records.shape}")
    return records
