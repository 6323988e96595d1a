"""The kinds of slots that have a name: {digits:9}, {credit_card:luhn}, {uuid} and so on."""

import re
import string
from collections.abc import Callable

from byrote.data.canaries.characters import Characters
from byrote.data.canaries.luhn import Luhn
from byrote.data.canaries.states import Form
from byrote.errors import InvalidInput

_DIGITS = string.digits
_LETTERS = string.ascii_uppercase + string.ascii_lowercase
_PRINTABLE = "".join(map(chr, range(ord("!"), ord("~") + 1)))  # ASCII, without the space
_COUNT = re.compile("[1-9][0-9]{0,3}")
_UUID = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx"  # RFC 9562, version 4: x any, v the variant's
_UUID_ALPHABETS = {"x": "0123456789abcdef", "v": "89ab"}


def _so_many_of(alphabet: str) -> Callable[[str, str], Form]:
    def make(name: str, count: str) -> Form:
        if not _COUNT.fullmatch(count):
            got = f"{{{name}:{count}}}" if count else f"{{{name}}}"
            raise InvalidInput(
                f"text: a slot of {name} says how many, 1 to 9999, as in {{{name}:8}}; got {got}"
            )
        return Characters((alphabet,) * int(count))

    return make


def _credit_card(name: str, rule: str) -> Form:
    if rule not in ("", "luhn"):
        raise InvalidInput(
            f"text: a card's slot is {{{name}}} or {{{name}:luhn}}; got {{{name}:{rule}}}"
        )
    return Luhn() if rule else Characters((_DIGITS,) * Luhn.longest)


def _uuid(name: str, rule: str) -> Form:
    if rule:
        raise InvalidInput(f"text: a UUID's slot is {{{name}}}; got {{{name}:{rule}}}")
    return Characters(tuple(_UUID_ALPHABETS.get(place, place) for place in _UUID))


# What follows the colon, "" where there is none, comes second.
KINDS: dict[str, Callable[[str, str], Form]] = {
    "digits": _so_many_of(_DIGITS),
    "letters": _so_many_of(_LETTERS),
    "alphanumeric": _so_many_of(_DIGITS + _LETTERS),
    "password": _so_many_of(_PRINTABLE),
    "credit_card": _credit_card,
    "uuid": _uuid,
}
