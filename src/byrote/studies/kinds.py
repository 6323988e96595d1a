"""All studies by name, and which options each kind has."""

from collections.abc import Mapping
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput
from byrote.studies.declaration import NAMES as OF_SCORES
from byrote.studies.exposure.declaration import NAMES as OF_EXPOSURE
from byrote.studies.mitigations.declaration import NAMES as OF_MITIGATIONS

KINDS: Mapping[str, tuple[str, ...]] = {
    "scores": OF_SCORES,
    "exposure": OF_EXPOSURE,
    "mitigations": OF_MITIGATIONS,
}
NAMES = tuple(name for names in KINDS.values() for name in names)
_OPTIONS: Mapping[str, tuple[str, ...]] = {  # which not all kinds have
    "scores": (
        "records",
        "repeats",
        "validation",
        "validation_part",
        "key",
        "labels",
        "dry_run",
    ),
    "exposure": ("fits", "characters"),
    "mitigations": ("records", "fits", "key", "labels"),
}


def kind_of(name: str) -> str:
    """Of what a study is: of memorization "scores", of "exposure", or of "mitigations".

    Raises
    ------
    InvalidInput
        If there is none of that name; the message suggests the nearest.
    """
    checks.choice("study", name, NAMES)
    return next(kind for kind, names in KINDS.items() if name in names)


def check_options(name: str, given: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing for a study.

    Raises
    ------
    InvalidInput
        Naming the option and those that the study has in its place.
    """
    kind = kind_of(name)
    own = _OPTIONS[kind]
    theirs = {option for options in _OPTIONS.values() for option in options} - set(own)
    for option in sorted(theirs):
        if given.get(option) not in (None, False):
            words = ", ".join(map(_spelled, (*own, "epochs")))
            raise InvalidInput(
                f"{_spelled(option)} does not apply to the study {name}; those that do are {words}"
            )
    if kind == "scores" and given.get("data") is None:
        raise InvalidInput(f"--data must name the data set for the study {name}")


def _spelled(option: str) -> str:
    return f"--{option.replace('_', '-')}"
