"""Probability that a model continues a prefix nearly as a text does, with certified bounds.

The model samples as many tokens as the suffix has; the Levenshtein distance between the two must be
at most ``edits``. Prefixes of samples are a tree. The model reads its most likely nodes first, and
each carries its row of the Levenshtein table: the distances to all beginnings of the suffix.

- Lower bound: the probability of the samples found within the distance.
- Upper bound: that, and the probability of all prefixes left unread that can still end within it.
"""

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.completion_bits import check_costs
from byrote.attacks.decoding import PLAIN, Decoding
from byrote.attacks.state_cache import StateCache
from byrote.models.language.steppers import Stepper

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.intp]
_CHILDREN = 4096  # of a node that can be read, the most likely ones; the others stay in the bound
_SLACK = 4.0  # bits: nodes so much costlier than the cheapest wait for what it leads to
_ROUNDING = 1e-9  # relative, of sums of many probabilities


class NearVerbatim(NamedTuple):
    """Certified bounds on a probability, and the number of prefixes read for them."""

    low: float
    high: float
    queries: int


def near_verbatim(
    stepper: Stepper,
    prefix: Index,
    suffix: Index,
    *,
    edits: int,
    max_queries: int = 1000,
    batch_size: int = 16,
    precision: float = 0.01,
    decoding: Decoding = PLAIN,
) -> NearVerbatim:
    """Bound the probability of a sample within ``edits`` of the suffix, of the same length.

    Parameters
    ----------
    prefix, suffix
        Tokens.
    edits
        Largest number of insertions, deletions and substitutions.
    max_queries, batch_size
        Maximum number of prefixes read, in all and at once.
    precision
        The search ends when the upper bound exceeds the lower by at most this share of it.
    decoding
        How tokens are sampled.

    Examples
    --------
    A fair coin against three heads, with one error:

    >>> from byrote.models.language.steppers import PrefixStepper
    >>> class Coin:
    ...     def next_log_probs(self, prefixes):
    ...         return np.log(np.full((len(prefixes), 2), 0.5))
    >>> bounds = near_verbatim(PrefixStepper(Coin()), [0], [1, 1, 1], edits=1, precision=0)
    >>> round(bounds.low, 6), round(bounds.high, 6)
    (0.5, 0.5)
    """
    search = _Search(stepper, np.asarray(prefix), np.asarray(suffix), edits, decoding)
    while search.unfinished and search.queries < max_queries:
        if search.unread <= precision * search.low:
            break
        search.advance(min(batch_size, max_queries - search.queries))
    low = search.low * (1 - _ROUNDING)
    high = min((search.low + search.unread) * (1 + _ROUNDING), 1.0)
    return NearVerbatim(low, high, search.queries)


class _Node(NamedTuple):
    """A prefix that the model has read, and its children that can end within the distance.

    Attributes
    ----------
    depth
        Number of its tokens.
    row
        (suffix + 1,) Levenshtein distances to all beginnings of the suffix.
    cost, token
        (c,) bits from the root, and last token, of the most likely children.
    left
        (c + 1,) probability of each of them and all after it, those beyond c included.
    """

    depth: int
    row: Index
    cost: Array
    token: Index
    left: Array


