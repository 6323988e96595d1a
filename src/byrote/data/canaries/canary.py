"""A canary: a line of text with a secret, and everything that the secret could have been."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from byrote import checks, seeds
from byrote.data.canaries.format import Format, Segment
from byrote.data.canaries.pattern import MAX_LENGTH, Slot, parse
from byrote.data.canaries.slot_kinds import Characters
from byrote.errors import InvalidInput


@dataclass(frozen=True, repr=False)
class Canary:
    """A text with slots for a secret, planted in training data to test whether it is memorized.

    The text before the first slot is the ``prefix``; the rest, secret and fixed text alike, is the
    completion. Exposure ranks the canary's completion among all completions of the same format.

    Parameters
    ----------
    text
        Fixed text and slots; ``{{`` and ``}}`` stand for braces. Slots:

        - ``{digits:n}``, ``{letters:n}`` (A to Z, a to z), ``{alphanumeric:n}`` and
          ``{password:n}`` (printable ASCII without the space): n characters;
        - ``{credit_card}``: 16 digits; ``{credit_card:luhn}``: those with a valid check digit;
        - ``{uuid}``: a random UUID (version 4), in lower case;
        - ``{}``: ``length`` characters of ``alphabet``;
        - ``{name}``: a word of ``words["name"]``.
    alphabet, length
        For the slots ``{}``.
    words
        Lists of words by the names of their slots. If one word is a prefix of another, the text
        after the slot must distinguish them.
    secret
        The secret to plant: the string for the slot, or a sequence of strings, one per slot.
        Without one, ``drawn`` draws a random secret and ``with_secret`` sets a given one.

    Raises
    ------
    InvalidInput
        If the text has no slot, an argument is not valid, or the secret does not fit the slots. No
        message quotes the secret, and neither does ``repr``.

    References
    ----------
    Carlini, Liu, Erlingsson, Kos and Song (2019), The Secret Sharer, USENIX Security.

    Examples
    --------
    >>> canary = Canary("the random number is {digits:9}", secret="281265017")
    >>> canary
    Canary('the random number is {digits:9}', 1,000,000,000 completions, with a secret)
    >>> canary.prefix, canary.completion, canary.masked
    ('the random number is ', '281265017', '*********')
    >>> Canary("{name} sleeps in room {}", words={"name": ["ann", "bob"]}, alphabet="ab", length=3)
    Canary('{name} sleeps in room {}', 16 completions)
    """

    text: str
    alphabet: str | None = field(default=None, kw_only=True)
    length: int | None = field(default=None, kw_only=True)
    words: Mapping[str, Iterable[str]] | None = field(default=None, kw_only=True, hash=False)
    secret: str | Sequence[str] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if isinstance(self.words, Mapping):  # a copy: the caller may change the lists later
            copied = {name: _as_tuple(words) for name, words in self.words.items()}
            object.__setattr__(self, "words", copied)
        max_length = sum(_segment(piece).max_length for piece in self._completion_pieces)
        if max_length > MAX_LENGTH:
            raise InvalidInput(
                f"text must have completions of at most {MAX_LENGTH:,} characters, from the first"
                f" slot on; got {max_length:,}"
            )
        _ = self.format  # raises here, not on first use
        if self.secret is not None:
            object.__setattr__(self, "secret", _checked_secret(self.secret, self._slots))

    def __repr__(self) -> str:
        secret = "" if self.secret is None else ", with a secret"
        return f"Canary({self.text!r}, {self.space_size:,} completions{secret})"

    @cached_property
    def format(self) -> Format:
        """The set of all completions, the canary's own included."""
        return Format.of([_segment(piece) for piece in self._completion_pieces])

    @property
    def space_size(self) -> int:
        """Exact number of completions: ``|R|`` in the formulas of exposure."""
        return self.format.size

    @property
    def prefix(self) -> str:
        """The fixed text before the first slot; may be empty."""
        first = self._pieces[0]
        return first if isinstance(first, str) else ""

    @property
    def suffix(self) -> str:
        """The fixed text after the last slot, part of the completion; may be empty."""
        last = self._pieces[-1]
        return last if isinstance(last, str) else ""

    @property
    def completion(self) -> str | None:
        """The text after the prefix with the secret filled in; None without a secret."""
        if self.secret is None:
            return None
        return self._fill([self.secret] if isinstance(self.secret, str) else self.secret)

    @property
    def filled(self) -> str:
        """The line to plant: prefix and completion. Raises InvalidInput without a secret."""
        if self.completion is None:
            raise InvalidInput("the canary has no secret yet: give secret=, or use drawn(seed)")
        return self.prefix + self.completion

    @property
    def masked(self) -> str:
        """The completion with the secret replaced by asterisks.

        It is the same for every secret of this format.
        """
        return self._fill(["*" * slot.segment.max_length for slot in self._slots])

    def with_secret(self, secret: str | Sequence[str] | None) -> "Canary":
        """Return the same canary with this secret: a string, one string per slot, or None."""
        canary = copy(self)  # shares what was parsed
        checked = None if secret is None else _checked_secret(secret, self._slots)
        object.__setattr__(canary, "secret", checked)
        return canary

    def secrets_in(self, completion: str) -> tuple[str, ...]:
        """Return the strings that fill the slots in a completion, one per slot.

        Raises
        ------
        InvalidInput
            If ``completion`` does not have the format; the message does not quote it.

        Examples
        --------
        >>> Canary("call {digits:3}-{digits:4} now").secrets_in("555-0199 now")
        ('555', '0199')
        """
        self.format.index(completion)
        secrets = []
        for piece in self._completion_pieces:
            matched = _segment(piece).match(completion) or ""
            completion = completion[len(matched) :]
            if isinstance(piece, Slot):
                secrets.append(matched)
        return tuple(secrets)

    def drawn(self, seed: int) -> "Canary":
        """Return the same canary with a secret drawn uniformly, the same for the same seed.

        Examples
        --------
        >>> Canary("pin {digits:4}").drawn(0) == Canary("pin {digits:4}").drawn(0)
        True
        """
        (completion,) = self.format.sample(1, _generator(seed, seeds.Purpose.SECRET))
        return self.with_secret(self.secrets_in(completion))

    def candidates(self, n: int, seed: int = 0) -> list[str]:
        """Draw ``n`` distinct completions other than the canary's own: reference candidates.

        They are uniform and in random order. With the same seed, a smaller sample is a prefix of a
        larger one.

        Raises
        ------
        InvalidInput
            If there are fewer than ``n`` other completions.

        Examples
        --------
        >>> Canary("pin {digits:4}", secret="0000").candidates(3)
        ['1148', '7989', '1200']
        """
        excluded = () if self.completion is None else (self.completion,)
        return self.format.sample(n, _generator(seed, seeds.Purpose.REFERENCE), without=excluded)

    @cached_property
    def _pieces(self) -> tuple[str | Slot, ...]:
        return parse(self.text, alphabet=self.alphabet, length=self.length, words=self.words)

    @property
    def _completion_pieces(self) -> tuple[str | Slot, ...]:
        return self._pieces[1:] if self.prefix else self._pieces

    @property
    def _slots(self) -> list[Slot]:
        return [piece for piece in self._pieces if isinstance(piece, Slot)]

    def _fill(self, texts: Sequence[str]) -> str:
        remaining = iter(texts)
        return "".join(
            piece if isinstance(piece, str) else next(remaining)
            for piece in self._completion_pieces
        )


def _segment(piece: str | Slot) -> Segment:
    return Characters(piece) if isinstance(piece, str) else piece.segment


def _as_tuple(words: Any) -> Any:
    """Return words as a tuple; anything but a list is left for the parser to refuse."""
    return tuple(words) if isinstance(words, Iterable) and not isinstance(words, str) else words


def _generator(seed: int, purpose: seeds.Purpose) -> np.random.Generator:
    return seeds.generator(checks.seed("seed", seed), purpose)


def _checked_secret(secret: Any, slots: Sequence[Slot]) -> str | tuple[str, ...]:
    """Return the secret: a text for one slot, a tuple for several. No message quotes it."""
    texts = (secret,) if isinstance(secret, str) else secret
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(
            f"secret must be a string, or a sequence of strings; got {type(secret).__name__}"
        )
    if len(texts) != len(slots):
        raise InvalidInput(
            f"secret must be one string per slot, {len(slots)} in all; got {len(texts)}"
        )
    for text, slot in zip(texts, slots, strict=True):
        if slot.segment.match(text) != text:
            raise InvalidInput(f"secret must fit the slot {slot.written}; the given text does not")
    return texts[0] if len(texts) == 1 else tuple(texts)
