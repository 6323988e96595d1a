"""The frontier of a best-first search: a priority queue of nodes in batches.

The cheapest nodes are sorted, in front; the others are unsorted, and a share of them is sorted when
the front runs out. Array operations move each node a few times, where a binary heap would handle it
in the interpreter.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Columns:
    """Columns of numbers to which rows are appended in amortised constant time.

    Examples
    --------
    >>> columns = Columns(np.float64, np.intp)
    >>> columns.append(np.array([2.5, 1.5]), np.array([7, 8]))
    >>> columns.keep(columns[0] < 2)
    >>> len(columns), columns[1].tolist()
    (1, [8])
    """

    def __init__(self, *dtypes: Any) -> None:
        self._buffers: list[NDArray[Any]] = [np.empty(1024, dtype=dtype) for dtype in dtypes]
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, column: int) -> NDArray[Any]:
        """Return a column as a view, valid until the next change."""
        return self._buffers[column][: self._length]

    def append(self, *values: NDArray[Any]) -> None:
        """Append rows, passed by column."""
        length = self._length + len(values[0])
        if length > len(self._buffers[0]):
            capacity = max(length, 2 * len(self._buffers[0]))
            self._buffers = [np.resize(buffer, capacity) for buffer in self._buffers]
        for buffer, value in zip(self._buffers, values, strict=True):
            buffer[self._length : length] = value
        self._length = length

    def keep(self, rows: NDArray[Any]) -> None:
        """Keep only these rows, by mask or index, in this order."""
        columns = [buffer[: self._length][rows] for buffer in self._buffers]
        self._length = len(columns[0])
        for buffer, values in zip(self._buffers, columns, strict=True):
            buffer[: self._length] = values


class Nodes(NamedTuple):
    """Prefixes that the model has yet to read: bits, number of the parent prefix, last edge."""

    cost: Array
    parent: Index
    edge: Index

    def rows(self, which: "Index | slice | NDArray[np.bool_]") -> "Nodes":
        """Return the nodes of these rows."""
        return Nodes(self.cost[which], self.parent[which], self.edge[which])

    def joined(self, others: "Nodes") -> "Nodes":
        """Return these nodes followed by others."""
        pairs = zip(self, others, strict=True)
        return Nodes(*(np.concatenate(pair) for pair in pairs))


NO_NODES = Nodes(np.empty(0), np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))


class Frontier:
    """Priority queue of at most ``limit`` nodes by cost; beyond that the costliest are dropped.

    Parameters
    ----------
    limit
        Maximum number of nodes. When full, an eighth of them is dropped, so that this happens
        rarely.
    batch
        Usual number of nodes popped at once.

    Attributes
    ----------
    dropped
        Cost of the cheapest node ever dropped; infinite if none was.
    """

    def __init__(self, limit: int, batch: int) -> None:
        self._limit, self._batch = limit, batch
        self._front, self._next = NO_NODES, 0  # sorted; those before _next are popped
        self._rest = Columns(np.float64, np.intp, np.intp)  # none cheaper than the front's last
        self.dropped = np.inf

    def __len__(self) -> int:
        return len(self._front.cost) - self._next + len(self._rest)

    @property
    def cheapest(self) -> float:
        """Cost of the cheapest node; infinite if empty."""
        self._fill()
        return float(self._front.cost[self._next]) if len(self) else np.inf

    def pop(self, most: int, below: float) -> Nodes:
        """Remove and return the cheapest nodes, sorted: up to ``most``, of cost up to ``below``."""
        self._fill()
        front = self._front.cost
        last = int(np.searchsorted(front, below, side="right"))
        begin, self._next = self._next, max(self._next, min(last, self._next + most))
        return self._front.rows(slice(begin, self._next))

    def push(self, nodes: Nodes) -> Index:
        """Add nodes; return the parents of the nodes dropped for them, one entry each."""
        edge = self._front.cost[-1] if len(self._front.cost) > self._next else -np.inf
        cheap = nodes.cost < edge
        if cheap.any():
            self._merge(nodes.rows(cheap))
            nodes = nodes.rows(~cheap)
        self._rest.append(*nodes)
        return self._trim() if len(self) > self._limit else NO_NODES.parent

    def _merge(self, nodes: Nodes) -> None:
        """Insert nodes into the front, and move its end to the others if it is too long."""
        merged = self._front.rows(slice(self._next, None)).joined(nodes)
        merged = merged.rows(np.argsort(merged.cost, kind="stable"))
        most = 4 * self._share()
        if len(merged.cost) > most:
            self._rest.append(*merged.rows(slice(most // 2, None)))
            merged = merged.rows(slice(0, most // 2))
        self._front, self._next = merged, 0

    def _share(self) -> int:
        """Return the number of nodes that the front gets at a time."""
        return max(512, 8 * self._batch, len(self._rest) // 16)

    def _fill(self) -> None:
        """Sort the cheapest of the others into the front, if it is empty."""
        if self._next < len(self._front.cost) or not len(self._rest):
            return
        share = min(self._share(), len(self._rest))
        cheap = np.argpartition(self._rest[0], share - 1)[:share]
        cheap = cheap[np.argsort(self._rest[0][cheap], kind="stable")]
        self._front = Nodes(*(self._rest[column][cheap] for column in range(3)))
        self._next = 0
        remaining = np.ones(len(self._rest), dtype=bool)
        remaining[cheap] = False
        self._rest.keep(remaining)

    def _trim(self) -> Index:
        """Keep the cheapest, and record the cost of the cheapest dropped."""
        nodes = self._front.rows(slice(self._next, None)).joined(
            Nodes(*(self._rest[column] for column in range(3)))
        )
        kept = self._limit - self._limit // 8
        order = np.argpartition(nodes.cost, kept)
        dropped = nodes.rows(order[kept:])
        self.dropped = min(self.dropped, float(dropped.cost.min()))
        self._front, self._next = NO_NODES, 0
        self._rest.keep(np.empty(0, dtype=np.intp))
        self._rest.append(*nodes.rows(order[:kept]))
        return dropped.parent
