"""Ranks of completions among all of their format: by search, by enumeration, by chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.attacks.bounds import margin, rank_bounds, ranks_of
from byrote.attacks.counting import CountingStepper
from byrote.attacks.enumeration import all_bits, check_size, steps
from byrote.attacks.model_sampling import draw_samples
from byrote.attacks.search import Search
from byrote.attacks.tally import Tally
from byrote.attacks.walking import path_bits
from byrote.data.canaries import Canary
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.token_format import TokenFormat

Array = NDArray[np.float64]

METHODS = ("auto", "search", "enumeration", "model_sampled")
WALK = 4096  # beginnings read at once where order does not matter
_WORTH = 10  # an enumeration may cost so many times the search's budget before chance is preferred


@dataclass(frozen=True, eq=False, repr=False)
class Ranks:
    """Ranks of n completions of one format in one model, in the order in which they came.

    Attributes
    ----------
    bits
        (n,) log-perplexity, as the method that found the rank computed it.
    rank
        (n,) how many completions cost at most as much, the completion itself counted, so that ties
        count against it; 1 is the likeliest. NaN where it is not known.
    low, high
        (n,) the rank lies within: certainly for "search", "enumeration" and "" (then equal to the
        rank where that is known), at the level asked for for "model_sampled".
    method
        (n,) "search", "enumeration", "model_sampled", or "" where only bounds are known.
    least, most
        (n,) what the rank certainly lies between, whatever the method.
    queries
        Beginnings read by the model for all of them together.
    size
        How many completions there are.
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
    """Ranks of completions among all of the canary's format: one search serves them all.

    The search goes on to the dearest of them within its budget; every completion that costs less
    than what the search has certainly seen then has its exact rank, the others bounds. One cannot
    be likelier than the sum of probabilities allows, so that a rank is at most ``2^bits`` whatever
    the search found.

    Costs are as exact as the model's arithmetic, which for float32 depends on the batch in the last
    bits. A completion is recognised by its path and compared by the cost that the search itself
    computed for it, so it always counts once; others within about 1e-5 bits of it may fall on
    either side.

    Parameters
    ----------
    model
        A language model.
    canary
        Its prefix and format are used, not its secret.
    completions
        Of the canary's format.
    method
        "search"; "enumeration" of all completions; "model_sampled", estimates from samples of the
        model; "auto": search, then enumeration where that costs little, then samples for those
        that are left and that the samples support.
    max_queries, max_frontier
        Beginnings that the search reads, and that it keeps waiting.
    samples, seed, level
        Samples drawn from the model, what decides them, and the level of their intervals.
    batch_size
        Beginnings that the search reads at once.

    Raises
    ------
    InvalidInput
        If a completion is not of the format, the vocabulary lacks a character, or there are too
        many completions for "enumeration".
    """
    method = checks.choice("method", method, METHODS)
    budget = _Budget(
        checks.integer("max_queries", max_queries, at_least=1),
        checks.integer("max_frontier", max_frontier, at_least=1),
        checks.integer("batch_size", batch_size, at_least=1),
    )
    samples = checks.integer("samples", samples, at_least=1)
    level = checks.fraction("level", level)
    generator = seeds.generator(checks.seed("seed", seed), seeds.Purpose.ATTACK)
    if method == "enumeration":
        check_size(canary)
    question = _Question(model, canary, completions)
    if method in ("auto", "search"):
        question.search(budget)
    affordable = question.cost <= _WORTH * budget.queries
    if method == "enumeration" or (method == "auto" and question.left and affordable):
        question.enumerate()
    if method == "model_sampled" or (method == "auto" and question.left):
        question.sample(samples, generator, level)
    return question.answer()


@dataclass(frozen=True)
class _Budget:
    queries: int
    frontier: int
    batch: int


class _Question:
    """What is known so far of the ranks asked for."""

    def __init__(self, model: Any, canary: Canary, completions: Sequence[str]) -> None:
        self.form = TokenFormat(model, canary.prefix, canary.format)
        self.stepper = CountingStepper(stepper_of(model, self.form))
        self.size, self.completions = canary.space_size, completions
        self.edges = [self.form.edges(text) for text in completions]
        paths = [self.form.tokens[edges].tolist() for edges in self.edges]
        self.bits = path_bits(self.stepper, self.form, paths, WALK)
        self.rank = np.where(np.isinf(self.bits), float(self.size), np.nan)  # all cost at most inf
        self.least, self.most = rank_bounds(self.bits, self.size, self.form.spelling.most_ways)
        self.low, self.high = self.least, self.most
        self.method = np.where(np.isinf(self.bits), "search", "").astype("<U13")

    @property
    def left(self) -> bool:
        """Whether a rank is still unknown."""
        return bool(np.isnan(self.rank).any())

    @property
    def cost(self) -> int:
        """What an enumeration would read."""
        return steps(self.form)

    def search(self, budget: _Budget) -> None:
        """Exact ranks as far as the budget goes, better bounds beyond."""
        asked = np.flatnonzero(np.isfinite(self.bits))
        if not len(asked):
            return
        most = self.bits[asked] + margin(self.bits[asked])
        search = Search(
            self.stepper,
            self.form,
            batch_size=budget.batch,
            max_queries=budget.queries,
            max_frontier=budget.frontier,
            sought=[self.edges[i] for i in asked],
            limit=float(most.max()),
        )
        search.reach(most)
        found = ranks_of(search, self.bits[asked], self.size)
        self.least[asked], self.most[asked] = found.low, found.high
        self._settle(asked, found.bits, found.rank, "search")

    def enumerate(self) -> None:
        """All ranks, by the cost of every completion; each one's own is the one found there."""
        asked = np.flatnonzero(np.isfinite(self.bits))
        texts = [self.completions[int(i)] for i in asked]
        place = np.array([self.form.space.index(text) for text in texts], dtype=np.int64)
        own = self.bits[asked]
        tally = Tally(own, margin(own))
        for index, bits in all_bits(self.stepper, self.form, WALK):
            tally.add(bits)
            order = np.argsort(index)
            at = order[np.searchsorted(index, place, sorter=order) % len(index)]
            own = np.where(index[at] == place, bits[at], own)
        if len(asked):
            self._settle(asked, own, tally.ranks(own), "enumeration")

    def sample(self, n: int, generator: np.random.Generator, level: float) -> None:
        """Estimates for the ranks still unknown, where the samples support them."""
        drawn = draw_samples(self.stepper, self.form, n, generator, WALK)
        self.low, self.high = self.least.copy(), self.most.copy()
        for i in np.flatnonzero(np.isnan(self.rank)):
            found = drawn.rank(self.bits[i], level=level)
            if not np.isnan(found.rank):
                sure = self.least[i], self.most[i]
                self.rank[i], self.low[i], self.high[i] = (np.clip(x, *sure) for x in found)
                self.method[i] = "model_sampled"

    def answer(self) -> Ranks:
        """All that was found."""
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

    def _settle(self, asked: NDArray[np.intp], bits: Array, rank: Array, method: str) -> None:
        """Take over ranks that are certain and were not known."""
        new = np.isnan(self.rank[asked]) & ~np.isnan(rank)
        which = asked[new]
        self.bits[which], self.rank[which], self.method[which] = bits[new], rank[new], method
        self.least[which] = self.most[which] = rank[new]
