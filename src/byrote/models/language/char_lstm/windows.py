"""Characters as tokens, and windows of a text of them.

Parallel streams for truncated back-propagation, a fixed grid for DP-SGD.
"""

import string
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from byrote.errors import InvalidInput

Ids = NDArray[np.int64]
Tokens = NDArray[np.integer]  # of a long text, in a smaller type

CODE_POINTS = "code_points"  # the entry of the weights with the character of each token


class Vocabulary:
    """Characters by increasing code point; after them the unknown character.

    Examples
    --------
    >>> vocabulary = Vocabulary.of(["naïve"])
    >>> len(vocabulary) == len(string.printable) + 2
    True
    >>> vocabulary.text(vocabulary.ids("naïve"))
    'naïve'
    """

    def __init__(self, code_points: Sequence[int] | NDArray[np.integer]) -> None:
        self.code_points = np.asarray(code_points, dtype=np.uint32)
        self.unknown = len(self.code_points)
        self.newline = int(self.ids("\n")[0])

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        """Make the vocabulary of printable ASCII and all characters of the texts."""
        characters = set(string.printable).union(*texts)
        return cls(sorted(map(ord, characters)))

    def __len__(self) -> int:
        """Number of tokens, including the unknown one."""
        return len(self.code_points) + 1

    def ids(self, text: str) -> Ids:
        """Return the token of each character, (n,); the unknown one for those outside."""
        points = _code_points(text)
        ids = np.searchsorted(self.code_points, points)
        known = self.code_points[np.minimum(ids, self.unknown - 1)] == points
        return np.where(known, ids, self.unknown)

    def known_ids(self, text: str) -> Ids:
        """Return the token of each character, (n,).

        InvalidInput if a character, named by its code point, is outside the vocabulary.
        """
        ids = self.ids(text)
        missing = np.flatnonzero(ids == self.unknown)
        if len(missing):
            raise InvalidInput(
                "text must hold characters of the model's vocabulary only;"
                f" U+{ord(text[missing[0]]):04X} is not one"
            )
        return ids

    def text(self, ids: Sequence[int] | Ids) -> str:
        """Return the characters of known tokens; InvalidInput for other numbers."""
        tokens = np.asarray(ids)
        integers = tokens.dtype.kind in "iu" or not tokens.size
        if tokens.ndim != 1 or not integers or ((tokens < 0) | (tokens >= self.unknown)).any():
            raise InvalidInput(
                f"ids must be a sequence of whole numbers from 0 to {self.unknown - 1}"
            )
        return "".join(map(chr, self.code_points[tokens.astype(np.int64)].tolist()))

    def strings(self) -> list[str]:
        """Return the text of each token; "" for the unknown one."""
        return [*map(chr, self.code_points.tolist()), ""]


def vocabulary_of(weights: Mapping[str, ArrayLike]) -> Vocabulary:
    """Return the vocabulary that the weights are for."""
    if CODE_POINTS not in weights:
        raise InvalidInput(
            f"weights must come from get_weights; the entry {CODE_POINTS!r} is missing"
        )
    points = np.asarray(weights[CODE_POINTS])
    if points.ndim != 1 or points.dtype.kind not in "iu" or not len(points):
        raise InvalidInput(f"weights[{CODE_POINTS!r}] must be a sequence of code points")
    wide = points.astype(np.int64)
    increasing = (np.diff(wide) > 0).all() and wide[0] >= 0 and wide[-1] <= sys.maxunicode
    if not increasing or ord("\n") not in wide:
        raise InvalidInput(
            f"weights[{CODE_POINTS!r}] must be increasing code points, newline among them"
        )
    return Vocabulary(points)


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


Windows = NDArray[np.int16]  # (n, window) tokens; NO_TARGET past the end of the text

NO_TARGET = -1
_CHUNK = 1 << 20  # characters encoded together: 64-bit numbers on the way take memory


@dataclass(frozen=True)
class Cut:
    """Division of a text into parallel streams, and of these into windows between two steps."""

    streams: int
    window: int

    def length(self, characters: int) -> int:
        """Return the number of characters per stream; the streams together cover the text."""
        return -(-characters // self.streams)

    def windows(self, characters: int) -> int:
        """Return the number of steps that read the whole text once."""
        return -(-self.length(characters) // self.window)

    def read(self, text: Tokens, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and targets, both (time, streams), window by window.

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
    """Return inputs and targets of independent windows, (time, n).

    A newline precedes each window, whatever the text has there: a window's gradient then depends on
    its own characters alone.
    """
    targets = torch.from_numpy(windows.T.astype(np.int64))
    inputs = torch.full_like(targets, newline)
    inputs[1:] = torch.where(targets[:-1] == NO_TARGET, newline, targets[:-1])
    return inputs, targets


def encode_texts(texts: list[str], vocabulary: Vocabulary) -> Tokens:
    """Return tokens of the joined texts, in the smallest integer type for the vocabulary."""
    text = join_texts(texts)
    tokens = np.empty(len(text), dtype=np.min_scalar_type(len(vocabulary) - 1))
    for first in range(0, len(text), _CHUNK):
        tokens[first : first + _CHUNK] = vocabulary.ids(text[first : first + _CHUNK])
    return tokens


def join_texts(texts: list[str]) -> str:
    r"""Join texts, adding a newline to each that does not end in one.

    Examples
    --------
    >>> join_texts(["a\n", "b"])
    'a\nb\n'
    """
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


def text_lengths(texts: Sequence[str]) -> list[int]:
    r"""Return the number of characters of each text as it is trained on, with its newline.

    Examples
    --------
    >>> text_lengths(["a\n", "b"])
    [2, 2]
    """
    return [len(text) + (not text.endswith("\n")) for text in texts]


def joined_length(texts: Sequence[str]) -> int:
    """Return the number of characters of the joined texts."""
    return sum(text_lengths(texts))