class _Search:
    """Best-first search.

    Attributes
    ----------
    low
        Probability of the samples found within the distance.
    """

    def __init__(
        self, stepper: Stepper, prefix: Index, suffix: Index, edits: int, decoding: Decoding
    ) -> None:
        self._stepper, self._edits, self._decoding = stepper, edits, decoding
        self._letters = np.unique(suffix)
        self._same = np.append(self._letters, -1)[:, None] == suffix  # the last: any other token
        self._nodes: list[_Node] = []
        self._heap: list[tuple[float, int, int]] = []  # cost, node and place of its next child
        self._cache = StateCache()
        self._beyond = 0.0  # probability of children never read, whose siblings all were
        self.low = 0.0
        states, costs = stepper.start(prefix.tolist())
        self._expand(np.zeros(1), [0], np.arange(len(suffix) + 1)[None], states, costs)

    @property
    def queries(self) -> int:
        """Number of prefixes read."""
        return len(self._nodes)

    @property
    def unfinished(self) -> bool:
        """Whether there are prefixes to read."""
        return bool(self._heap)

    @property
    def unread(self) -> float:
        """Probability of all prefixes left unread that can end within the distance."""
        waiting = (float(self._nodes[node].left[place]) for _, node, place in self._heap)
        return sum(waiting, self._beyond)

    def advance(self, most: int) -> None:
        """Read up to ``most`` prefixes, the most likely ones."""
        cost, parent, token = self._pop(most)
        states, order = self._cache.gather(parent)
        cost, parent, token = cost[order], parent[order], token[order]
        states, costs = self._stepper.step(states, token)
        self._cache.release(parent)
        nodes = [self._nodes[number] for number in parent.tolist()]
        rows = self._next_rows(np.stack([node.row for node in nodes]))
        rows = rows[np.arange(len(token)), self._letter(token)]
        self._expand(cost, [node.depth + 1 for node in nodes], rows, states, costs)

    def _pop(self, most: int) -> tuple[Array, Index, Index]:
        """Remove the cheapest prefixes; return their costs, parents and last tokens."""
        popped: list[tuple[float, int, int]] = []
        limit = self._heap[0][0] + _SLACK
        while self._heap and len(popped) < most and self._heap[0][0] <= limit:
            cost, number, place = heappop(self._heap)
            node = self._nodes[number]
            popped.append((cost, number, int(node.token[place])))
            if place + 1 < len(node.cost):
                heappush(self._heap, (float(node.cost[place + 1]), number, place + 1))
            else:
                self._beyond += float(node.left[place + 1])
        cost_, parent, token = zip(*popped, strict=True)
        return np.array(cost_), np.array(parent, dtype=np.intp), np.array(token, dtype=np.intp)

    def _expand(
        self, cost: Array, depth: list[int], rows: Index, states: Any, costs: Array
    ) -> None:
        """Add nodes just read: complete samples to ``low``, and shorter ones to the heap."""
        costs = self._decoding.costs(check_costs(costs))
        possible = self._possible(self._next_rows(rows), np.array(depth) + 1)
        counts = np.zeros(len(cost), dtype=np.intp)
        for row in range(len(cost)):
            tokens = self._tokens(possible[row], costs.shape[1])
            child = cost[row] + costs[row, tokens]
            if depth[row] + 1 == self._same.shape[1]:
                self.low += float(np.exp2(-child).sum())
                tokens, child = tokens[:0], child[:0]
            node = _node(depth[row], rows[row], child, tokens)
            counts[row] = len(node.cost)
            if counts[row]:
                heappush(self._heap, (float(node.cost[0]), len(self._nodes), 0))
            self._nodes.append(node)
        self._cache.add(states, counts)

    def _next_rows(self, rows: Index) -> Index:
        """Compute the Levenshtein rows after one more token, (n, s + 1) -> (n, letters + 1, s + 1).

        The last of the letters is any token that the suffix lacks.
        """
        longer = rows[:, None, :] + 1
        changed = np.minimum(rows[:, None, :-1] + ~self._same, longer[:, :, 1:])
        first = np.broadcast_to(longer[:, :, :1], (*changed.shape[:2], 1))
        row, places = np.concatenate([first, changed], axis=2), np.arange(rows.shape[1])
        return np.asarray(np.minimum.accumulate(row - places, axis=2) + places)

    def _possible(self, rows: Index, depth: Index) -> Flags:
        """Return which rows can end within the distance: (n, letters + 1, s + 1), (n,)."""
        places = np.arange(rows.shape[2])
        behind = np.abs(places - depth[:, None])  # the least that the lengths still cost
        return np.asarray((rows + behind[:, None]).min(axis=2) <= self._edits)

    def _tokens(self, possible: Flags, vocabulary: int) -> Index:
        """Return the tokens of the letters that can end within the distance."""
        if not possible[-1]:
            return self._letters[possible[:-1]]
        keep = np.ones(vocabulary, dtype=bool)
        keep[self._letters] = possible[:-1]
        return np.flatnonzero(keep)

    def _letter(self, token: Index) -> Index:
        """Return the place of each token among the letters."""
        place = np.searchsorted(self._letters, token)
        found = np.append(self._letters, -1)[place] == token
        return np.where(found, place, len(self._letters))


def _node(depth: int, row: Index, cost: Array, token: Index) -> _Node:
    order = np.argsort(cost, kind="stable")
    probability = np.exp2(-cost[order])
    left = np.append(np.cumsum(probability[::-1])[::-1], 0.0)
    order = order[: min(_CHILDREN, np.count_nonzero(probability))]
    return _Node(depth, row, cost[order], token[order], left[: len(order) + 1])
