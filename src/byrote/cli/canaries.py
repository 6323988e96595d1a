"""Canaries from the words of a command."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    from byrote.data.canaries import Canary

_NAME = re.compile(r"{(\w+)}")


def patterns(
    texts: Sequence[str],
    *,
    secret: Sequence[str] = (),
    alphabet: str | None = None,
    length: int | None = None,
    words: Sequence[str] = (),
) -> "list[Canary]":
    """The canaries of a command; alphabet, length and words go to those that have a slot for them.

    Raises
    ------
    InvalidInput
        If a text or an option cannot be used. No message quotes a secret.
    """
    from byrote.data.canaries import Canary  # noqa: PLC0415 (slow to load)

    if not texts:
        raise InvalidInput(
            '--canary must give a text with a slot, like "the random number is {digits:9}";'
            " got none"
        )
    if secret and len(texts) > 1:
        raise InvalidInput(f"--secret needs a single --canary; got {len(texts)}")
    lists = _lists(words)
    _check_served(texts, alphabet, length, lists)
    found = []
    for text in texts:
        _check_defined(text, lists, alphabet=alphabet, length=length)
        try:
            served = _served(text, alphabet, length, lists)
            found.append(Canary(text, **served, secret=_only(secret)))
        except InvalidInput as error:
            own = str(error).startswith(("secret ", "alphabet ", "length "))
            raise InvalidInput(f"--{error}" if own else f"--canary: {error}") from None
    return found


def _check_defined(
    text: str, lists: Mapping[str, list[str]], *, alphabet: str | None, length: int | None
) -> None:
    """Refuse {} and {NAME} that no option defines; only here are the options' names known."""
    from byrote.data.canaries.kinds import KINDS  # noqa: PLC0415 (slow to load)

    if _has(text, "") and (alphabet is None or length is None):
        raise InvalidInput("--canary: the slot {} needs --alphabet and --length")
    for name in _NAME.findall(text.replace("{{", "").replace("}}", "")):
        if name not in lists and not did_you_mean(name, KINDS) and name not in KINDS:
            raise InvalidInput(
                f"--canary: the slot {{{name}}} needs --words {name}=FILE, or is to be one of"
                f" {', '.join(KINDS)}"
            )


def _only(secret: Sequence[str]) -> str | Sequence[str] | None:
    """One text for one slot, several for several."""
    return (secret[0] if len(secret) == 1 else list(secret)) if secret else None


def _served(
    text: str, alphabet: str | None, length: int | None, lists: Mapping[str, list[str]]
) -> dict[str, Any]:
    own = {"alphabet": alphabet, "length": length} if _has(text, "") else {}
    words = {name: listed for name, listed in lists.items() if _has(text, name)}
    return {**own, "words": words or None}


def _has(text: str, slot: str) -> bool:
    return f"{{{slot}}}" in text.replace("{{", "").replace("}}", "")


def _check_served(
    texts: Sequence[str],
    alphabet: str | None,
    length: int | None,
    lists: Mapping[str, list[str]],
) -> None:
    """Refuse what no canary has a slot for."""
    given = {name: f"--words {name}" for name in lists}
    if alphabet is not None or length is not None:
        given[""] = "--length" if alphabet is None else "--alphabet"
    for name, option in given.items():
        if not any(_has(text, name) for text in texts):
            raise InvalidInput(f"{option} needs a slot {{{name}}} in a --canary; there is none")


def _lists(assignments: Sequence[str]) -> dict[str, list[str]]:
    """Lists of words by name, each from a file with a word on each line."""
    lists: dict[str, list[str]] = {}
    for assignment in assignments:
        name, equals, file = assignment.partition("=")
        if not (equals and name and file):
            raise InvalidInput(f"--words must be NAME=FILE; got {assignment!r}")
        if name in lists:
            raise InvalidInput(f"--words {name} is given twice")
        lists[name] = _read(Path(file))
    return lists


def _read(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"--words: {path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"--words: {path} must be UTF-8; byte {error.start} (counted from 0) is not"
        ) from None
    return [line for line in text.splitlines() if line]
