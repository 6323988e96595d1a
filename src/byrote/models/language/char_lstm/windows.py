"""A text cut for truncated back-propagation: parallel streams, window by window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from byrote.models.language.char_lstm.vocabulary import Tokens, Vocabulary

NO_TARGET = -1
_PIECE = 1 << 20  # characters that become tokens at once: 64-bit numbers on the way take space


@dataclass(frozen=True)
class Cut:
    """How a text of n characters is cut.

    Attributes
    ----------
    streams
        How many pieces are read side by side, each from its start to its end.
    window
        How many characters of each are read between two steps.
    """

    streams: int
    window: int

    def length(self, characters: int) -> int:
        """Characters of a stream; all streams together are at least the text."""
        return -(-characters // self.streams)

    def windows(self, characters: int) -> int:
        """Steps that read the whole text once."""
        return -(-self.length(characters) // self.window)

    def read(self, text: Tokens, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Characters and those that follow them, both (time, streams), window by window.

        Reads the text round from ``start``; the character before the first is the last. Each of
        its characters is to be predicted exactly once: past the end ``NO_TARGET`` is.
        """
        n, length = len(text), self.length(len(text))
        for first in range(0, length, self.window):
            times = np.arange(first, min(first + self.window, length))
            place = times[:, None] + length * np.arange(self.streams)
            given, next_ = text[(place + start - 1) % n], text[(place + start) % n]
            targets = np.where(place < n, next_.astype(np.int64), NO_TARGET)
            yield torch.from_numpy(given.astype(np.int64)), torch.from_numpy(targets)


def joined(texts: list[str], vocabulary: Vocabulary) -> Tokens:
    """Tokens of all the texts one after the other, each ended by a newline if it is not so.

    In the smallest type that counts the vocabulary: a byte a character, for most texts.
    """
    text = as_one(texts)
    tokens = np.empty(len(text), dtype=np.min_scalar_type(len(vocabulary) - 1))
    for first in range(0, len(text), _PIECE):
        tokens[first : first + _PIECE] = vocabulary.ids(text[first : first + _PIECE])
    return tokens


def as_one(texts: list[str]) -> str:
    r"""The texts one after the other, each ended by a newline if it is not so.

    Examples
    --------
    >>> as_one(["a\n", "b"])
    'a\nb\n'
    """
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


def length(texts: list[str]) -> int:
    r"""Characters of the texts when they are one.

    Examples
    --------
    >>> length(["a\n", "b"])
    4
    """
    return sum(len(text) + (not text.endswith("\n")) for text in texts)
