"""The kinds of slots: characters of alphabets, card numbers, UUIDs, words from a list.

A named kind, such as ``{digits:9}``, is an entry of ``NAMED_KINDS``.
"""

import re
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from byrote import checks
from byrote.data.canaries.format import END, AutomatonBuilder, Segment
from byrote.errors import InvalidInput

_DIGITS = string.digits
_LETTERS = string.ascii_uppercase + string.ascii_lowercase
_PRINTABLE = "".join(map(chr, range(ord("!"), ord("~") + 1)))  # ASCII, without the space
_COUNT = re.compile("[1-9][0-9]{0,3}")
_CARD_LENGTH = 16
_UUID = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx"  # RFC 9562, version 4: x any, v the variant's
_UUID_ALPHABETS = {"x": "0123456789abcdef", "v": "89ab"}


@dataclass(frozen=True)
class Characters:
    """One alphabet per position. Fixed text has one character per alphabet.

    Examples
    --------
    >>> Characters(["0123456789"] * 2).match("42nd"), Characters("the ").match("the cat")
    ('42', 'the ')
    """

    alphabets: Sequence[str]

    @property
    def max_length(self) -> int:
        """Number of characters."""
        return len(self.alphabets)

    def prepend(self, builder: AutomatonBuilder, target: int) -> int:
        """Add one state per position."""
        for alphabet in reversed(self.alphabets):
            target = builder.add(dict.fromkeys(alphabet, target))
        return target

    def match(self, text: str) -> str | None:
        """Return the leading characters if each is in the alphabet of its position."""
        head = text[: self.max_length]
        fits = len(head) == self.max_length and all(map(str.__contains__, self.alphabets, head))
        return head if fits else None


class Luhn:
    """16 digits with a valid check digit by Luhn's rule (ISO/IEC 7812-1).

    Their weighted sum is a multiple of 10; a state stands for the sum so far, modulo 10.

    Examples
    --------
    >>> Luhn().match("4111111111111111"), Luhn().match("4111111111111112")
    ('4111111111111111', None)
    """

    max_length = _CARD_LENGTH

    def prepend(self, builder: AutomatonBuilder, target: int) -> int:
        """Add ten states per position, one for each sum; a single one for the first."""
        by_sum = {0: target}
        for position in reversed(range(_CARD_LENGTH)):
            steps = [(_DIGITS[d], weight) for d, weight in enumerate(_luhn_weights(position))]
            by_sum = {
                s: builder.add(
                    {d: by_sum[(s + w) % 10] for d, w in steps if (s + w) % 10 in by_sum}
                )
                for s in (range(10) if position else range(1))
            }
        return by_sum[0]

    def match(self, text: str) -> str | None:
        """Return the first 16 characters if they are digits with a valid check digit."""
        head = text[:_CARD_LENGTH]
        if len(head) < _CARD_LENGTH or not set(head) <= set(_DIGITS):
            return None
        total = sum(_luhn_weights(position)[int(digit)] for position, digit in enumerate(head))
        return None if total % 10 else head


def _luhn_weights(position: int) -> list[int]:
    """What each digit adds: itself, or at every second position the digit sum of its double."""
    return [2 * d - 9 * (d > 4) if position % 2 == 0 else d for d in range(10)]


class Words:
    """A word from a list of distinct, non-empty words, which may differ in length.

    If one word is a prefix of another, the text after the slot must distinguish them: its first
    character must not continue the shorter word. Then every completion can be read in only one way,
    and none is a prefix of another. Messages name words by position, since words may be private.

    Examples
    --------
    >>> Words("name", ["ann", "anna", "bob"]).match("anna came")
    'anna'
    """

    def __init__(self, name: str, words: Iterable[str]) -> None:
        self.name = name
        self.words = _checked_words(f"words[{name!r}]", words)

    @property
    def max_length(self) -> int:
        """Number of characters of the longest word."""
        return max(map(len, self.words))

    def prepend(self, builder: AutomatonBuilder, target: int) -> int:
        """Add a trie of the words whose leaves are ``target``."""
        trie, word_ends = self._trie()
        states = dict.fromkeys(word_ends, target)
        for node in reversed(range(len(trie))):  # children come after their parents
            edges = {character: states[child] for character, child in trie[node].items()}
            if edges and node in word_ends:
                following = builder.edges[target]
                if target == END or edges.keys() & following.keys():
                    raise InvalidInput(
                        f"words[{self.name!r}][{word_ends[node]}] is a prefix of another word, and"
                        " the text after the slot does not distinguish them: put a character that"
                        " no word contains after the slot"
                    )
                edges |= following
            if edges:
                states[node] = builder.add(edges)
        return states[0]

    def match(self, text: str) -> str | None:
        """Return the longest word that the text begins with; the format excludes the others."""
        return max(filter(text.startswith, self.words), key=len, default=None)

    def _trie(self) -> tuple[list[dict[str, int]], dict[int, int]]:
        """Children of each node by character, and the word's position for nodes that end one."""
        trie: list[dict[str, int]] = [{}]
        word_ends = {}
        for position, word in enumerate(self.words):
            node = 0
            for character in word:
                node = trie[node].setdefault(character, len(trie))
                if node == len(trie):
                    trie.append({})
            word_ends[node] = position
        return trie, word_ends


def _checked_words(name: str, words: Any) -> tuple[str, ...]:
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise InvalidInput(f"{name} must be a list of words; got {type(words).__name__}")
    words = tuple(words)
    if not words:
        raise InvalidInput(f"{name} must have at least one word; got an empty list")
    for position, word in enumerate(words):
        if not isinstance(word, str) or not word:
            got = "an empty string" if isinstance(word, str) else type(word).__name__
            raise InvalidInput(f"{name}[{position}] must be a word; got {got}")
        checks.encodable(f"{name}[{position}]", word)
    repeated = len(words) - len(set(words))
    if repeated:
        raise InvalidInput(
            f"{name} must all differ; {repeated} of {len(words)} repeat an earlier one"
        )
    return words


def _repeated(alphabet: str) -> Callable[[str, str], Segment]:
    def make(name: str, count: str) -> Segment:
        if not _COUNT.fullmatch(count):
            got = f"{{{name}:{count}}}" if count else f"{{{name}}}"
            raise InvalidInput(
                f"text: a slot of {name} needs a length of 1 to 9999, as in {{{name}:8}}; got {got}"
            )
        return Characters((alphabet,) * int(count))

    return make


def _credit_card(name: str, rule: str) -> Segment:
    if rule not in ("", "luhn"):
        raise InvalidInput(
            f"text: a card's slot is {{{name}}} or {{{name}:luhn}}; got {{{name}:{rule}}}"
        )
    return Luhn() if rule else Characters((_DIGITS,) * _CARD_LENGTH)


def _uuid(name: str, rule: str) -> Segment:
    if rule:
        raise InvalidInput(f"text: a UUID's slot is {{{name}}}; got {{{name}:{rule}}}")
    return Characters(tuple(_UUID_ALPHABETS.get(letter, letter) for letter in _UUID))


# Each takes its own name and what follows the colon in the slot, "" without a colon.
NAMED_KINDS: dict[str, Callable[[str, str], Segment]] = {
    "digits": _repeated(_DIGITS),
    "letters": _repeated(_LETTERS),
    "alphanumeric": _repeated(_DIGITS + _LETTERS),
    "password": _repeated(_PRINTABLE),
    "credit_card": _credit_card,
    "uuid": _uuid,
}
