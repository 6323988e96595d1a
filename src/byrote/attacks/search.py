"""Best-first search through the completions of a format, for extraction and for ranks.

Nodes are prefixes, an edge costs ``-log2 p(token | prefix) >= 0``, leaves are completions. The
model reads the cheapest nodes, a batch at once, until no node left could lead to a leaf as cheap as
those in question. Leaves are never read: their cost is in the row of costs of the prefix one token
shorter. Characters outside the format are forbidden, without renormalisation.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.completion_bits import begin, check_costs, rows_at_once
from byrote.attacks.frontier import NO_NODES, Columns, Frontier, Nodes
from byrote.attacks.state_cache import StateCache
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class RankBounds(NamedTuple):
    """(n,) each: bits, the exact rank or NaN, and its lower and upper bound."""

    bits: Array
    rank: Array
    low: Array
    high: Array


def margin(bits: Array) -> Array:
    """Bound, generously, how far the same cost differs between batches of different sizes."""
    return 1e-3 + 1e-4 * bits


def prior_rank_bounds(bits: Array, size: int, ways: float = 1.0) -> tuple[Array, Array]:
    """Bound ranks from costs alone, (n,) each, with at most ``ways`` completions on a path."""
    low = np.where(np.isinf(bits), float(size), 1.0)
    high = np.floor(_most_as_likely(bits + margin(bits)) * ways)
    return low, np.clip(high, 1.0, float(size))


def _most_as_likely(bits: Array, mass: float = 1.0) -> Array:
    """Bound the number of completions that cost at most ``bits``, of total probability ``mass``."""
    with np.errstate(over="ignore"):
        return np.exp2(bits) * mass


class Search:
    """A search that can be continued from one question to the next.

    Parameters
    ----------
    stepper, form
        The model, and the format in its tokens.
    batch_size
        Number of prefixes read at once.
    max_queries
        Maximum number of prefixes read.
    max_frontier
        Maximum number of nodes kept.
    top
        Number of cheapest completions to find.
    targets
        Paths (edges) of completions whose cost, as computed by this search, is wanted.
    limit
        Upper limit of the targets' costs, up to which completions are counted.

    Attributes
    ----------
    queries
        Number of prefixes read so far.
    best
        The cheapest completions found, at most ``top``, sorted.
    cost
        (targets,) bits of the targets; NaN until found.
    ways
        (targets,) number of completions with the same tokens.
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
        targets: Sequence[Index] = (),
        limit: float = -np.inf,
    ) -> None:
        self.stepper, self.form, self.max_queries = stepper, form, max_queries
        self.top, self.limit, self.best = top, limit, NO_NODES
        self._targets = [path.tolist() for path in targets]
        self.cost = np.full(len(targets), np.nan)
        self.ways = np.array([form.ways(path) for path in targets], dtype=np.float64)
        self._read = Columns(np.intp, np.intp)  # parent and edge of every node read
        self._counted = Columns(np.float64, np.float64)  # bits, and number of completions
        self._cache = StateCache()
        self._frontier = Frontier(max_frontier, batch_size)
        self._watched = {(-1, -1): (0, list(range(len(targets))))} if len(targets) else {}
        states, costs = begin(stepper, form)
        self._batch = rows_at_once(batch_size, costs)
        root = Nodes(np.zeros(1), np.array([-1]), np.array([-1]))
        self._expand(root, np.array([form.start]), states, costs)

    @property
    def queries(self) -> int:
        """Number of prefixes that the model has read."""
        return len(self._read)

    @property
    def certified(self) -> float:
        """Cost below which all completions up to ``limit`` or the worst of ``best`` were found."""
        return min(self._frontier.cheapest, self._frontier.dropped)

    @property
    def counted(self) -> tuple[Array, Array]:
        """Sorted bits of the paths found up to ``limit``, and the number of completions on each."""
        order = np.argsort(self._counted[0], kind="stable")
        return self._counted[0][order], self._counted[1][order]

    def find_top(self) -> bool:
        """Search for the cheapest completions; return whether they are certified."""
        while self._frontier.cheapest < self._worst and self.queries < self.max_queries:
            self._advance(float(np.nextafter(self._worst, 0)))
        if len(self.best.cost) < self.top:
            return self.certified == np.inf  # no more exist
        return self._worst <= self.certified

    def reach(self, cost: Array) -> None:
        """Search until every completion as cheap as the costliest target was found.

        cost: (targets,) upper limit of each target's cost, used until it is found.
        """
        goal = np.max(np.where(np.isnan(self.cost), cost, self.cost), initial=-np.inf)
        while self._frontier.cheapest <= min(goal, self.limit) and self._can_certify():
            self._advance(goal)
            goal = np.max(np.where(np.isnan(self.cost), cost, self.cost))

    def path(self, leaf: int) -> list[int]:
        """Return the edges of the completion in this row of ``best``."""
        return self._edges(int(self.best.parent[leaf]), int(self.best.edge[leaf]))

    def rank_bounds(self, bits: Array, size: int) -> RankBounds:
        """Bound the targets' ranks among ``size`` completions; their costs are near ``bits``.

        A rank is exact where every completion as cheap is known to be found, and the search's own
        cost agrees with ``bits`` up to rounding. Elsewhere the completions found give bounds, and
        so does the probability left for others.
        """
        (seen, ways), certified = self.counted, self.certified
        counts = np.concatenate([[0.0], np.cumsum(ways)])
        known = np.abs(self.cost - bits) <= margin(bits)  # false for NaN
        cost = np.where(known, self.cost, bits)
        slack = np.where(known, 0.0, margin(bits))
        cheaper = counts[np.searchsorted(seen, cost - slack, side="right")]
        as_cheap = counts[np.searchsorted(seen, cost + slack, side="right")]
        exact = known & (cost < certified)
        left = np.clip(1.0 - np.exp2(-seen).sum() + 1e-5, 0.0, 1.0)
        unseen = np.floor(_most_as_likely(cost + margin(bits), left)) * self.form.spelling.most_ways
        low = cheaper + np.where(known, 0.0, self.ways)
        most = np.minimum(as_cheap + unseen, float(size) - (counts[-1] - as_cheap))
        high = np.where(exact, low, np.maximum(most, low))
        return RankBounds(cost, np.where(exact, low, np.nan), low, high)

    @property
    def _worst(self) -> float:
        """Cost below which a completion is one of the best."""
        return float(self.best.cost[-1]) if self.top and len(self.best.cost) == self.top else np.inf

    @property
    def _ceiling(self) -> float:
        """Cost above which completions are irrelevant."""
        return max(self.limit, self._worst) if self.top else self.limit

    def _can_certify(self) -> bool:
        return self.queries < self.max_queries and self._frontier.cheapest < self._frontier.dropped

    def _advance(self, below: float) -> None:
        """Read the cheapest of the nodes that cost at most ``below``."""
        nodes = self._frontier.pop(min(self._batch, self.max_queries - self.queries), below)
        states, order = self._cache.gather(nodes.parent)
        nodes = nodes.rows(order)
        states, costs = self.stepper.step(states, self.form.tokens[nodes.edge])
        self._cache.release(nodes.parent)
        self._expand(nodes, self.form.targets[nodes.edge], states, costs)

    def _expand(self, nodes: Nodes, at: Index, states: Any, costs: Array) -> None:
        """Add the children of nodes just read, which are at these states of the format."""
        first = len(self._read)
        self._read.append(nodes.parent, nodes.edge)
        rows, edges = self.form.children(at)
        price = check_costs(costs[rows, self.form.tokens[edges]])
        children = Nodes(nodes.cost[rows] + price, first + rows, edges)
        if self._watched:
            self._follow_targets(nodes, first, costs)
        leaf = self.form.leaf[edges]
        self._add_leaves(children.rows(leaf))
        inner = ~leaf & (children.cost <= self._ceiling) & (children.cost < np.inf)
        self._cache.add(states, np.bincount(rows[inner], minlength=len(at)))
        self._cache.release(self._frontier.push(children.rows(inner)))

    def _add_leaves(self, leaves: Nodes) -> None:
        """Count completions, and keep the cheapest."""
        leaves = leaves.rows((leaves.cost <= self._ceiling) & (leaves.cost < np.inf))
        if not self.form.single:
            pairs = zip(leaves.parent.tolist(), leaves.edge.tolist(), strict=True)
            canonical = [self.form.is_canonical(self._edges(*pair)) for pair in pairs]
            leaves = leaves.rows(np.array(canonical, dtype=bool))
        self._count(leaves.rows(leaves.cost <= self.limit))
        if self.top and len(leaves.cost) and leaves.cost.min() < self._worst:
            merged = self.best.joined(leaves)
            self.best = merged.rows(np.argsort(merged.cost, kind="stable")[: self.top])

    def _count(self, leaves: Nodes) -> None:
        ways = np.ones(len(leaves.cost))
        if not self.form.spelling.plain:
            pairs = zip(leaves.parent.tolist(), leaves.edge.tolist(), strict=True)
            ways = np.array([self.form.ways(self._edges(*pair)) for pair in pairs], dtype=float)
        self._counted.append(leaves.cost, ways)

    def _follow_targets(self, nodes: Nodes, first: int, costs: Array) -> None:
        """Advance the watched prefixes of the targets, and record the costs of targets reached."""
        pairs = zip(nodes.parent.tolist(), nodes.edge.tolist(), strict=True)
        for row, pair in enumerate(pairs):
            depth, numbers = self._watched.pop(pair, (0, []))
            for number in numbers:
                path = self._targets[number]
                if depth + 1 == len(path):
                    price = costs[row, self.form.tokens[path[depth]]]
                    self.cost[number] = nodes.cost[row] + price
                else:
                    child = self._watched.setdefault((first + row, path[depth]), (depth + 1, []))
                    child[1].append(number)

    def _edges(self, parent: int, edge: int) -> list[int]:
        """Return the edges from the start through a node that was read, and one more."""
        parents, edges = self._read[0], self._read[1]
        path = [edge]
        while parent > 0:
            path.append(int(edges[parent]))
            parent = int(parents[parent])
        return path[::-1]
