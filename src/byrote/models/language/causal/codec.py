"""Texts to tokens and back, with one way to begin a text for any tokenizer."""

import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.records import random_rows
from byrote.errors import ByroteWarning, InvalidInput

_TRIED = 1000  # texts whose tokens are decoded again
_CHUNK = 1 << 22  # characters encoded together
_ANCHORS = ("a", "A", "0", ".", "e")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # a decoder's output for a part of a character


class Codec:
    """A tokenizer without its defaults: it adds no special tokens and cleans up no spaces.

    Attributes
    ----------
    size
        Size of the network's vocabulary: at least the tokenizer's.
    start
        Tokens before each text: those of the tokenizer's template, else the token for the beginning
        of a text, or for the end of the text before it; empty if it has neither.
    end
        Tokens that end a text in training, unless they are the ones that begin the next: the
        template's, or the tokenizer's token for the end of a text.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.tokenizer, self.size = tokenizer, size
        self._backend = getattr(tokenizer, "backend_tokenizer", None)
        known = [t for t in (tokenizer.bos_token_id, tokenizer.eos_token_id) if t is not None]
        before, after = self._template()
        self.start: tuple[int, ...] = before or tuple(known[:1])
        self.end: tuple[int, ...] = tuple(t for t in after or known[-1:] if (t,) != self.start)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text, the unknown token for what the vocabulary lacks."""
        if not len(texts):
            return []
        encoded = self.tokenizer(
            list(texts), add_special_tokens=False, verbose=False, return_attention_mask=False
        )["input_ids"]
        for ids in encoded:
            self._check_known(ids)
        return [list(ids) for ids in encoded]

    def encode_arrays(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return the same as arrays, which take a tenth of the memory of lists."""
        ends = np.cumsum([len(text) for text in texts]) // _CHUNK
        parts = np.split(np.arange(len(texts)), np.flatnonzero(np.diff(ends)) + 1)
        return [
            np.array(ids, dtype=np.int32)
            for part in parts
            for ids in self.encode_all([texts[row] for row in part])
        ]

    def warn_of_changes(self, texts: Sequence[str]) -> None:
        """Warn of texts that are not those that their tokens spell, of a fixed random sample."""
        sample = [texts[row] for row in random_rows(len(texts), min(len(texts), _TRIED))]
        encoded = zip(sample, self.encode_all(sample), strict=True)
        if changed := sum(self.decode(ids) != text for text, ids in encoded):
            warnings.warn(
                f"the tokens of {changed} of {len(sample)} texts do not spell them exactly (the"
                " tokenizer changes case, spaces or characters): log p is that of what the tokens"
                " spell, which is the same for texts that differ only in what is lost",
                ByroteWarning,
                stacklevel=5,
            )

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text that the vocabulary covers.

        InvalidInput if it lacks a character, named by its code point.
        """
        (ids,) = self.encode_all([text])
        unknown = self.tokenizer.unk_token_id
        if unknown is not None and unknown in ids and self.tokenizer.unk_token not in text:
            raise InvalidInput(
                f"text must be covered by the tokenizer's vocabulary, {self._lacking(text)}"
            )
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""
        plain = [int(token) for token in ids]
        self._check_known(plain)
        return self._texts([plain])[0]

    @cached_property
    def strings(self) -> list[str]:
        """Return what each token adds to a text, "" for parts of characters and special tokens.

        Decoded after another token, so that a tokenizer that drops the space of a first word keeps
        it. Without spaces if the tokenizer drops all: "is 28" and "28" then have one token.
        """
        anchor = self._anchor()
        before = len(self.decode([anchor]))
        texts = self._texts([[anchor, t] for t in range(min(len(self.tokenizer), self.size))])
        added = ["" if _REPLACEMENT in text else text[before:] for text in texts]
        for token in self.tokenizer.all_special_ids:
            if token < len(added):
                added[token] = self._written(token)
        if self._drops_spaces:
            added = ["".join(text.split()) for text in added]
        return added + [""] * (self.size - len(added))

    def _written(self, token: int) -> str:
        """Return the text of a special token, if that text is encoded as the token."""
        text = str(self.tokenizer.convert_ids_to_tokens(token))
        unknown = token == self.tokenizer.unk_token_id
        return "" if unknown or self.encode_all([text]) != [[token]] else text

    def _texts(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Decode rows of tokens; concatenate them if the tokenizer has no decoder."""
        if self._backend is not None and self._backend.decoder is None:
            return ["".join(self.tokenizer.convert_ids_to_tokens(list(row))) for row in rows]
        return list(self.tokenizer.batch_decode(rows, clean_up_tokenization_spaces=False))

    @property
    def _drops_spaces(self) -> bool:
        """Whether spaces only separate words, and no token contains one."""
        parts = None if self._backend is None else self._backend.pre_tokenizer
        return parts is not None and "".join(t for t, _ in parts.pre_tokenize_str("a b")) == "ab"

    def _template(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the special tokens that the tokenizer adds before and after a text."""
        for text in _ANCHORS:
            bare = self.encode_all([text])[0]
            full = list(self.tokenizer(text, verbose=False)["input_ids"])
            for at in range(len(full) - len(bare) + 1):
                if bare and full[at : at + len(bare)] == bare:
                    return tuple(full[:at]), tuple(full[at + len(bare) :])
        return (), ()

    @property
    def plain(self) -> list[int]:
        """Tokens that are not special."""
        special = set(self.tokenizer.all_special_ids)
        return [t for t in range(min(len(self.tokenizer), self.size)) if t not in special]

    def _anchor(self) -> int:
        """Return a token that is one plain character."""
        for character in _ANCHORS:
            token = self.tokenizer.convert_tokens_to_ids(character)
            if token is not None and token != self.tokenizer.unk_token_id:
                return int(token)
        for character in _ANCHORS:  # only as the beginning of a word
            ids = self.encode_all([character])[0]
            if ids and self.tokenizer.unk_token_id not in ids:
                return ids[-1]
        raise InvalidInput("tokenizer must have a token for a letter, a digit or a full stop")

    def _check_known(self, ids: Sequence[int]) -> None:
        if ids and not 0 <= min(ids) <= max(ids) < self.size:
            raise InvalidInput(
                f"token ids must be between 0 and {self.size - 1}, the range of the model's"
                f" vocabulary; got {max(ids) if max(ids) >= self.size else min(ids)}"
            )

    def _lacking(self, text: str) -> str:
        unknown = self.tokenizer.unk_token_id
        for index, character in enumerate(text):
            if not character.isspace() and unknown in self.encode_all([character])[0]:
                return f"which lacks U+{ord(character):04X} (character {index + 1} of the text)"
        return "which lacks a word of it"
