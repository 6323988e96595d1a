"""Canaries from the options of byrote expose."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from byrote.data.canaries import Canary
from byrote.data.canaries.pattern import slot_specs
from byrote.data.canaries.slot_kinds import NAMED_KINDS
from byrote.errors import InvalidInput, did_you_mean

_NAME = re.compile(r"\w+")


def parse_canaries(
    texts: Sequence[str],
    *,
    secret: Sequence[str] = (),
    alphabet: str | None = None,
    length: int | None = None,
    words: Sequence[str] = (),
) -> list[Canary]:
    """Build canaries, each with the alphabet, length and words of its slots.

    Raises
    ------
    InvalidInput
        If a text or an option is not valid. No message quotes a secret.
    """
    if not texts:
        raise InvalidInput(
            '--canary must give a text with a slot, like "the random number is {digits:9}";'
            " got none"
        )
    if secret and len(texts) > 1:
        raise InvalidInput(f"--secret needs a single --canary; got {len(texts)}")
    word_lists = _read_word_lists(words)
    specs = [slot_specs(text) for text in texts]
    _check_used(specs, alphabet, length, word_lists)
    canaries = []
    for text, slots in zip(texts, specs, strict=True):
        _check_defined(slots, word_lists, alphabet=alphabet, length=length)
        try:
            options = _options_of_slots(slots, alphabet, length, word_lists)
            canaries.append(Canary(text, **options, secret=_one_or_several(secret)))
        except InvalidInput as error:
            is_option = str(error).startswith(("secret ", "alphabet ", "length "))
            raise InvalidInput(f"--{error}" if is_option else f"--canary: {error}") from None
    return canaries


def _check_defined(
    slots: Sequence[str],
    word_lists: Mapping[str, list[str]],
    *,
    alphabet: str | None,
    length: int | None,
) -> None:
    """Reject {} and {NAME} that no option defines."""
    if "" in slots and (alphabet is None or length is None):
        raise InvalidInput("--canary: the slot {} needs --alphabet and --length")
    for name in filter(_NAME.fullmatch, slots):
        if (
            name not in word_lists
            and name not in NAMED_KINDS
            and not did_you_mean(name, NAMED_KINDS)
        ):
            raise InvalidInput(
                f"--canary: the slot {{{name}}} needs --words {name}=FILE, or must be one of"
                f" {', '.join(NAMED_KINDS)}"
            )


def _one_or_several(secret: Sequence[str]) -> str | Sequence[str] | None:
    return (secret[0] if len(secret) == 1 else list(secret)) if secret else None


def _options_of_slots(
    slots: Sequence[str],
    alphabet: str | None,
    length: int | None,
    word_lists: Mapping[str, list[str]],
) -> dict[str, Any]:
    options = {"alphabet": alphabet, "length": length} if "" in slots else {}
    words = {name: word_list for name, word_list in word_lists.items() if name in slots}
    return {**options, "words": words or None}


def _check_used(
    specs: Sequence[Sequence[str]],
    alphabet: str | None,
    length: int | None,
    word_lists: Mapping[str, list[str]],
) -> None:
    options = {name: f"--words {name}" for name in word_lists}
    if alphabet is not None or length is not None:
        options[""] = "--length" if alphabet is None else "--alphabet"
    for name, option in options.items():
        if not any(name in slots for slots in specs):
            raise InvalidInput(f"{option} needs a slot {{{name}}} in a --canary; got none")


def _read_word_lists(assignments: Sequence[str]) -> dict[str, list[str]]:
    """Read lists of words by name, each from a file with a word on each line."""
    word_lists: dict[str, list[str]] = {}
    for assignment in assignments:
        name, equals, file = assignment.partition("=")
        if not (equals and name and file):
            raise InvalidInput(f"--words must be NAME=FILE; got {assignment!r}")
        if name in word_lists:
            raise InvalidInput(f"--words must name each slot once; got {name} twice")
        word_lists[name] = _read_words(Path(file))
    return word_lists


def _read_words(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"--words: {path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"--words: {path} must be UTF-8; byte {error.start} (counted from 0) is not"
        ) from None
    return [line for line in text.splitlines() if line]
