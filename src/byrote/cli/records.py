"""Records to compare with those of a run, loaded the same way."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from byrote.data import Records

_OWN = "--validation must be other records than the run's; got the same"
_WITHIN = {".npz", ".csv", ".parquet"}  # where labels, ids and key name parts of the file itself


def records_beside(data: Mapping[str, Any], path: str | None, part: str | None) -> "Records":
    """Other records of the kind that a run was made from: another file, or part of a set.

    The run's options of loading hold for them too, but for those that name files or a part.

    Raises
    ------
    InvalidInput
        If they cannot be loaded, are the run's own, or of another shape.
    """
    from byrote.data import load  # noqa: PLC0415 (slow to load)

    location = data["location"] if path is None else path
    _check_other(data, location, part)
    suffix = Path(location).suffix.lower()
    inside = suffix in _WITHIN and suffix == Path(data["location"]).suffix.lower()
    passed = {"image", "key", "labels", "ids"} if inside else {"image"}
    options = {name: value for name, value in data["options"].items() if name in passed}
    records = load(location, **options, **({} if part is None else {"part": part}))
    if records.fingerprint == data["fingerprint"]:
        raise InvalidInput(_OWN)
    if list(records.shape) != list(data["shape"]):
        want = tuple(data["shape"])
        raise InvalidInput(f"--validation must hold records of shape {want}; got {records.shape}")
    return records


def _check_other(data: Mapping[str, Any], location: str, part: str | None) -> None:
    """Refuse the source of the run's records: they may be a random choice of what is there."""
    same = Path(location).resolve() == Path(data["location"]).resolve()
    if same and (part or "train") == data["options"].get("part", "train"):
        raise InvalidInput(_OWN)
