"""Arrays of equal length that grow together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Columns:
    """Columns of numbers to which rows are added at the end, in amortised constant time.

    Examples
    --------
    >>> columns = Columns(np.float64, np.intp)
    >>> columns.append(np.array([2.5, 1.5]), np.array([7, 8]))
    >>> columns.keep(columns[0] < 2)
    >>> len(columns), columns[1].tolist()
    (1, [8])
    """

    def __init__(self, *kinds: Any) -> None:
        self._held: list[NDArray[Any]] = [np.empty(1024, dtype=kind) for kind in kinds]
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, column: int) -> NDArray[Any]:
        """A column as it is now: a view, to be used before the next change."""
        return self._held[column][: self._length]

    def append(self, *values: NDArray[Any]) -> None:
        """Rows at the end, given by column."""
        length = self._length + len(values[0])
        if length > len(self._held[0]):
            room = max(length, 2 * len(self._held[0]))
            self._held = [np.resize(held, room) for held in self._held]
        for held, value in zip(self._held, values, strict=True):
            held[self._length : length] = value
        self._length = length

    def keep(self, rows: NDArray[Any]) -> None:
        """Only these rows, by mask or numbers, in this order."""
        kept = [held[: self._length][rows] for held in self._held]
        self._length = len(kept[0])
        for held, values in zip(self._held, kept, strict=True):
            held[: self._length] = values
