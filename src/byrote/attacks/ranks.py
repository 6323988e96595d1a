"""Ranks of completions among all those of their format, by search, enumeration or sampling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.attacks.completion_bits import CountingStepper, path_bits
from byrote.attacks.enumeration import StreamingRank, all_bits, check_size, steps
from byrote.attacks.model_sampling import draw_samples
from byrote.attacks.search import Search, margin, prior_rank_bounds
from byrote.data.canaries import Canary
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]

METHODS = ("auto", "search", "enumeration", "model_sampled")
BATCH = 4096  # prefixes read at once where their order does not matter
_WORTH = 10  # budgets of the search that an enumeration may take; beyond, samples are drawn


@dataclass(frozen=True, eq=False, repr=False)
class Ranks:
    """Ranks of n completions of one format in one model.

    Attributes
    ----------
    bits
        (n,) log-perplexity, as computed by the method that found the rank.
    rank
        (n,) number of completions at least as likely, including the completion and ties; 1 is the
        most likely. NaN where unknown.
    low, high
        (n,) interval of the rank: guaranteed for "search", "enumeration" and "", at the confidence
        level for "model_sampled".
    method
        (n,) "search", "enumeration", "model_sampled", or "" where only bounds are known.
    least, most
        (n,) guaranteed bounds on the rank, whatever the method.
    queries
        Number of prefixes that the model read for all of them.
    size
        Number of completions of the format.
    """

    bits: Array
    rank: Array
    low: Array
    high: Array
    method: NDArray[np.str_]
    least: Array
    most: Array
    queries: int
    size: int

    def __len__(self) -> int:
        return len(self.bits)

    def __repr__(self) -> str:
        known = int(np.count_nonzero(~np.isnan(self.rank)))
        return f"Ranks({known} of {len(self)} known, of {self.size:,}, {self.queries:,} queries)"


def find_ranks(
    model: Any,
    canary: Canary,
    completions: Sequence[str],
    *,
    method: str = "auto",
    max_queries: int = 20_000,
    max_frontier: int = 1_000_000,
    samples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    batch_size: int = 256,
) -> Ranks:
    """Find the ranks of completions among all those of the canary's format, in a single search.

    The search continues to the costliest of them within its budget. Completions cheaper than all
    that the search omitted then have an exact rank, the others bounds: a rank is at most
    ``2^bits``, because probabilities sum to 1.

    Costs in float32 depend on the batch in the last bits. A completion is compared by the cost that
    the search itself computed for it, so it always counts once; others within about 1e-5 bits of it
    may fall on either side. Only the canary's prefix and format are used.

    Parameters
    ----------
    method
        "search"; "enumeration" of all completions; "model_sampled": estimates from samples of the
        model; "auto": search, then enumeration where that costs little, then samples where they
        support an estimate.
    max_queries, max_frontier
        Maximum number of prefixes that the search reads, and that it keeps in its frontier.
    samples, seed, level
        Number of samples from the model, their seed, and the level of their intervals.
    batch_size
        Number of prefixes that the search reads at once.

    Raises
    ------
    InvalidInput
        If a completion does not match the format, the vocabulary lacks a character, or there are
        more than 10^8 completions for "enumeration".
    """
    method = checks.choice("method", method, METHODS)
    budget = Budget(
        checks.integer("max_queries", max_queries, at_least=1),
        checks.integer("max_frontier", max_frontier, at_least=1),
        checks.integer("batch_size", batch_size, at_least=1),
    )
    samples = checks.integer("samples", samples, at_least=1)
    level = checks.fraction("level", level)
    generator = seeds.generator(checks.seed("seed", seed), seeds.Purpose.ATTACK)
    if method == "enumeration":
        check_size(canary)
    progress = RankProgress(model, canary, completions)
    if method in ("auto", "search"):
        progress.search(budget)
    affordable = progress.enumeration_queries <= _WORTH * budget.queries
    if method == "enumeration" or (method == "auto" and progress.incomplete and affordable):
        progress.enumerate()
    if method == "model_sampled" or (method == "auto" and progress.incomplete):
        progress.sample(samples, generator, level)
    return progress.result()


@dataclass(frozen=True)
class Budget:
    """Limits of a search."""

    queries: int
    frontier: int
    batch: int


class RankProgress:
    """Ranks and bounds known so far, improved by each method in turn."""

    def __init__(
        self, model: Any, canary: Canary, completions: Sequence[str], prefix: str | None = None
    ) -> None:
        self.form = TokenFormat(model, canary.prefix if prefix is None else prefix, canary.format)
        self.stepper = CountingStepper(stepper_of(model, self.form))
        self.canary, self.size, self.completions = canary, canary.space_size, completions
        self.edges = [self.form.edges(text) for text in completions]
        paths = [self.form.tokens[edges].tolist() for edges in self.edges]
        self.bits = path_bits(self.stepper, self.form, paths, BATCH)
        self.rank = np.where(np.isinf(self.bits), float(self.size), np.nan)  # all cost at most inf
        self.least, self.most = prior_rank_bounds(
            self.bits, self.size, self.form.spelling.most_ways
        )
        self.low, self.high = self.least, self.most
        self.method = np.where(np.isinf(self.bits), "search", "").astype("<U13")

    @property
    def incomplete(self) -> bool:
        """Whether a rank is still unknown."""
        return bool(np.isnan(self.rank).any())

    @property
    def enumeration_queries(self) -> int:
        """Number of prefixes that an enumeration would read."""
        return steps(self.form)

    def search(self, budget: Budget) -> None:
        """Find exact ranks within the budget, better bounds beyond it."""
        if np.isfinite(self.bits).any():
            self.rank_by(self.new_search(budget))

    def new_search(self, budget: Budget, top: int = 0) -> Search:
        """Start a search for these completions, and for the ``top`` most likely of all."""
        finite = np.flatnonzero(np.isfinite(self.bits))
        limit = self.bits[finite] + margin(self.bits[finite])
        return Search(
            self.stepper,
            self.form,
            batch_size=budget.batch,
            max_queries=budget.queries,
            max_frontier=budget.frontier,
            top=top,
            targets=[self.edges[i] for i in finite],
            limit=float(limit.max(initial=-np.inf)),
        )

    def rank_by(self, search: Search) -> None:
        """Continue a search to the costliest completion, and take its ranks and bounds."""
        finite = np.flatnonzero(np.isfinite(self.bits))
        if not len(finite):
            return
        search.reach(self.bits[finite] + margin(self.bits[finite]))
        bounds = search.rank_bounds(self.bits[finite], self.size)
        self.least[finite], self.most[finite] = bounds.low, bounds.high
        self._record(finite, bounds.bits, bounds.rank, "search")

    def enumerate(self) -> None:
        """Find all ranks from the costs of all completions, computed in one arithmetic."""
        finite = np.flatnonzero(np.isfinite(self.bits))
        texts = [self.completions[int(i)] for i in finite]
        place = np.array([self.form.space.index(text) for text in texts], dtype=np.int64)
        costs = self.bits[finite]
        ranks = StreamingRank(costs, margin(costs))
        for index, bits in all_bits(self.stepper, self.form, BATCH):
            ranks.add(bits)
            order = np.argsort(index)
            at = order[np.searchsorted(index, place, sorter=order) % len(index)]
            costs = np.where(index[at] == place, bits[at], costs)
        if len(finite):
            self._record(finite, costs, ranks.of(costs), "enumeration")

    def sample(self, n: int, generator: np.random.Generator, level: float) -> None:
        """Estimate unknown ranks where the samples suffice."""
        samples = draw_samples(self.stepper, self.form, n, generator, BATCH)
        self.low, self.high = self.least.copy(), self.most.copy()
        for i in np.flatnonzero(np.isnan(self.rank)):
            estimate = samples.rank(self.bits[i], level=level)
            if not np.isnan(estimate.rank):
                bounds = self.least[i], self.most[i]
                self.rank[i], self.low[i], self.high[i] = (np.clip(x, *bounds) for x in estimate)
                self.method[i] = "model_sampled"

    def result(self) -> Ranks:
        """Return all ranks and bounds."""
        return Ranks(
            bits=self.bits,
            rank=self.rank,
            low=self.low,
            high=self.high,
            method=self.method,
            least=self.least,
            most=self.most,
            queries=self.stepper.queries,
            size=self.size,
        )

    def _record(self, rows: NDArray[np.intp], bits: Array, rank: Array, method: str) -> None:
        """Record exact ranks that were unknown."""
        new = np.isnan(self.rank[rows]) & ~np.isnan(rank)
        rows = rows[new]
        self.bits[rows], self.rank[rows], self.method[rows] = bits[new], rank[new], method
        self.least[rows] = self.most[rows] = rank[new]
