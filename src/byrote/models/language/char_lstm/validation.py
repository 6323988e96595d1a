"""Texts whose loss decides when training stops: read, and kept apart from those of the training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from byrote.data.text_stream import read_text
from byrote.errors import InvalidInput


def texts(validation: Any) -> list[str]:
    """The texts given, or the one of a file.

    Raises
    ------
    InvalidInput
        If they are no texts, or hold no character.
    """
    found = _read(validation) if isinstance(validation, str | Path) else validation
    listed = isinstance(found, Sequence) and not isinstance(found, str | bytes)
    if not listed or not all(isinstance(text, str) for text in found):
        raise InvalidInput(
            "validation must be a list of texts, or the path of a text file; got"
            f" {type(validation).__name__}"
        )
    if not any(text.strip() for text in found):
        raise InvalidInput("validation must hold text; it is empty")
    return list(found)


def checked(validation: Any, given: Sequence[str]) -> list[str]:
    """The texts, if none of them is one of the texts given, or the only one a part of one.

    White space at the ends does not count.

    Raises
    ------
    InvalidInput
        Otherwise.
    """
    found = texts(validation)
    seen = {text.strip() for text in given}
    shared = sum(bool(text.strip()) and text.strip() in seen for text in found)
    if not shared and len(found) == 1:
        shared = int(any(found[0].strip() in text for text in given))
    if shared:
        raise InvalidInput(
            "validation must hold texts outside X, whose memorization is measured;"
            f" {shared} of {len(found)} are among X"
        )
    return found


def _read(path: str | Path) -> list[str]:
    place = Path(path)
    if not place.is_file():
        raise InvalidInput(
            "validation must be a list of texts, or the path of a text file; there is no such file"
        )
    return [read_text(place, "validation")]
