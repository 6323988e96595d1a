"""The frontier of a best-first search: a priority queue that takes and gives nodes by the batch.

The cheapest nodes stand sorted in front; all dearer ones lie unsorted behind, and a share of them
is sorted when the front runs out. So a node is moved a few times by array operations in all, where
a binary heap handles it in the interpreter.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.columns import Columns

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Nodes(NamedTuple):
    """Beginnings that wait to be read by the model.

    Bits so far, the number of the beginning one token shorter, the format's edge on from there.
    """

    cost: Array
    parent: Index
    edge: Index

    def rows(self, which: "Index | slice | NDArray[np.bool_]") -> "Nodes":
        """Some of them."""
        return Nodes(self.cost[which], self.parent[which], self.edge[which])

    def followed_by(self, others: "Nodes") -> "Nodes":
        """These and others."""
        pairs = zip(self, others, strict=True)
        return Nodes(*(np.concatenate(pair) for pair in pairs))


NO_NODES = Nodes(np.empty(0), np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))


class Frontier:
    """Nodes by cost, at most ``limit`` of them: beyond that the dearest are dropped.

    Parameters
    ----------
    limit
        How many nodes are kept. An eighth more than needed is dropped, so that it happens rarely.
    batch
        How many are usually popped at once.

    Attributes
    ----------
    dropped
        Cost of the cheapest node ever dropped; infinite if there is none.
    """

    def __init__(self, limit: int, batch: int) -> None:
        self._limit, self._batch = limit, batch
        self._front, self._next = NO_NODES, 0  # sorted; those before _next are gone
        self._rest = Columns(np.float64, np.intp, np.intp)  # none cheaper than the front's last
        self.dropped = np.inf

    def __len__(self) -> int:
        return len(self._front.cost) - self._next + len(self._rest)

    @property
    def cheapest(self) -> float:
        """Cost of the cheapest node; infinite if there is none."""
        self._fill()
        return float(self._front.cost[self._next]) if len(self) else np.inf

    def pop(self, most: int, below: float) -> Nodes:
        """The cheapest nodes, sorted: at most so many, and only those that cost at most so much."""
        self._fill()
        front = self._front.cost
        last = int(np.searchsorted(front, below, side="right"))
        begin, self._next = self._next, max(self._next, min(last, self._next + most))
        return self._front.rows(slice(begin, self._next))

    def push(self, nodes: Nodes) -> Index:
        """Add nodes; the parents of those dropped for it, one entry for each node dropped."""
        edge = self._front.cost[-1] if len(self._front.cost) > self._next else -np.inf
        near = nodes.cost < edge
        if near.any():
            self._merge(nodes.rows(near))
            nodes = nodes.rows(~near)
        self._rest.append(*nodes)
        return self._trim() if len(self) > self._limit else NO_NODES.parent

    def _merge(self, nodes: Nodes) -> None:
        """Put nodes into the front, and what makes it too long back to the others."""
        together = self._front.rows(slice(self._next, None)).followed_by(nodes)
        together = together.rows(np.argsort(together.cost, kind="stable"))
        most = 4 * self._share()
        if len(together.cost) > most:
            self._rest.append(*together.rows(slice(most // 2, None)))
            together = together.rows(slice(0, most // 2))
        self._front, self._next = together, 0

    def _share(self) -> int:
        """How many nodes the front gets at a time."""
        return max(512, 8 * self._batch, len(self._rest) // 16)

    def _fill(self) -> None:
        """Sort the cheapest of the others into the front, if that is empty."""
        if self._next < len(self._front.cost) or not len(self._rest):
            return
        share = min(self._share(), len(self._rest))
        cheap = np.argpartition(self._rest[0], share - 1)[:share]
        cheap = cheap[np.argsort(self._rest[0][cheap], kind="stable")]
        self._front = Nodes(*(self._rest[column][cheap] for column in range(3)))
        self._next = 0
        others = np.ones(len(self._rest), dtype=bool)
        others[cheap] = False
        self._rest.keep(others)

    def _trim(self) -> Index:
        """Keep the cheapest, remember the cost of the cheapest dropped."""
        everything = self._front.rows(slice(self._next, None)).followed_by(
            Nodes(*(self._rest[column] for column in range(3)))
        )
        kept = self._limit - self._limit // 8
        order = np.argpartition(everything.cost, kept)
        gone = everything.rows(order[kept:])
        self.dropped = min(self.dropped, float(gone.cost.min()))
        self._front, self._next = NO_NODES, 0
        self._rest.keep(np.empty(0, dtype=np.intp))
        self._rest.append(*everything.rows(order[:kept]))
        return gone.parent
