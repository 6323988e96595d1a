"""Extraction of a secret from a model: the likeliest completion of a canary's format."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from byrote import checks
from byrote.attacks.completion_bits import CountingStepper, path_bits
from byrote.attacks.ranks import Budget, RankProgress, Ranks
from byrote.attacks.search import Search, margin
from byrote.data.canaries import Canary
from byrote.display import Displayed
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.steppers import Stepper, check_language_model
from byrote.models.language.token_format import TokenFormat


@dataclass(frozen=True, eq=False, repr=False)
class Extraction(Displayed):
    """Completions extracted from a model by a search. Bits. ``repr`` shows no text.

    Attributes
    ----------
    found
        The likeliest completions found, at most ``top``, each with its log-perplexity, sorted. Of
        those that the model's tokenizer writes with the same tokens only one is listed, preferably
        the secret.
    certified_count
        Number of these, from the first, that are certified as the likeliest of all completions:
        nothing that the search left out or dropped can cost less.
    queries
        Prefixes that the model read until the search for them ended.
    size
        Number of completions.
    masked
        The completion with stars for the secret.
    secret_bits
        Log-perplexity of the canary's secret; NaN if it has none.
    rank
        Rank of the secret among all completions, ties counted against it; NaN if unknown.
    rank_low, rank_high
        Certain bounds of the rank.
    rank_queries
        Prefixes read in all, including those for the rank.
    matches
        Whether ``text`` is the canary's completion, or written with the same tokens; None if it has
        no secret.
    """

    found: tuple[tuple[str, float], ...]
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
        return self.found[0][0] if self.found else None

    @property
    def bits(self) -> float:
        """Log-perplexity of ``text`` in bits; NaN without a text."""
        return self.found[0][1] if self.found else np.nan

    @property
    def certified(self) -> bool:
        """Whether ``text`` is certified as the likeliest of all completions."""
        return self.certified_count > 0

    def __repr__(self) -> str:
        result = f"{self.masked!r}, {self.bits:.3f} bits" if self.found else "nothing found"
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
    """Find the likeliest completion of a canary's format by best-first search.

    The model reads prefixes of completions, the cheapest first and a batch at once, until none left
    is cheaper than the best completion found, which is then certified as the likeliest of all,
    whatever their number (Carlini et al. 2019). If the canary has a secret, the search continues to
    its cost, as far as the budget allows, for its exact rank.

    Parameters
    ----------
    model
        A language model with ``encode``, ``decode``, ``next_log_probs`` and ``score_samples``;
        ``stepper`` is faster than ``next_log_probs``, ``token_strings`` than ``decode``.
    canary
        What is known of the secret: the format and the prefix.
    prefix
        Text before the completion in place of the canary's prefix; "" for none.
    top
        Number of likeliest completions to find.
    batch_size
        Prefixes read at once. 1 reads the fewest; larger batches are faster but read more.
    max_queries
        Largest number of prefixes read. Completions found by then are returned, certified or not.
    max_frontier
        Largest number of prefixes kept in the frontier. Completions that cost no more than the
        cheapest prefix dropped can still be certified.

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
        raise InvalidInput(f"prefix must be a text; got {checks.brief(prefix)}")
    top = checks.integer("top", top, at_least=1)
    limits = {
        "batch_size": checks.integer("batch_size", batch_size, at_least=1),
        "max_queries": checks.integer("max_queries", max_queries, at_least=1),
        "max_frontier": checks.integer("max_frontier", max_frontier, at_least=1),
    }
    form = TokenFormat(model, canary.prefix if prefix is None else prefix, canary.format)
    stepper = CountingStepper(stepper_of(model, form))
    secret = None if canary.completion is None else _Secret(stepper, form, canary.completion)
    search = Search(
        stepper,
        form,
        top=top,
        targets=secret.targets if secret else (),
        limit=float(secret.limit[0]) if secret else -np.inf,
        **limits,
    )
    search.find_top()
    certified, queries = search.certified, search.queries
    costs = search.best.cost
    paths = [search.path(leaf) for leaf in range(len(costs))]
    texts = [form.text(path, like=canary.completion or "") for path in paths]
    return Extraction(
        found=tuple(zip(texts, costs.tolist(), strict=True)),
        certified_count=int(np.count_nonzero(costs <= certified)),
        queries=queries,
        size=canary.space_size,
        masked=canary.masked,
        **(secret.rank_fields(search, canary.space_size) if secret else {}),
        rank_queries=stepper.queries,
        matches=paths[:1] == [secret.edges.tolist()] if secret else None,
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
    """Find the likeliest completions of a format and the ranks of given ones, by one search.

    Arguments are those of ``extract`` and ``find_ranks``; the canary's own secret is not used.
    """
    check_language_model(model)
    progress = RankProgress(model, canary, completions)
    search = progress.new_search(Budget(max_queries, max_frontier, batch_size), top)
    search.find_top()
    certified, queries, best = search.certified, search.queries, search.best
    paths = [search.path(leaf) for leaf in range(len(best.cost))]
    progress.rank_by(search)
    extraction = Extraction(
        found=tuple(zip(map(progress.form.text, paths), best.cost.tolist(), strict=True)),
        certified_count=int(np.count_nonzero(best.cost <= certified)),
        queries=queries,
        size=canary.space_size,
        masked=canary.masked,
        rank_queries=progress.stepper.queries,
    )
    return extraction, progress.result()


class _Secret:
    """The canary's secret: its path, and an upper limit of its cost."""

    def __init__(self, stepper: Stepper, form: TokenFormat, completion: str) -> None:
        self.edges = edges = form.edges(completion)
        self.bits = path_bits(stepper, form, [form.tokens[edges].tolist()], 1)
        possible = bool(np.isfinite(self.bits[0]))
        self.targets = [edges] if possible else []
        self.limit = self.bits + margin(self.bits) if possible else np.array([-np.inf])

    def rank_fields(self, search: Search, size: int) -> dict[str, float]:
        """Fields of ``Extraction`` about its rank, from continuing the search to its cost."""
        bits, rank, low, high = np.inf, float(size), float(size), float(size)
        if self.targets:  # otherwise every completion costs at most infinity
            search.reach(self.limit)
            bits, rank, low, high = (float(v[0]) for v in search.rank_bounds(self.bits, size))
        return {"secret_bits": bits, "rank": rank, "rank_low": low, "rank_high": high}
