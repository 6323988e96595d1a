"""Best-first search through the completions of a format: the engine of extraction and of ranks.

Nodes are beginnings, an edge costs ``-log2 p(token | beginning) >= 0``, leaves are completions. The
cheapest nodes are read by the model, a batch at once, until no node is left that could lead to a
leaf as cheap as those in question. The cost of a leaf stands in the row of costs of the beginning
one token shorter, so that leaves are never read. Characters outside the format are forbidden, not
renormalised away.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.columns import Columns
from byrote.attacks.frontier import NO_NODES, Frontier, Nodes
from byrote.attacks.pool import StatePool
from byrote.attacks.walking import begin, check_costs, rows_at_once
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Search:
    """One search, which can be continued from one question to the next.

    Parameters
    ----------
    stepper, form
        The model, and the format in its tokens.
    batch_size
        Beginnings read at once.
    max_queries
        Beginnings read in all.
    max_frontier
        Nodes kept in waiting; of those dropped the cheapest cost is remembered.
    top
        How many of the cheapest completions are wanted.
    sought
        Paths (edges) of completions whose own cost, as this search computes it, is wanted.
    limit
        What the dearest of these may cost: completions up to it are counted.

    Attributes
    ----------
    queries
        Beginnings read so far.
    best
        The cheapest completions found, at most ``top``, sorted.
    cost
        (sought,) bits of the completions sought; NaN while they have not been met.
    ways
        (sought,) how many completions the model's tokenizer writes like each, itself among them.
    """

    def __init__(
        self,
        stepper: Stepper,
        form: TokenFormat,
        *,
        batch_size: int,
        max_queries: int,
        max_frontier: int,
        top: int = 0,
        sought: Sequence[Index] = (),
        limit: float = -np.inf,
    ) -> None:
        self.stepper, self.form, self.max_queries = stepper, form, max_queries
        self.top, self.limit, self.best = top, limit, NO_NODES
        self._sought = [path.tolist() for path in sought]
        self.cost = np.full(len(sought), np.nan)
        self.ways = np.array([form.ways(path) for path in sought], dtype=np.float64)
        self._read = Columns(np.intp, np.intp)  # parent and edge of every node read
        self._counted = Columns(np.float64, np.float64)  # bits, and how many completions
        self._pool = StatePool()
        self._frontier = Frontier(max_frontier, batch_size)
        self._watched = {(-1, -1): (0, list(range(len(sought))))} if len(sought) else {}
        states, costs = begin(stepper, form)
        self._batch = rows_at_once(batch_size, costs)
        root = Nodes(np.zeros(1), np.array([-1]), np.array([-1]))
        self._expand(root, np.array([form.start]), states, costs)

    @property
    def queries(self) -> int:
        """Beginnings that the model has read."""
        return len(self._read)

    @property
    def certified(self) -> float:
        """Every completion cheaper than this, up to ``limit`` or the worst of ``best``, was met."""
        return min(self._frontier.cheapest, self._frontier.dropped)

    @property
    def counted(self) -> tuple[Array, Array]:
        """Bits of the paths met that cost at most ``limit``, sorted, and completions on each."""
        order = np.argsort(self._counted[0], kind="stable")
        return self._counted[0][order], self._counted[1][order]

    def find_top(self) -> bool:
        """Search for the cheapest completions; whether those found are certainly they."""
        while self._frontier.cheapest < self._worst and self.queries < self.max_queries:
            self._advance(float(np.nextafter(self._worst, 0)))
        if len(self.best.cost) < self.top:
            return self.certified == np.inf  # there are no more
        return self._worst <= self.certified

    def reach(self, cost: Array) -> None:
        """Search on until every completion as cheap as the dearest one sought has been met.

        cost
            (sought,) what each may cost at most, while its own cost is not known.
        """
        goal = np.max(np.where(np.isnan(self.cost), cost, self.cost), initial=-np.inf)
        while self._frontier.cheapest <= min(goal, self.limit) and self._can_certify():
            self._advance(goal)
            goal = np.max(np.where(np.isnan(self.cost), cost, self.cost))

    def path(self, leaf: int) -> list[int]:
        """The edges of the completion that ``best`` has in this row."""
        return self._edges(int(self.best.parent[leaf]), int(self.best.edge[leaf]))

    @property
    def _worst(self) -> float:
        """What a completion must cost less than to be one of the best."""
        return float(self.best.cost[-1]) if self.top and len(self.best.cost) == self.top else np.inf

    @property
    def _ceiling(self) -> float:
        """What nothing dearer than is of interest."""
        return max(self.limit, self._worst) if self.top else self.limit

    def _can_certify(self) -> bool:
        return self.queries < self.max_queries and self._frontier.cheapest < self._frontier.dropped

    def _advance(self, below: float) -> None:
        """Read the cheapest nodes, of those that cost at most ``below``."""
        nodes = self._frontier.pop(min(self._batch, self.max_queries - self.queries), below)
        states, order = self._pool.gather(nodes.parent)
        nodes = nodes.rows(order)
        states, costs = self.stepper.step(states, self.form.tokens[nodes.edge])
        self._pool.release(nodes.parent)
        self._expand(nodes, self.form.targets[nodes.edge], states, costs)

    def _expand(self, nodes: Nodes, at: Index, states: Any, costs: Array) -> None:
        """Make the children of nodes just read, which stand at these states of the format."""
        first = len(self._read)
        self._read.append(nodes.parent, nodes.edge)
        rows, edges = self.form.children(at)
        price = check_costs(costs[rows, self.form.tokens[edges]])
        children = Nodes(nodes.cost[rows] + price, first + rows, edges)
        if self._watched:
            self._follow(nodes, first, costs)
        leaf = self.form.leaf[edges]
        self._meet(children.rows(leaf))
        open_ = ~leaf & (children.cost <= self._ceiling) & (children.cost < np.inf)
        self._pool.add(states, np.bincount(rows[open_], minlength=len(at)))
        self._pool.release(self._frontier.push(children.rows(open_)))

    def _meet(self, leaves: Nodes) -> None:
        """Count completions, and keep the cheapest."""
        leaves = leaves.rows((leaves.cost <= self._ceiling) & (leaves.cost < np.inf))
        if not self.form.single:
            pairs = zip(leaves.parent.tolist(), leaves.edge.tolist(), strict=True)
            own = [self.form.is_canonical(self._edges(*pair)) for pair in pairs]
            leaves = leaves.rows(np.array(own, dtype=bool))
        self._count(leaves.rows(leaves.cost <= self.limit))
        if self.top and len(leaves.cost) and leaves.cost.min() < self._worst:
            both = self.best.followed_by(leaves)
            self.best = both.rows(np.argsort(both.cost, kind="stable")[: self.top])

    def _count(self, leaves: Nodes) -> None:
        ways = np.ones(len(leaves.cost))
        if not self.form.spelling.plain:
            pairs = zip(leaves.parent.tolist(), leaves.edge.tolist(), strict=True)
            ways = np.array([self.form.ways(self._edges(*pair)) for pair in pairs], dtype=float)
        self._counted.append(leaves.cost, ways)

    def _follow(self, nodes: Nodes, first: int, costs: Array) -> None:
        """See how far the completions sought have come, and note their own costs."""
        pairs = zip(nodes.parent.tolist(), nodes.edge.tolist(), strict=True)
        for row, pair in enumerate(pairs):
            depth, numbers = self._watched.pop(pair, (0, []))
            for number in numbers:
                path = self._sought[number]
                if depth + 1 == len(path):
                    price = costs[row, self.form.tokens[path[depth]]]
                    self.cost[number] = nodes.cost[row] + price
                else:
                    onward = self._watched.setdefault((first + row, path[depth]), (depth + 1, []))
                    onward[1].append(number)

    def _edges(self, parent: int, edge: int) -> list[int]:
        """The edges from the start through a node read and one more."""
        parents, edges = self._read[0], self._read[1]
        found = [edge]
        while parent > 0:
            found.append(int(edges[parent]))
            parent = int(parents[parent])
        return found[::-1]
