"""A canary: a line of text with a secret in it, and everything else the secret could have been."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from byrote import checks, seeds
from byrote.data.canaries.characters import Characters
from byrote.data.canaries.format import Format
from byrote.data.canaries.parser import LONGEST, Slot, parse
from byrote.errors import InvalidInput


@dataclass(frozen=True, repr=False)
class Canary:
    """A text with one or more slots for a secret, put into training data to see if it is learned.

    What precedes the first slot is the ``prefix``; the rest, secret and fixed text alike, is the
    completion. Exposure compares the canary's completion with all others of the same format.

    Parameters
    ----------
    text
        Fixed text and slots; ``{{`` and ``}}`` stand for braces. Slots:

        - ``{digits:n}``, ``{letters:n}`` (A to Z, a to z), ``{alphanumeric:n}`` and
          ``{password:n}`` (printable ASCII without the space): n characters;
        - ``{credit_card}``: 16 digits; ``{credit_card:luhn}``: only those with a right check digit;
        - ``{uuid}``: a random UUID (version 4), in lower case;
        - ``{}``: ``length`` characters of ``alphabet``;
        - ``{name}``: a word of ``words["name"]``.
    alphabet, length
        For the slots ``{}``.
    words
        Lists of words by the names of their slots. Where a word begins another, the text after the
        slot must tell them apart.
    secret
        The secret to plant: the text for the slot, or a sequence of texts, one for each slot.
        Without one, ``drawn`` chooses at random and ``with_secret`` on purpose.

    Raises
    ------
    InvalidInput
        If the text has no slot, an argument cannot be used, or the secret does not fit.
        No message quotes the secret, and neither does ``repr``.

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
        if isinstance(self.words, Mapping):  # a list that changes later changes nothing here
            kept = {name: _kept(words) for name, words in self.words.items()}
            object.__setattr__(self, "words", kept)
        longest = sum(_form(piece).longest for piece in self._completing)
        if longest > LONGEST:
            raise InvalidInput(
                f"text must have completions of at most {LONGEST:,} characters, from the first slot"
                f" on; got {longest:,}"
            )
        _ = self.format  # refuses now what cannot be used
        if self.secret is not None:
            object.__setattr__(self, "secret", _fitting(self.secret, self._slots))

    def __repr__(self) -> str:
        secret = "" if self.secret is None else ", with a secret"
        return f"Canary({self.text!r}, {self.space_size:,} completions{secret})"

    @cached_property
    def format(self) -> Format:
        """All completions, the canary's own among them."""
        return Format.of([_form(piece) for piece in self._completing])

    @property
    def space_size(self) -> int:
        """How many completions there are, exactly: |R| in the formulas of exposure."""
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
        """What follows the prefix, the secret filled in; None while there is no secret."""
        if self.secret is None:
            return None
        return self._filled_with([self.secret] if isinstance(self.secret, str) else self.secret)

    @property
    def filled(self) -> str:
        """Prefix and completion, the line to plant; InvalidInput while there is no secret."""
        if self.completion is None:
            raise InvalidInput("the canary has no secret yet: give secret=, or use drawn(seed)")
        return self.prefix + self.completion

    @property
    def masked(self) -> str:
        """The completion with stars for the secret: the same for every secret of this format."""
        return self._filled_with(["*" * slot.form.longest for slot in self._slots])

    def with_secret(self, secret: str | Sequence[str]) -> "Canary":
        """The same canary with this secret: one text, or one for each slot."""
        return replace(self, secret=secret)

    def secrets_in(self, completion: str) -> tuple[str, ...]:
        """What fills the slots in a completion of the format, one text for each slot.

        Raises
        ------
        InvalidInput
            If ``completion`` is not of the format; the message does not quote it.

        Examples
        --------
        >>> Canary("call {digits:3}-{digits:4} now").secrets_in("555-0199 now")
        ('555', '0199')
        """
        self.format.index(completion)
        found = []
        for piece in self._completing:
            taken = _form(piece).taken(completion) or ""
            completion = completion[len(taken) :]
            if isinstance(piece, Slot):
                found.append(taken)
        return tuple(found)

    def drawn(self, seed: int) -> "Canary":
        """The same canary with a secret drawn uniformly; the same one for the same seed.

        Examples
        --------
        >>> Canary("pin {digits:4}").drawn(0) == Canary("pin {digits:4}").drawn(0)
        True
        """
        (completion,) = self.format.sample(1, _generator(seed, seeds.Purpose.SECRET))
        return self.with_secret(self.secrets_in(completion))

    def candidates(self, n: int, seed: int = 0) -> list[str]:
        """``n`` different completions other than the canary's own, drawn uniformly: the references.

        They come in random order. With the same seed, fewer are the first of more.

        Raises
        ------
        InvalidInput
            If there are fewer than ``n`` others.

        Examples
        --------
        >>> Canary("pin {digits:4}", secret="0000").candidates(3)
        ['1148', '7989', '1200']
        """
        own = () if self.completion is None else (self.completion,)
        return self.format.sample(n, _generator(seed, seeds.Purpose.REFERENCE), without=own)

    @cached_property
    def _pieces(self) -> tuple[str | Slot, ...]:
        return parse(self.text, alphabet=self.alphabet, length=self.length, words=self.words)

    @property
    def _completing(self) -> tuple[str | Slot, ...]:
        """The pieces after the prefix."""
        return self._pieces[1:] if self.prefix else self._pieces

    @property
    def _slots(self) -> list[Slot]:
        return [piece for piece in self._pieces if isinstance(piece, Slot)]

    def _filled_with(self, texts: Sequence[str]) -> str:
        filling = iter(texts)
        return "".join(
            piece if isinstance(piece, str) else next(filling) for piece in self._completing
        )


def _form(piece: str | Slot) -> Any:
    return Characters(piece) if isinstance(piece, str) else piece.form


def _kept(words: Any) -> Any:
    """Words as a tuple; what is no list is left for the parser to refuse."""
    return tuple(words) if isinstance(words, Iterable) and not isinstance(words, str) else words


def _generator(seed: int, purpose: seeds.Purpose) -> Any:
    return seeds.generator(checks.seed("seed", seed), purpose)


def _fitting(secret: Any, slots: Sequence[Slot]) -> str | tuple[str, ...]:
    """The secret: a text for one slot, a tuple for several. No message quotes it."""
    texts = (secret,) if isinstance(secret, str) else secret
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(
            f"secret must be a text, or a sequence of texts; got {type(secret).__name__}"
        )
    if len(texts) != len(slots):
        raise InvalidInput(
            f"secret must be one text for each slot, {len(slots)} in all; got {len(texts)}"
        )
    for text, (written, form) in zip(texts, slots, strict=True):
        if form.taken(text) != text:
            raise InvalidInput(f"secret must be of the form {written}; the text given is not")
    return texts[0] if len(texts) == 1 else tuple(texts)
