"""Canaries from the words of a command."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    from byrote.data.canaries import Canary

_NAME = re.compile(r"\w+")


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
    from byrote.data.canaries.pattern import slot_specs  # noqa: PLC0415 (slow to load)

    if not texts:
        raise InvalidInput(
            '--canary must give a text with a slot, like "the random number is {digits:9}";'
            " got none"
        )
    if secret and len(texts) > 1:
        raise InvalidInput(f"--secret needs a single --canary; got {len(texts)}")
    lists = _lists(words)
    specs = [slot_specs(text) for text in texts]
    _check_used(specs, alphabet, length, lists)
    canaries = []
    for text, slots in zip(texts, specs, strict=True):
        _check_defined(slots, lists, alphabet=alphabet, length=length)
        try:
            options = _options(slots, alphabet, length, lists)
            canaries.append(Canary(text, **options, secret=_only(secret)))
        except InvalidInput as error:
            is_option = str(error).startswith(("secret ", "alphabet ", "length "))
            raise InvalidInput(f"--{error}" if is_option else f"--canary: {error}") from None
    return canaries


def _check_defined(
    slots: Sequence[str],
    lists: Mapping[str, list[str]],
    *,
    alphabet: str | None,
    length: int | None,
) -> None:
    """Refuse {} and {NAME} that no option defines; only here are the options' names known."""
    from byrote.data.canaries.slot_kinds import NAMED_KINDS  # noqa: PLC0415 (slow to load)

    if "" in slots and (alphabet is None or length is None):
        raise InvalidInput("--canary: the slot {} needs --alphabet and --length")
    for name in filter(_NAME.fullmatch, slots):
        if name not in lists and name not in NAMED_KINDS and not did_you_mean(name, NAMED_KINDS):
            raise InvalidInput(
                f"--canary: the slot {{{name}}} needs --words {name}=FILE, or is to be one of"
                f" {', '.join(NAMED_KINDS)}"
            )


def _only(secret: Sequence[str]) -> str | Sequence[str] | None:
    """One text for one slot, several for several."""
    return (secret[0] if len(secret) == 1 else list(secret)) if secret else None


def _options(
    slots: Sequence[str],
    alphabet: str | None,
    length: int | None,
    lists: Mapping[str, list[str]],
) -> dict[str, Any]:
    """The options that the slots of one canary use."""
    used = {"alphabet": alphabet, "length": length} if "" in slots else {}
    words = {name: word_list for name, word_list in lists.items() if name in slots}
    return {**used, "words": words or None}


def _check_used(
    specs: Sequence[Sequence[str]],
    alphabet: str | None,
    length: int | None,
    lists: Mapping[str, list[str]],
) -> None:
    """Refuse options that no slot uses."""
    options = {name: f"--words {name}" for name in lists}
    if alphabet is not None or length is not None:
        options[""] = "--length" if alphabet is None else "--alphabet"
    for name, option in options.items():
        if not any(name in slots for slots in specs):
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
