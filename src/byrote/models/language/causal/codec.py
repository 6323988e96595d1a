"""Texts to tokens and back, with one way to begin a text whatever the tokenizer."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from byrote.errors import InvalidInput

_ANCHORS = ("a", "A", "0", ".", "e")
_LOST = "\N{REPLACEMENT CHARACTER}"  # what a decoder makes of a part of a character


class Codec:
    """A tokenizer without its habits: no special tokens of its own, no cleaning up of spaces.

    Parameters
    ----------
    tokenizer
        Of the transformers library.
    size
        How many tokens the network knows: at least as many as the tokenizer.

    Attributes
    ----------
    start
        What stands before each text: the token for the beginning of a text, or else for the end of
        the text before it; nothing where the tokenizer has neither.
    end
        The token for the end of a text in training, where it is not the one that begins the next.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.tokenizer, self.size = tokenizer, size
        known = [t for t in (tokenizer.bos_token_id, tokenizer.eos_token_id) if t is not None]
        self.start: tuple[int, ...] = tuple(known[:1])
        self.end: tuple[int, ...] = tuple(known[1:]) if len(set(known)) > 1 else ()

    def all_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text; what the vocabulary lacks becomes the token for the unknown."""
        if not len(texts):
            return []
        found = self.tokenizer(
            list(texts), add_special_tokens=False, verbose=False, return_attention_mask=False
        )["input_ids"]
        for ids in found:
            self._check_known(ids)
        return [list(ids) for ids in found]

    def encode(self, text: str) -> list[int]:
        """The tokens of a text that the vocabulary covers.

        Raises
        ------
        InvalidInput
            Naming by its code point a character that it lacks.
        """
        (ids,) = self.all_ids([text])
        unknown = self.tokenizer.unk_token_id
        if unknown is not None and unknown in ids and self.tokenizer.unk_token not in text:
            raise InvalidInput(f"text must be of the tokenizer's vocabulary, {self._lacking(text)}")
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens."""
        plain = [int(token) for token in ids]
        self._check_known(plain)
        return str(self.tokenizer.decode(plain, clean_up_tokenization_spaces=False))

    @cached_property
    def strings(self) -> list[str]:
        """What each token adds to a text, "" for special ones and parts of characters.

        Decoded behind another token, so that a tokenizer that drops the space of a first word
        keeps it.
        """
        anchor = self._anchor()
        before = len(self.decode([anchor]))
        special = set(self.tokenizer.all_special_ids)
        pairs = [[anchor, token] for token in range(min(len(self.tokenizer), self.size))]
        texts = self.tokenizer.batch_decode(pairs, clean_up_tokenization_spaces=False)
        added = [
            "" if token in special or _LOST in text else text[before:]
            for token, text in enumerate(texts)
        ]
        return added + [""] * (self.size - len(added))

    @property
    def plain(self) -> list[int]:
        """The tokens that are not special."""
        special = set(self.tokenizer.all_special_ids)
        return [t for t in range(min(len(self.tokenizer), self.size)) if t not in special]

    def _anchor(self) -> int:
        """A token that is one plain character."""
        for character in _ANCHORS:
            token = self.tokenizer.convert_tokens_to_ids(character)
            if token is not None and token != self.tokenizer.unk_token_id:
                return int(token)
        for character in _ANCHORS:  # only as the beginning of a word
            ids = self.all_ids([character])[0]
            if ids and self.tokenizer.unk_token_id not in ids:
                return ids[-1]
        raise InvalidInput("tokenizer must have a token for a letter, a digit or a full stop")

    def _check_known(self, ids: Sequence[int]) -> None:
        if ids and not 0 <= min(ids) <= max(ids) < self.size:
            raise InvalidInput(
                f"tokens must be from 0 to {self.size - 1}, the model's; got"
                f" {max(ids) if max(ids) >= self.size else min(ids)}"
            )

    def _lacking(self, text: str) -> str:
        unknown = self.tokenizer.unk_token_id
        for place, character in enumerate(text):
            if not character.isspace() and unknown in self.all_ids([character])[0]:
                return f"which lacks U+{ord(character):04X} (character {place + 1} of the text)"
        return "which lacks a word of it"
