"""Cache of the model's states for prefixes that a search may still continue.

States arrive in batches and are needed again in any mixture. As in a log-structured merge tree,
each batch is a chunk, and chunks of similar size are merged, dropping unused states. Each state is
then copied a few times in all, and a batch is gathered from few chunks.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.frontier import Columns

Index = NDArray[np.intp]
_MERGED = 4  # chunks of similar size that are merged


class _Chunk(NamedTuple):
    ids: Index
    states: Any


class StateCache:
    """States by number, each with a count of references from nodes."""

    def __init__(self) -> None:
        self._chunks: dict[int, _Chunk] = {}  # by number, which rises
        self._made = self._cached = self._unused = 0
        self._place = Columns(np.intp, np.intp, np.intp)  # by number: chunk, row, references

    def __len__(self) -> int:
        """Number of states in memory."""
        return self._cached

    def add(self, states: Any, references: Index) -> None:
        """Add states, numbered after the last, with the number of references to each."""
        first = len(self._place)
        absent = np.full(len(references), -1)
        self._place.append(absent, absent, references)
        needed = np.flatnonzero(references)
        if len(needed):
            whole = len(needed) == len(references)
            self._put(first + needed, states if whole else states.take(needed))
            self._merge_chunks()

    def release(self, ids: Index) -> None:
        """Remove one reference for each occurrence of a number."""
        if not len(ids):
            return
        references = self._place[2]
        np.subtract.at(references, ids, 1)
        unused = ids[references[ids] == 0]
        self._unused += len(np.unique(unused)) if len(unused) > 1 else len(unused)
        if 2 * self._unused > self._cached:
            self._sweep()

    def gather(self, ids: Index) -> tuple[Any, Index]:
        """Return the states of these numbers, reordered: row i is that of ``ids[order[i]]``."""
        chunk, row = self._place[0][ids], self._place[1][ids]
        order = np.lexsort((row, chunk))
        chunk, row = chunk[order], row[order]
        edges = [0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), len(ids)]
        parts = [
            self._chunks[int(chunk[low])].states.take(row[low:high])
            for low, high in pairwise(edges)
        ]
        return (parts[0].joined(parts[1:]) if len(parts) > 1 else parts[0]), order

    def _put(self, ids: Index, states: Any) -> None:
        self._place[0][ids] = self._made
        self._place[1][ids] = np.arange(len(ids))
        self._chunks[self._made] = _Chunk(ids, states)
        self._made += 1
        self._cached += len(ids)

    def _sweep(self) -> None:
        """Free all unused states."""
        chunks, self._chunks = self._chunks, {}
        self._cached = self._unused = 0
        for chunk in map(self._used, chunks.values()):
            if len(chunk.ids):
                self._put(chunk.ids, chunk.states)

    def _merge_chunks(self) -> None:
        """Merge the last chunks while they are of similar size."""
        while len(self._chunks) >= _MERGED:
            numbers = list(self._chunks)[-_MERGED:]
            largest, least = (len(self._chunks[number].ids) for number in (numbers[0], numbers[-1]))
            if largest >= _MERGED * least:
                return
            last = [self._chunks.pop(number) for number in numbers]
            used = [self._used(chunk) for chunk in last]
            before, after = (sum(len(chunk.ids) for chunk in chunks) for chunks in (last, used))
            self._cached -= before
            self._unused -= before - after
            states = used[0].states.joined([chunk.states for chunk in used[1:]])
            self._put(np.concatenate([chunk.ids for chunk in used]), states)

    def _used(self, chunk: _Chunk) -> _Chunk:
        """Return the chunk without unused states."""
        used = np.flatnonzero(self._place[2][chunk.ids])
        if len(used) == len(chunk.ids):
            return chunk
        return _Chunk(chunk.ids[used], chunk.states.take(used))
