"""All studies by name, and which options each kind has."""

from collections.abc import Mapping
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput
from byrote.studies.declaration import NAMES as OF_SCORES
from byrote.studies.exposure.declaration import NAMES as OF_EXPOSURE

NAMES = (*OF_SCORES, *OF_EXPOSURE)
_OF_SCORES_ONLY: tuple[str, ...] = (
    "records",
    "repeats",
    "validation",
    "validation_part",
    "key",
    "labels",
    "dry_run",
)
_OF_EXPOSURE_ONLY: tuple[str, ...] = ("fits", "characters")


def is_of_exposure(name: str) -> bool:
    """Whether a study is one of exposure; the others are of memorization scores.

    Raises
    ------
    InvalidInput
        If there is none of that name; the message suggests the nearest.
    """
    return checks.choice("study", name, NAMES) in OF_EXPOSURE


def check_options(name: str, given: Mapping[str, Any]) -> None:
    """Refuse options that mean nothing for a study.

    Raises
    ------
    InvalidInput
        Naming the option and those that the study has in its place.
    """
    of_exposure = is_of_exposure(name)
    theirs, own = (_OF_SCORES_ONLY, _OF_EXPOSURE_ONLY)[:: 1 if of_exposure else -1]
    for option in theirs:
        if given.get(option) not in (None, False):
            words = ", ".join(map(_spelled, (*own, "epochs")))
            raise InvalidInput(
                f"{_spelled(option)} does not apply to the study {name}; those that do are {words}"
            )
    if not of_exposure and given.get("data") is None:
        raise InvalidInput(f"--data must name the data set for the study {name}")


def _spelled(option: str) -> str:
    return f"--{option.replace('_', '-')}"
