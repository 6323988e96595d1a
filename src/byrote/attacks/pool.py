"""States of the beginnings that a search has read and may still go on from.

States come in batches and are needed again in any mixture. They are kept in chunks of growing size,
as a log-structured merge tree keeps its runs: a new batch is a chunk, and chunks of similar size
become one, without the states that nothing waits for any more. So each state is copied a few times
in all, and a batch is gathered from few chunks.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.columns import Columns

Index = NDArray[np.intp]

_ALIKE = 4  # chunks of similar size that become one


class _Chunk(NamedTuple):
    number: int
    ids: Index
    states: Any


class StatePool:
    """Cached states by number, each kept while something waits for it."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._made = self._dead = 0
        self._place = Columns(np.intp, np.intp, np.intp)  # chunk, row, how many wait; by number

    def __len__(self) -> int:
        """How many states are in memory."""
        return sum(len(chunk.ids) for chunk in self._chunks)

    def add(self, states: Any, waiting: Index) -> None:
        """States numbered on from the last, and how many wait for each; 0: it is not kept."""
        first = len(self._place)
        nowhere = np.full(len(waiting), -1)
        self._place.append(nowhere, nowhere, waiting)
        kept = np.flatnonzero(waiting)
        if len(kept):
            self._put(first + kept, states if len(kept) == len(waiting) else states.take(kept))
            self._settle()

    def release(self, ids: Index) -> None:
        """One less waits for each of these, as often as it is named."""
        np.subtract.at(self._place[2], ids, 1)
        ids = np.unique(ids)
        self._dead += int(np.count_nonzero(self._place[2][ids] == 0))
        if 2 * self._dead > len(self):
            self._sweep()

    def gather(self, ids: Index) -> tuple[Any, Index]:
        """States of these numbers in another order, and that order: row i is ``ids[order[i]]``."""
        chunk, row = self._place[0][ids], self._place[1][ids]
        order = np.lexsort((row, chunk))
        found = []
        for held in self._chunks:
            low, high = np.searchsorted(chunk[order], [held.number, held.number + 1])
            if high > low:
                found.append(held.states.take(row[order[low:high]]))
        return (found[0].joined(found[1:]) if len(found) > 1 else found[0]), order

    def _sweep(self) -> None:
        """Free the states that nothing waits for, wherever they are."""
        chunks, self._chunks = self._chunks, []
        for chunk in chunks:
            alive = self._alive(chunk)
            if len(alive.ids):
                self._place[1][alive.ids] = np.arange(len(alive.ids))
                self._chunks.append(alive)

    def _put(self, ids: Index, states: Any) -> None:
        self._place[0][ids] = self._made
        self._place[1][ids] = np.arange(len(ids))
        self._chunks.append(_Chunk(self._made, ids, states))
        self._made += 1

    def _settle(self) -> None:
        """Merge the last chunks, while some are of similar size."""
        while len(self._chunks) >= _ALIKE and self._size(-_ALIKE) < _ALIKE * self._size(-1):
            last = [self._alive(self._chunks.pop()) for _ in range(_ALIKE)][::-1]
            states = last[0].states.joined([chunk.states for chunk in last[1:]])
            self._put(np.concatenate([chunk.ids for chunk in last]), states)

    def _size(self, place: int) -> int:
        return len(self._chunks[place].ids)

    def _alive(self, chunk: _Chunk) -> _Chunk:
        """The chunk without the states that nothing waits for."""
        alive = np.flatnonzero(self._place[2][chunk.ids])
        if len(alive) == len(chunk.ids):
            return chunk
        self._dead -= len(chunk.ids) - len(alive)
        return _Chunk(chunk.number, chunk.ids[alive], chunk.states.take(alive))
