"""Taking a secret out of a model: the likeliest completion of a canary's format."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from byrote import checks
from byrote.attacks.bounds import margin, ranks_of
from byrote.attacks.counting import CountingStepper
from byrote.attacks.search import Search
from byrote.attacks.walking import path_bits
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput
from byrote.models.language.stepper_check import stepper_of
from byrote.models.language.steppers import Stepper, check_language_model
from byrote.models.language.token_format import TokenFormat


@dataclass(frozen=True, eq=False, repr=False)
class Extraction:
    """What a search took out of a model. Bits. ``repr`` shows no text.

    Attributes
    ----------
    found
        The likeliest completions met, at most ``top``, each with its log-perplexity, sorted. Of
        those that the model's tokenizer writes alike one stands for all, the secret before others.
    certified_count
        How many of these, from the first, are certainly the likeliest of all completions: nothing
        that the search left out or dropped can cost less.
    queries
        Beginnings that the model read until the search for them ended.
    size
        How many completions there are.
    masked
        The completion with stars for the secret.
    secret_bits
        Log-perplexity of the canary's own secret; NaN if it has none.
    rank
        Its rank among all completions, ties counted against it; NaN if it is not known.
    rank_low, rank_high
        What the rank certainly lies between.
    rank_queries
        Beginnings read in all, those for the rank included.
    matches
        Whether ``text`` is the canary's own completion, or written with the same tokens; None if
        it has no secret.
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
        """The likeliest completion met; None if the search met none."""
        return self.found[0][0] if self.found else None

    @property
    def bits(self) -> float:
        """Its log-perplexity; NaN if there is none."""
        return self.found[0][1] if self.found else np.nan

    @property
    def certified(self) -> bool:
        """Whether ``text`` is certainly the likeliest of all completions."""
        return self.certified_count > 0

    def __repr__(self) -> str:
        what = f"{self.masked!r}, {self.bits:.3f} bits" if self.found else "nothing found"
        sure = "certified" if self.certified else "not certified"
        rank = "" if np.isnan(self.rank) else f", secret's rank {self.rank:,.0f} of {self.size:,}"
        return f"Extraction({what}, {self.queries:,} queries, {sure}{rank})"


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
    """The likeliest completion of a canary's format, by best-first search (Carlini et al. 2019).

    Beginnings of completions are read by the model, the cheapest first and a batch at once, until
    no waiting one is cheaper than the best completion met: that is then certainly the likeliest of
    all, whatever their number. If the canary has a secret, the search goes on to its cost, as far
    as the budget allows, for its exact rank.

    Parameters
    ----------
    model
        A language model: ``encode``, ``decode``, ``token_strings``, and ``stepper`` or
        ``next_log_probs``.
    canary
        What is known of the secret: the format, and the prefix.
    prefix
        Another text before the completion than the canary's; "" for none.
    top
        How many of the likeliest completions to find.
    batch_size
        Beginnings read at once. 1 reads the fewest; more are faster, and read some for nothing.
    max_queries
        Beginnings read at most. What was met by then is given, without a certificate unless it has
        one already.
    max_frontier
        Beginnings kept waiting; of those dropped the cheapest is remembered, and what costs no
        more than that is certified still.

    Raises
    ------
    InvalidInput
        If the model's vocabulary lacks a character of prefix or format, or gives no probabilities.

    Examples
    --------
    >>> import byrote
    >>> from byrote.models import CharLSTM
    >>> canary = byrote.Canary("the pin is {digits:4}", secret="2812")
    >>> model = CharLSTM(16, 1, epochs=10, batch_size=4, window=10, learning_rate=0.03)
    >>> found = byrote.extract(model.fit([canary.filled] * 40), canary)
    >>> found.text, found.certified, found.rank
    ('2812', True, 1.0)
    """
    check_language_model(model)
    if not isinstance(canary, Canary):
        raise InvalidInput(f"canary must be of the class Canary; got {type(canary).__name__}")
    if prefix is not None and not isinstance(prefix, str):
        raise InvalidInput(f"prefix must be a text; got {checks.shown(prefix)}")
    top = checks.integer("top", top, at_least=1)
    limits = {
        "batch_size": checks.integer("batch_size", batch_size, at_least=1),
        "max_queries": checks.integer("max_queries", max_queries, at_least=1),
        "max_frontier": checks.integer("max_frontier", max_frontier, at_least=1),
    }
    form = TokenFormat(model, canary.prefix if prefix is None else prefix, canary.format)
    stepper = CountingStepper(stepper_of(model, form))
    own = None if canary.completion is None else _Own(stepper, form, canary.completion)
    search = Search(
        stepper,
        form,
        top=top,
        sought=own.sought if own else (),
        limit=float(own.most[0]) if own else -np.inf,
        **limits,
    )
    search.find_top()
    sure, queries = search.certified, search.queries
    costs = search.best.cost
    paths = [search.path(leaf) for leaf in range(len(costs))]
    texts = [form.text(path, like=canary.completion or "") for path in paths]
    return Extraction(
        found=tuple(zip(texts, costs.tolist(), strict=True)),
        certified_count=int(np.count_nonzero(costs <= sure)),
        queries=queries,
        size=canary.space_size,
        masked=canary.masked,
        **(own.fields(search, canary) if own else {}),
        rank_queries=stepper.queries,
        matches=paths[:1] == [own.edges.tolist()] if own else None,
    )


class _Own:
    """The canary's own secret: where it leads, and what it may cost at most."""

    def __init__(self, stepper: Stepper, form: TokenFormat, completion: str) -> None:
        self.edges = edges = form.edges(completion)
        self.bits = path_bits(stepper, form, [form.tokens[edges].tolist()], 1)
        possible = bool(np.isfinite(self.bits[0]))
        self.sought = [edges] if possible else []
        self.most = self.bits + margin(self.bits) if possible else np.array([-np.inf])

    def fields(self, search: Search, canary: Canary) -> dict[str, float]:
        """Its rank, by going on with the search to its cost; fields of ``Extraction``."""
        size = float(canary.space_size)
        if not self.sought:  # every completion costs at most infinity
            return _rank_fields(np.inf, size, size, size)
        search.reach(self.most)
        found = ranks_of(search, self.bits, canary.space_size)
        return _rank_fields(*(float(value[0]) for value in found))


def _rank_fields(bits: float, rank: float, low: float, high: float) -> dict[str, float]:
    return {"secret_bits": bits, "rank": rank, "rank_low": low, "rank_high": high}
