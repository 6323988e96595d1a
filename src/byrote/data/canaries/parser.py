"""A canary's text, read into its fixed stretches and its slots."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from byrote import checks
from byrote.data.canaries.characters import Characters
from byrote.data.canaries.kinds import KINDS
from byrote.data.canaries.states import Form
from byrote.data.canaries.words import Words
from byrote.errors import InvalidInput, did_you_mean

LONGEST = 9999  # characters in a slot, and in all of a completion
_TOKEN = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<slot>[^{}]*)\}|(?P<lone>[{}])|(?P<fixed>[^{}]+)")


class Slot(NamedTuple):
    """A place for a secret: how it is written, and the form of what can stand there."""

    written: str
    form: Form


def parse(
    text: str,
    *,
    alphabet: str | None = None,
    length: int | None = None,
    words: Mapping[str, Iterable[str]] | None = None,
) -> tuple[str | Slot, ...]:
    """Fixed stretches (str) and slots of a text, in order; stretches side by side are one.

    Parameters
    ----------
    text
        ``{kind:n}`` is a slot, ``{}`` one of ``length`` characters of ``alphabet``, ``{name}`` one
        for a word of ``words[name]``; ``{{`` and ``}}`` are braces.

    Raises
    ------
    InvalidInput
        If the text or an option cannot be used, or an option has no slot to serve.

    Examples
    --------
    >>> before, slot, after = parse("{{my}} pin is {digits:4}!")
    >>> before, slot.written, after
    ('{my} pin is ', '{digits:4}', '!')
    """
    if not isinstance(text, str):
        raise InvalidInput(f"text must be a text with slots; got {type(text).__name__}")
    checks.encodable("text", text)
    forms = _given_forms(alphabet, length, words)
    pieces: list[str | Slot] = []
    for token in _TOKEN.finditer(text):
        spec, fixed = token["slot"], (token["brace"] or "")[:1] or token["fixed"]
        if token["lone"]:
            raise InvalidInput(
                f"text must have its braces in pairs, or doubled where they are no slot; the one "
                f"at character {token.start() + 1} stands alone"
            )
        if spec is not None:
            pieces.append(Slot(token[0], _form(spec, forms)))
        elif pieces and isinstance(pieces[-1], str):
            pieces[-1] += fixed
        else:
            pieces.append(fixed)
    _check_used({piece.written for piece in pieces if isinstance(piece, Slot)}, forms)
    return tuple(pieces)


def _given_forms(alphabet: Any, length: Any, words: Any) -> dict[str, Form]:
    """Forms of the slots that the caller defines, by what stands between the slot's braces."""
    if words is not None and not isinstance(words, Mapping):
        raise InvalidInput(f"words must map names to lists; got {type(words).__name__}")
    forms: dict[str, Form] = {}
    for name, listed in (words or {}).items():
        if not isinstance(name, str) or name in KINDS or not name:
            raise InvalidInput(f"words must have names of their own; {{{name}}} is another slot")
        forms[name] = Words(name, listed)
    if (alphabet is None) != (length is None):
        raise InvalidInput("alphabet and length go together; got only one of them")
    if alphabet is not None:
        forms[""] = Characters(
            (_checked_alphabet(alphabet),)
            * checks.integer("length", length, at_least=1, at_most=LONGEST)
        )
    return forms


def _checked_alphabet(alphabet: Any) -> str:
    if not isinstance(alphabet, str) or not alphabet:
        got = "an empty one" if isinstance(alphabet, str) else type(alphabet).__name__
        raise InvalidInput(f"alphabet must be a text of the characters to choose from; got {got}")
    checks.encodable("alphabet", alphabet)
    repeated = [c for c, times in Counter(alphabet).items() if times > 1]
    if repeated:
        first = min(repeated)
        raise InvalidInput(f"alphabet must have each character once; {first!r} is repeated")
    return alphabet


def _form(spec: str, forms: Mapping[str, Form]) -> Form:
    name, _, rule = spec.partition(":")
    if spec in forms:
        return forms[spec]
    if spec == "":
        raise InvalidInput("text has a slot {}, which needs alphabet= and length=")
    if name not in KINDS:
        known = [*KINDS, *filter(None, forms)]
        raise InvalidInput(
            f"text: a slot must be one of {', '.join(known)}; got {{{spec}}}"
            f"{did_you_mean(name, known)}"
        )
    return KINDS[name](name, rule)


def _check_used(written: set[str], forms: Mapping[str, Form]) -> None:
    if not written:
        raise InvalidInput("text must have a slot for the secret, such as {digits:9}; got none")
    for name in forms:
        if f"{{{name}}}" not in written:
            option = f"words[{name!r}]" if name else "alphabet and length"
            raise InvalidInput(f"{option}: text has no slot {{{name}}} for it")
