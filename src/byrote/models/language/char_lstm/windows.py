"""A text cut for truncated back-propagation: parallel streams, window by window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from byrote.models.language.char_lstm.vocabulary import Ids, Vocabulary

NO_TARGET = -1


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

    def read(self, text: Ids, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Characters and those that follow them, both (time, streams), window by window.

        Reads the text round from ``start``; the character before the first is the last. Each of
        its characters is to be predicted exactly once: past the end ``NO_TARGET`` is.
        """
        n, length = len(text), self.length(len(text))
        for first in range(0, length, self.window):
            times = np.arange(first, min(first + self.window, length))
            place = times[:, None] + length * np.arange(self.streams)
            given, next_ = text[(place + start - 1) % n], text[(place + start) % n]
            targets = np.where(place < n, next_, NO_TARGET)
            yield torch.from_numpy(given), torch.from_numpy(targets)


def joined(texts: list[str], vocabulary: Vocabulary) -> Ids:
    """Tokens of all the texts one after the other, each ended by a newline if it is not so."""
    return vocabulary.ids(as_one(texts))


def as_one(texts: list[str]) -> str:
    r"""The texts one after the other, each ended by a newline if it is not so.

    Examples
    --------
    >>> as_one(["a\n", "b"])
    'a\nb\n'
    """
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)
