"""Ranks too large to search and too small to meet by chance: samples drawn from the model itself.

The model is renormalised within the format: at each step only allowed tokens, in proportion to
their probabilities. A sample that came with probability q stands for 1/q completions, so the mean
of ``1{bits <= c} / q`` is the number of completions that cost at most c without bias (Dell'Amico &
Filippone 2015). The likelier a completion, the more samples lie below it, which uniform references
do not give. The same samples serve all completions of the format.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.walking import begin, check_costs, rows_at_once
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat
from byrote.stats.weighted_sums import effective_count, gamma_interval

Array = NDArray[np.float64]
Index = NDArray[np.intp]

FEWEST = 20  # samples, if all weighed the same, that an estimate must rest on


class RankEstimate(NamedTuple):
    """A rank with its interval; NaN where too few samples are as likely as the completion."""

    rank: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class ModelSamples:
    """Completions drawn from the model within a format.

    Attributes
    ----------
    bits
        (n,) log-perplexity of each.
    weight
        (n,) how many completions each stands for, 1/q, times those that are written alike; 0 for a
        path of tokens that is not the model's own encoding of its text.
    reach
        (n,) ``weight / 2^bits``: the share of the model's probability that the format left it,
        times those written alike.
    """

    bits: Array
    weight: Array
    reach: Array

    def rank(self, bits: float, *, level: float = 0.95) -> RankEstimate:
        """How many completions cost at most ``bits``, estimated; the interval at ``level``."""
        hits = self.weight[self.bits <= bits]
        n = len(self.weight)
        if effective_count(hits) < FEWEST:
            return RankEstimate(np.nan, np.nan, np.nan)
        largest = max(float(hits.max()), float(self.reach.max()) * 2.0**bits)
        low, high = gamma_interval(hits, largest, level=level)
        return RankEstimate(float(hits.sum()) / n, low / n, high / n)


def draw_samples(
    stepper: Stepper, form: TokenFormat, n: int, generator: np.random.Generator, batch_size: int
) -> ModelSamples:
    """``n`` independent completions from the model within the format."""
    states, costs = begin(stepper, form)
    batch_size = rows_at_once(batch_size, costs)
    parts = []
    for first in range(0, n, batch_size):
        some = _Some(form, min(batch_size, n - first))
        some.draw(stepper, states, costs, generator)
        parts.append((some.bits, some.log_q, some.ways))
    bits, log_q, ways = (np.concatenate(part) for part in zip(*parts, strict=True))
    drawn = np.isfinite(log_q)
    weight = np.where(drawn, ways * np.exp2(-np.where(drawn, log_q, 0)), 0)
    reach = np.where(drawn, ways * np.exp2(-np.where(drawn, log_q + bits, 0)), 0)
    return ModelSamples(bits, weight, reach)


class _Some:
    """A batch of samples on their way; those that share their beginning share its state."""

    def __init__(self, form: TokenFormat, n: int) -> None:
        self.form = form
        self.bits, self.log_q = np.zeros(n), np.zeros(n)  # log2 of the probability drawn with
        self.ways = np.ones(n)  # how many completions are written alike
        self.paths: list[list[int]] = [[] for _ in range(0 if form.single else n)]

    def draw(
        self, stepper: Stepper, states: Any, costs: Array, generator: np.random.Generator
    ) -> None:
        """All samples to their ends, a token at a time."""
        form = self.form
        going = np.arange(len(self.bits))
        node, at = np.zeros(len(going), dtype=np.intp), np.array([form.start])
        while len(going):
            rows, edges = form.children(at)
            price = check_costs(costs[rows, form.tokens[edges]])
            chosen, log_p = _choose(price, rows, node, generator)
            self.bits[going] += price[chosen]
            self.log_q[going] += log_p
            self._note(going, edges[chosen])
            on = ~form.leaf[edges[chosen]] & np.isfinite(log_p)
            self._finish(going[form.leaf[edges[chosen]]])
            going, chosen = going[on], chosen[on]
            distinct, node = np.unique(chosen, return_inverse=True)
            if len(going):
                at = form.targets[edges[distinct]]
                tokens = form.tokens[edges[distinct]]
                states, costs = stepper.step(states.take(rows[distinct]), tokens)

    def _note(self, going: Index, edges: Index) -> None:
        """Remember the path where it may turn out not to be the model's own."""
        if self.paths:
            for sample, edge in zip(going.tolist(), edges.tolist(), strict=True):
                self.paths[sample].append(edge)

    def _finish(self, ended: Index) -> None:
        """A path that is not the model's own encoding stands for nothing, one of many for all."""
        if self.paths:
            for sample in ended.tolist():
                path = self.paths[sample]
                self.ways[sample] = self.form.ways(path)
                if not self.form.is_canonical(path):
                    self.log_q[sample] = -np.inf


def _choose(
    price: Array, rows: Index, node: Index, generator: np.random.Generator
) -> tuple[Index, Array]:
    """For each sample at a node one of the node's edges, and log2 of how likely it was.

    price, rows
        (edges,) bits of each edge, and the node that it leaves; edges of a node are neighbours.
    node
        (samples,) where each sample is. -inf where the model excludes all edges of the node.
    """
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    cheapest = np.minimum.reduceat(price, first)
    dead = ~np.isfinite(cheapest)
    share = np.exp2(np.where(dead, 0, cheapest)[rows] - price)
    total = np.add.reduceat(share, first)
    share = np.where(dead[rows], 0, share / np.where(dead, 1, total)[rows])
    before = np.concatenate([[0], np.cumsum(share)])
    point = before[first[node]] + generator.random(len(node))
    found = np.searchsorted(before, point, side="right") - 1
    last = np.append(first[1:], len(price)) - 1
    found = np.clip(found, first[node], last[node])
    rounded = share[found] == 0  # a point within rounding of the node's end
    found[rounded] = _likeliest(share, first)[node[rounded]]
    with np.errstate(divide="ignore"):
        return found, np.log2(share[found])


def _likeliest(share: Array, first: Index) -> Index:
    """The likeliest edge of each node."""
    parts = np.split(share, first[1:])
    return first + np.array([int(part.argmax()) for part in parts])
