"""The character vocabulary: printable ASCII, the training texts' characters, and an unknown one."""

import string
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput

Ids = NDArray[np.int64]
Tokens = NDArray[np.integer]  # of a long text, in a smaller type


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
        """The vocabulary of printable ASCII and all characters of the texts."""
        characters = set(string.printable).union(*texts)
        return cls(sorted(map(ord, characters)))

    def __len__(self) -> int:
        """Number of tokens, including the unknown one."""
        return len(self.code_points) + 1

    def ids(self, text: str) -> Ids:
        """The token of each character, (n,); the unknown one for those outside."""
        points = _code_points(text)
        ids = np.searchsorted(self.code_points, points)
        known = self.code_points[np.minimum(ids, self.unknown - 1)] == points
        return np.where(known, ids, self.unknown)

    def known_ids(self, text: str) -> Ids:
        """The token of each character, (n,).

        Raises
        ------
        InvalidInput
            If a character is outside the vocabulary, named by its code point.
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
        """The characters of known tokens.

        Raises
        ------
        InvalidInput
            If a number is not a token, or is the unknown one.
        """
        tokens = np.asarray(ids)
        integers = tokens.dtype.kind in "iu" or not tokens.size
        if tokens.ndim != 1 or not integers or ((tokens < 0) | (tokens >= self.unknown)).any():
            raise InvalidInput(f"ids must be whole numbers from 0 to {self.unknown - 1}, in a row")
        return "".join(map(chr, self.code_points[tokens.astype(np.int64)].tolist()))

    def strings(self) -> list[str]:
        """The text of each token; "" for the unknown one."""
        return [*map(chr, self.code_points.tolist()), ""]


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
