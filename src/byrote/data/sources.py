"""What a user may name as a source, refused in a sentence where it cannot be one."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from byrote.errors import InvalidInput, did_you_mean


def text_of(name: str, value: object) -> str:
    """A name or a path as text."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        got = "an empty string" if text == "" else type(value).__name__
        raise InvalidInput(f"{name} must be a name or a path; got {got}")
    return text


def missing(source: str, names: Sequence[str]) -> str:
    """Say that a source is not there; what could be the name of a built-in set is compared."""
    if Path(source).suffix or Path(source).name != source:
        return f"source must be a file, a folder or a built-in set; there is no {source}"
    return (
        f"source must be a file, a folder or a built-in set ({', '.join(names)}); there is no"
        f" {source}{did_you_mean(source, names)}"
    )


def check_options(kind: str, given: Iterable[str], usable: Sequence[str]) -> None:
    """Refuse options that mean nothing for this kind of source."""
    useless = [option for option in given if option not in usable]
    if useless:
        takes = f", which takes {' and '.join(usable)}" if usable else ""
        raise InvalidInput(f"{useless[0]} means nothing for {kind}{takes}")
