"""Ranks estimated from samples of the model, where they are too large to search.

The model is renormalised within the format: each step draws from the allowed tokens only. A sample
of probability q stands for 1/q completions, so the mean of ``1{bits <= c} / q`` is an unbiased
estimate of the number of completions that cost at most c (Dell'Amico & Filippone 2015). The more
likely a completion, the more samples lie below it, unlike with uniform references. The same samples
serve all completions of the format.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from byrote.attacks.completion_bits import begin, check_costs, rows_at_once
from byrote.models.language.steppers import Stepper
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]
Index = NDArray[np.intp]

FEWEST = 20  # effective number of samples required for an estimate


class RankEstimate(NamedTuple):
    """A rank with its interval; NaN if too few samples are as likely as the completion."""

    rank: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class ModelSamples:
    """Completions sampled from the model within a format.

    Attributes
    ----------
    bits
        (n,) log-perplexity of each.
    weight
        (n,) number of completions that each stands for, 1/q, times those with the same tokens; 0
        for a path of tokens that is not the model's own encoding of its text.
    share
        (n,) ``weight / 2^bits``: the model's probability within the format, times the number of
        completions with the same tokens.
    """

    bits: Array
    weight: Array
    share: Array

    def rank(self, bits: float, *, level: float = 0.95) -> RankEstimate:
        """Estimate the number of completions that cost at most ``bits``, with its interval."""
        hits = self.weight[self.bits <= bits]
        n = len(self.weight)
        if effective_count(hits) < FEWEST:
            return RankEstimate(np.nan, np.nan, np.nan)
        largest = max(float(hits.max()), float(self.share.max()) * 2.0**bits)
        low, high = gamma_interval(hits, largest, level=level)
        return RankEstimate(float(hits.sum()) / n, low / n, high / n)


def draw_samples(
    stepper: Stepper, form: TokenFormat, n: int, generator: np.random.Generator, batch_size: int
) -> ModelSamples:
    """Draw ``n`` independent completions from the model within the format."""
    states, costs = begin(stepper, form)
    batch_size = rows_at_once(batch_size, costs)
    parts = []
    for first in range(0, n, batch_size):
        batch = _Batch(form, min(batch_size, n - first))
        batch.draw(stepper, states, costs, generator)
        parts.append((batch.bits, batch.log_q, batch.ways))
    bits, log_q, ways = (np.concatenate(part) for part in zip(*parts, strict=True))
    possible = np.isfinite(log_q)
    weight = np.where(possible, ways * np.exp2(-np.where(possible, log_q, 0)), 0)
    share = np.where(possible, ways * np.exp2(-np.where(possible, log_q + bits, 0)), 0)
    return ModelSamples(bits, weight, share)


class _Batch:
    """A batch of samples; those that share their prefix share its state."""

    def __init__(self, form: TokenFormat, n: int) -> None:
        self.form = form
        self.bits, self.log_q = (
            np.zeros(n),
            np.zeros(n),
        )  # log_q: log2 of the probability of the draw
        self.ways = np.ones(n)  # number of completions with the same tokens
        self.paths: list[list[int]] = [[] for _ in range(0 if form.single else n)]

    def draw(
        self, stepper: Stepper, states: Any, costs: Array, generator: np.random.Generator
    ) -> None:
        """Draw all samples to their ends, a token at a time."""
        form = self.form
        active = np.arange(len(self.bits))
        node, at = np.zeros(len(active), dtype=np.intp), np.array([form.start])
        while len(active):
            rows, edges = form.children(at)
            price = check_costs(costs[rows, form.tokens[edges]])
            drawn, log_p = _sample_edges(price, rows, node, generator)
            self.bits[active] += price[drawn]
            self.log_q[active] += log_p
            self._append(active, edges[drawn])
            leaf = form.leaf[edges[drawn]]
            self._finish(active[leaf])
            unfinished = ~leaf & np.isfinite(log_p)
            active, drawn = active[unfinished], drawn[unfinished]
            distinct, node = np.unique(drawn, return_inverse=True)
            if len(active):
                at = form.targets[edges[distinct]]
                tokens = form.tokens[edges[distinct]]
                states, costs = stepper.step(states.take(rows[distinct]), tokens)

    def _append(self, samples: Index, edges: Index) -> None:
        """Record the paths where they may not be the model's own encoding."""
        if self.paths:
            for sample, edge in zip(samples.tolist(), edges.tolist(), strict=True):
                self.paths[sample].append(edge)

    def _finish(self, samples: Index) -> None:
        """Give weight 0 to paths that are not the model's own encoding."""
        if self.paths:
            for sample in samples.tolist():
                path = self.paths[sample]
                self.ways[sample] = self.form.ways(path)
                if not self.form.is_canonical(path):
                    self.log_q[sample] = -np.inf


def _sample_edges(
    price: Array, rows: Index, node: Index, generator: np.random.Generator
) -> tuple[Index, Array]:
    """Draw an edge of its node for each sample, with log2 of its probability.

    price, rows
        (edges,) bits of each edge, and the node that it leaves; edges of a node are adjacent.
    node
        (samples,) node of each sample. Where the model excludes all its edges, log2 is -inf.
    """
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    cheapest = np.minimum.reduceat(price, first)
    dead = ~np.isfinite(cheapest)
    p = np.exp2(np.where(dead, 0, cheapest)[rows] - price)
    total = np.add.reduceat(p, first)
    p = np.where(dead[rows], 0, p / np.where(dead, 1, total)[rows])
    before = np.concatenate([[0], np.cumsum(p)])
    point = before[first[node]] + generator.random(len(node))
    drawn = np.searchsorted(before, point, side="right") - 1
    last = np.append(first[1:], len(price)) - 1
    drawn = np.clip(drawn, first[node], last[node])
    rounded = p[drawn] == 0  # a point within rounding of the node's end
    drawn[rounded] = _most_likely(p, first)[node[rounded]]
    with np.errstate(divide="ignore"):
        return drawn, np.log2(p[drawn])


def _most_likely(p: Array, first: Index) -> Index:
    """Return the most likely edge of each node."""
    parts = np.split(p, first[1:])
    return first + np.array([int(part.argmax()) for part in parts])


def gamma_interval(weights: Array, largest: float, *, level: float = 0.95) -> tuple[float, float]:
    """Compute the interval of an expected sum of weights of Poisson events (Fay & Feuer 1997).

    Poisson's exact interval where all weights are equal; conservative, also where the sum counts
    successes among few trials. ``weights`` are those of the observed events, ``largest`` the
    largest that an event can have, for the upper limit.

    Examples
    --------
    >>> [round(limit, 3) for limit in gamma_interval(np.ones(10), 1.0)]
    [4.795, 18.39]
    >>> [round(limit, 3) for limit in gamma_interval(np.empty(0), 2.0)]
    [0.0, 7.378]
    """
    total, square = float(weights.sum()), float(np.square(weights).sum())
    tail = (1 - level) / 2
    low = square / total * float(gammaincinv(total**2 / square, tail)) if total else 0.0
    total, square = total + largest, square + largest**2
    return low, square / total * float(gammaincinv(total**2 / square, 1 - tail))


def effective_count(weights: Array) -> float:
    """Compute the effective number of weights, ``(sum w)^2 / sum w^2``.

    Examples
    --------
    >>> effective_count(np.array([1.0, 1.0, 2.0])).__round__(4)
    2.6667
    """
    square = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / square if square else 0.0
