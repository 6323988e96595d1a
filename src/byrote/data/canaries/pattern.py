"""The text of a canary, parsed into fixed text and slots."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from byrote import checks
from byrote.data.canaries.format import Segment
from byrote.data.canaries.slot_kinds import NAMED_KINDS, Characters, Words
from byrote.errors import InvalidInput, did_you_mean

MAX_LENGTH = 9999  # characters of a slot, and of a whole completion
_TOKEN = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<slot>[^{}]*)\}|(?P<lone>[{}])|(?P<fixed>[^{}]+)")


class Slot(NamedTuple):
    """A slot for a secret: as written in the text, braces included, and what can fill it."""

    written: str
    segment: Segment


def slot_specs(text: str) -> list[str]:
    """Return what stands between the braces of each slot.

    Examples
    --------
    >>> slot_specs("{{my}} {name} lives at {digits:3}")
    ['name', 'digits:3']
    """
    return [token["slot"] for token in _TOKEN.finditer(text) if token["slot"] is not None]


def parse(
    text: str,
    *,
    alphabet: str | None = None,
    length: int | None = None,
    words: Mapping[str, Iterable[str]] | None = None,
) -> tuple[str | Slot, ...]:
    """Split a text into fixed text (str) and slots, in order; adjacent fixed texts are joined.

    ``{kind:n}`` is a slot, ``{}`` one of ``length`` characters of ``alphabet``, ``{name}`` one for
    a word of ``words[name]``; ``{{`` and ``}}`` are literal braces.

    Examples
    --------
    >>> before, slot, after = parse("{{my}} pin is {digits:4}!")
    >>> before, slot.written, after
    ('{my} pin is ', '{digits:4}', '!')
    """
    if not isinstance(text, str):
        raise InvalidInput(f"text must be a string with slots; got {type(text).__name__}")
    checks.encodable("text", text)
    defined = _defined_segments(alphabet, length, words)
    pieces: list[str | Slot] = []
    for token in _TOKEN.finditer(text):
        spec, fixed = token["slot"], (token["brace"] or "")[:1] or token["fixed"]
        if token["lone"]:
            raise InvalidInput(
                "text must have its braces in pairs, and doubled where they are literal; the brace"
                f" at character {token.start() + 1} stands alone"
            )
        if spec is not None:
            pieces.append(Slot(token[0], _segment(spec, defined)))
        elif pieces and isinstance(pieces[-1], str):
            pieces[-1] += fixed
        else:
            pieces.append(fixed)
    _check_used({piece.written for piece in pieces if isinstance(piece, Slot)}, defined)
    return tuple(pieces)


def _defined_segments(alphabet: Any, length: Any, words: Any) -> dict[str, Segment]:
    """Return the segments of slots that the caller defines, by their text in braces."""
    if words is not None and not isinstance(words, Mapping):
        raise InvalidInput(f"words must map names to lists; got {type(words).__name__}")
    segments: dict[str, Segment] = {}
    for name, word_list in (words or {}).items():
        if not isinstance(name, str) or name in NAMED_KINDS or not name:
            raise InvalidInput(
                f"words must have names other than those of built-in slots; got {{{name}}}"
            )
        segments[name] = Words(name, word_list)
    if (alphabet is None) != (length is None):
        raise InvalidInput("alphabet and length must be given together; got only one")
    if alphabet is not None:
        length = checks.integer("length", length, at_least=1, at_most=MAX_LENGTH)
        segments[""] = Characters((_checked_alphabet(alphabet),) * length)
    return segments


def _checked_alphabet(alphabet: Any) -> str:
    if not isinstance(alphabet, str) or not alphabet:
        got = "an empty one" if isinstance(alphabet, str) else type(alphabet).__name__
        raise InvalidInput(f"alphabet must be a string of characters to choose from; got {got}")
    checks.encodable("alphabet", alphabet)
    repeated = [c for c, times in Counter(alphabet).items() if times > 1]
    if repeated:
        first = min(repeated)
        raise InvalidInput(f"alphabet must have each character once; {first!r} is repeated")
    return alphabet


def _segment(spec: str, defined: Mapping[str, Segment]) -> Segment:
    name, _, rule = spec.partition(":")
    if spec in defined:
        return defined[spec]
    if spec == "":
        raise InvalidInput("text has a slot {}, which needs alphabet= and length=")
    if name not in NAMED_KINDS:
        known = [*NAMED_KINDS, *filter(None, defined)]
        raise InvalidInput(
            f"text: a slot must be one of {', '.join(known)}; got {{{spec}}}"
            f"{did_you_mean(name, known)}"
        )
    return NAMED_KINDS[name](name, rule)


def _check_used(written: set[str], defined: Mapping[str, Segment]) -> None:
    if not written:
        raise InvalidInput("text must have a slot for the secret, such as {digits:9}; got none")
    for name in defined:
        if f"{{{name}}}" not in written:
            option = f"words[{name!r}]" if name else "alphabet and length"
            raise InvalidInput(f"{option}: text has no slot {{{name}}} for it")
