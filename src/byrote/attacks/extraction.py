"""Extraction of a secret from a model: the most likely completion of a canary's format."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from byrote import checks
from byrote.attacks.ranks import Budget, RankProgress, Ranks
from byrote.data.canaries import Canary
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.models.language.steppers import check_language_model


@dataclass(frozen=True, eq=False, repr=False)
class Extraction(Displayed):
    """Completions that a search extracted from a model. Log-perplexities are in bits.

    ``repr`` shows no completion.

    Attributes
    ----------
    completions
        The most likely completions found, at most ``top``, each with its log-perplexity, sorted.
        Of those with the same tokens only one is listed, preferably the secret.
    certified_count
        How many of the leading completions are certified: nothing the search left out can be more
        likely.
    queries
        Number of prefixes that the model read to find them.
    size
        Number of possible completions of the format.
    masked
        The completion with the secret replaced by asterisks.
    secret_bits
        Log-perplexity of the canary's secret; NaN if it has none.
    rank
        Rank of the secret among all completions, ties counted against it; NaN if unknown.
    rank_low, rank_high
        Guaranteed bounds on the rank.
    rank_queries
        Number of prefixes read in total, including those for the rank.
    matches
        Whether ``text`` has the tokens of the canary's completion; None without a secret.
    """

    completions: tuple[tuple[str, float], ...]
    certified_count: int
    queries: int
    size: int
    masked: str
    secret_bits: float = np.nan
    rank: float = np.nan
    rank_low: float = np.nan
    rank_high: float = np.nan
    rank_queries: int = 0
    matches: bool | None = None

    @property
    def text(self) -> str | None:
        """The most likely completion found, or None."""
        return self.completions[0][0] if self.completions else None

    @property
    def bits(self) -> float:
        """Log-perplexity of ``text`` in bits; NaN if nothing was found."""
        return self.completions[0][1] if self.completions else np.nan

    @property
    def certified(self) -> bool:
        """Whether ``text`` is certified as the most likely of all completions."""
        return self.certified_count > 0

    def __repr__(self) -> str:
        result = f"{self.masked!r}, {self.bits:.3f} bits" if self.completions else "nothing found"
        certified = "certified" if self.certified else "not certified"
        rank = "" if np.isnan(self.rank) else f", secret's rank {self.rank:,.0f} of {self.size:,}"
        return f"Extraction({result}, {self.queries:,} queries, {certified}{rank})"


def extract(
    model: Any,
    canary: Canary,
    *,
    prefix: str | None = None,
    top: int = 1,
    batch_size: int = 256,
    max_queries: int = 50_000,
    max_frontier: int = 1_000_000,
) -> Extraction:
    """Find the most likely completion of a canary's format by best-first search.

    The model reads prefixes of completions, the most likely first and a batch at once, until none
    left is more likely than the best completion found, which is then certified as the most likely
    of all (Carlini et al. 2019). If the canary has a secret, the search continues to its cost for
    its exact rank, as far as the budget allows.

    Parameters
    ----------
    model
        A language model with ``encode``, ``decode``, ``next_log_probs`` and ``score_samples``;
        optional ``stepper`` and ``token_strings`` are faster.
    canary
        Format and prefix of the secret.
    prefix
        Text before the completion in place of the canary's prefix; "" for none.
    top
        Number of completions to find.
    batch_size
        Number of prefixes read at once. 1 reads the fewest; larger batches are faster but read
        more.
    max_queries
        Maximum number of prefixes read. Completions found by then are returned, certified or not.
    max_frontier
        Maximum number of prefixes kept in the frontier. Completions no costlier than the cheapest
        prefix dropped can still be certified.

    Raises
    ------
    InvalidInput
        If the model's vocabulary lacks a character of the prefix or format, or its outputs are not
        probabilities.

    Examples
    --------
    >>> import byrote
    >>> from byrote.models import CharLSTM
    >>> canary = byrote.Canary("the pin is {digits:4}", secret="2812")
    >>> model = CharLSTM(16, 1, epochs=10, batch_size=4, window=10, learning_rate=0.03)
    >>> result = byrote.extract(model.fit([canary.filled] * 40), canary)
    >>> result.text, result.certified, result.rank
    ('2812', True, 1.0)
    """
    check_language_model(model)
    if not isinstance(canary, Canary):
        raise InvalidInput(f"canary must be a Canary; got {type(canary).__name__}")
    if prefix is not None and not isinstance(prefix, str):
        raise InvalidInput(f"prefix must be a string; got {checks.brief(prefix)}")
    top = checks.integer("top", top, at_least=1)
    budget = Budget(
        queries=checks.integer("max_queries", max_queries, at_least=1),
        frontier=checks.integer("max_frontier", max_frontier, at_least=1),
        batch=checks.integer("batch_size", batch_size, at_least=1),
    )
    completion = canary.completion
    progress = RankProgress(model, canary, [] if completion is None else [completion], prefix)
    extraction, best = _search(progress, budget, top, like=completion or "")
    if completion is None:
        return extraction
    ranks = progress.result()
    return replace(
        extraction,
        secret_bits=float(ranks.bits[0]),
        rank=float(ranks.rank[0]),
        rank_low=float(ranks.least[0]),
        rank_high=float(ranks.most[0]),
        matches=best == progress.edges[0].tolist(),
    )


def extract_with_ranks(
    model: Any,
    canary: Canary,
    completions: Sequence[str],
    *,
    top: int = 1,
    batch_size: int = 256,
    max_queries: int = 50_000,
    max_frontier: int = 1_000_000,
) -> tuple[Extraction, Ranks]:
    """Find the most likely completions of a format, and the ranks of others, in a single search.

    The ranks are those of ``completions``. Arguments are those of ``extract`` and ``find_ranks``;
    the canary's secret is not used.
    """
    check_language_model(model)
    progress = RankProgress(model, canary, completions)
    extraction, _ = _search(progress, Budget(max_queries, max_frontier, batch_size), top)
    return extraction, progress.result()


def _search(
    progress: RankProgress, budget: Budget, top: int, like: str = ""
) -> tuple[Extraction, list[int]]:
    """Search for the most likely completions, then for the ranks; return also the best path.

    like: text to prefer among those with the same tokens.
    """
    search = progress.new_search(budget, top)
    search.find_top()
    certified, queries, costs = search.certified, search.queries, search.best.cost
    paths = [search.path(leaf) for leaf in range(len(costs))]
    progress.rank_by(search)
    texts = [progress.form.text(path, like=like) for path in paths]
    extraction = Extraction(
        completions=tuple(zip(texts, costs.tolist(), strict=True)),
        certified_count=int(np.count_nonzero(costs <= certified)),
        queries=queries,
        size=progress.size,
        masked=progress.canary.masked,
        rank_queries=progress.stepper.queries,
    )
    return extraction, paths[0] if paths else []
