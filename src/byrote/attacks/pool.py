"""States of the beginnings that a search has read and may still go on from.

States come in batches and are needed again in any mixture. They are kept in chunks of growing size,
as a log-structured merge tree keeps its runs: a new batch is a chunk, and chunks of similar size
become one, without the states that nothing waits for any more. So each state is copied a few times
in all, and a batch is gathered from few chunks.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.columns import Columns

Index = NDArray[np.intp]
_ALIKE = 4  # chunks of similar size that become one


class _Chunk(NamedTuple):
    ids: Index
    states: Any


class StatePool:
    """Cached states by number, each kept while something waits for it."""

    def __init__(self) -> None:
        self._chunks: dict[int, _Chunk] = {}  # by number, which rises
        self._made = self._held = self._dead = 0
        self._place = Columns(np.intp, np.intp, np.intp)  # chunk, row, how many wait; by number

    def __len__(self) -> int:
        """How many states are in memory."""
        return self._held

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
        if not len(ids):
            return
        waiting = self._place[2]
        np.subtract.at(waiting, ids, 1)
        done = ids[waiting[ids] == 0]
        self._dead += len(np.unique(done)) if len(done) > 1 else len(done)
        if 2 * self._dead > self._held:
            self._sweep()

    def gather(self, ids: Index) -> tuple[Any, Index]:
        """States of these numbers in another order, and that order: row i is ``ids[order[i]]``."""
        chunk, row = self._place[0][ids], self._place[1][ids]
        order = np.lexsort((row, chunk))
        chunk, row = chunk[order], row[order]
        edges = [0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), len(ids)]
        found = [
            self._chunks[int(chunk[low])].states.take(row[low:high])
            for low, high in pairwise(edges)
        ]
        return (found[0].joined(found[1:]) if len(found) > 1 else found[0]), order

    def _put(self, ids: Index, states: Any) -> None:
        self._place[0][ids] = self._made
        self._place[1][ids] = np.arange(len(ids))
        self._chunks[self._made] = _Chunk(ids, states)
        self._made += 1
        self._held += len(ids)

    def _sweep(self) -> None:
        """Free the states that nothing waits for, wherever they are."""
        chunks, self._chunks = self._chunks, {}
        self._held = self._dead = 0
        for chunk in map(self._alive, chunks.values()):
            if len(chunk.ids):
                self._put(chunk.ids, chunk.states)

    def _settle(self) -> None:
        """Merge the last chunks, while some are of similar size."""
        while len(self._chunks) >= _ALIKE:
            numbers = list(self._chunks)[-_ALIKE:]
            largest, least = (len(self._chunks[number].ids) for number in (numbers[0], numbers[-1]))
            if largest >= _ALIKE * least:
                return
            last = [self._chunks.pop(number) for number in numbers]
            alive = [self._alive(chunk) for chunk in last]
            before, after = (sum(len(chunk.ids) for chunk in some) for some in (last, alive))
            self._held -= before
            self._dead -= before - after
            states = alive[0].states.joined([chunk.states for chunk in alive[1:]])
            self._put(np.concatenate([chunk.ids for chunk in alive]), states)

    def _alive(self, chunk: _Chunk) -> _Chunk:
        """The chunk without the states that nothing waits for."""
        alive = np.flatnonzero(self._place[2][chunk.ids])
        if len(alive) == len(chunk.ids):
            return chunk
        return _Chunk(chunk.ids[alive], chunk.states.take(alive))
