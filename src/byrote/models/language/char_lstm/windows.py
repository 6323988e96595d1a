"""Windows of a text: parallel streams for truncated back-propagation, a fixed grid for DP-SGD."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.language.char_lstm.vocabulary import Tokens, Vocabulary

Windows = NDArray[np.int16]  # (n, window) tokens; NO_TARGET past the end of the text

NO_TARGET = -1
_CHUNK = 1 << 20  # characters encoded together: 64-bit numbers on the way take memory


@dataclass(frozen=True)
class Cut:
    """Division of a text into streams, read in parallel, and windows of them between two steps."""

    streams: int
    window: int

    def length(self, characters: int) -> int:
        """Characters of a stream; all streams together are at least the text."""
        return -(-characters // self.streams)

    def windows(self, characters: int) -> int:
        """Steps that read the whole text once."""
        return -(-self.length(characters) // self.window)

    def read(self, text: Tokens, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and targets, both (time, streams), window by window.

        Reads the text cyclically from ``start``; the character before the first is the last. Each
        character is a target exactly once; past the end the target is ``NO_TARGET``.
        """
        n, length = len(text), self.length(len(text))
        for first in range(0, length, self.window):
            times = np.arange(first, min(first + self.window, length))
            index = times[:, None] + length * np.arange(self.streams)
            inputs, following = text[(index + start - 1) % n], text[(index + start) % n]
            targets = np.where(index < n, following.astype(np.int64), NO_TARGET)
            yield torch.from_numpy(inputs.astype(np.int64)), torch.from_numpy(targets)


def fixed_windows(text: Tokens, window: int) -> Windows:
    """Cut a text on a fixed grid, the last window padded: each character is in exactly one.

    Examples
    --------
    >>> fixed_windows(np.arange(5), 3)
    array([[ 0,  1,  2],
           [ 3,  4, -1]], dtype=int16)
    """
    rows = np.full((-(-len(text) // window), window), NO_TARGET, dtype=np.int16)
    rows.reshape(-1)[: len(text)] = text
    return rows


def window_inputs(windows: Windows, newline: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets of independent windows, (time, n).

    A newline precedes each window, whatever the text has there: a window's gradient then depends on
    its own characters alone.
    """
    targets = torch.from_numpy(windows.T.astype(np.int64))
    inputs = torch.full_like(targets, newline)
    inputs[1:] = torch.where(targets[:-1] == NO_TARGET, newline, targets[:-1])
    return inputs, targets


def encode_texts(texts: list[str], vocabulary: Vocabulary) -> Tokens:
    """Tokens of the joined texts, in the smallest integer type that holds the vocabulary."""
    text = join_texts(texts)
    tokens = np.empty(len(text), dtype=np.min_scalar_type(len(vocabulary) - 1))
    for first in range(0, len(text), _CHUNK):
        tokens[first : first + _CHUNK] = vocabulary.ids(text[first : first + _CHUNK])
    return tokens


def join_texts(texts: list[str]) -> str:
    r"""Join texts, each ended by a newline unless it ends so already.

    Examples
    --------
    >>> join_texts(["a\n", "b"])
    'a\nb\n'
    """
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


def joined_length(texts: list[str]) -> int:
    r"""Characters of the joined texts.

    Examples
    --------
    >>> joined_length(["a\n", "b"])
    4
    """
    return sum(len(text) + (not text.endswith("\n")) for text in texts)
