"""The exposure of secrets in a model, wherever it was trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks, seeds
from byrote.attacks.completion_bits import candidate_bits
from byrote.attacks.enumeration import check_size
from byrote.attacks.ranks import Ranks, find_ranks
from byrote.data.canaries import Canary
from byrote.data.canaries.format import MOST_DRAWN
from byrote.errors import InvalidInput
from byrote.models.language.stepping import check_language_model
from byrote.scores.exposure.answers import (
    Found,
    answers_of,
    by_rank,
    joined,
    unsupported,
)
from byrote.scores.exposure.references import best_beside, estimate
from byrote.scores.exposure.result import Exposure

Array = NDArray[np.float64]

METHODS = ("auto", "exact", "sampled", "skew_normal", "model_sampled", "search")
_RANKED = {"exact": "enumeration", "model_sampled": "model_sampled", "search": "search"}


def expose(
    model: Any,
    canaries: Canary | Sequence[Canary],
    *,
    method: str = "auto",
    references: int = 10_000,
    seed: int = 0,
    max_queries: int = 20_000,
    level: float = 0.95,
    ids: ArrayLike | None = None,
) -> Exposure:
    """How exposed are secrets in a model? It need not have been trained here.

    Exposure is log2 of the number of candidates minus log2 of the secret's rank among them by
    log-perplexity, ties counted against it (Carlini et al. 2019). Canaries with the same prefix and
    format share one search and one set of references.

    Parameters
    ----------
    model
        A language model: ``encode``, ``decode``, ``token_strings``, and ``stepper`` or
        ``next_log_probs``.
    canaries
        Canaries with secrets. P-values are for drawn ones (``Canary.drawn``): of a secret that
        somebody chose read the bits. Several of one format compete for its first ranks.
    method
        - "exact": enumerates all candidates, 10^8 at most;
        - "search": best-first search to the secret's cost, exact where the budget suffices, else
          "at least";
        - "model_sampled": candidates drawn from the model itself, for middling ranks;
        - "sampled", "skew_normal": candidates drawn uniformly; see ``estimate_exposure``;
        - "auto": search; all candidates where they are few; for those still open the narrower
          interval of "model_sampled" and "sampled", and "skew_normal" where these say only "at
          least" and the curve fits. Intervals are held to what the search found certain.
    references
        How many candidates are drawn, from the model or uniformly; all others, if there are fewer.
    seed
        Decides the draws.
    max_queries
        Beginnings that the search reads, for each prefix and format.
    level
        Of the intervals.
    ids
        (n,) what the canaries are called; numbers from 0 if not given.

    Raises
    ------
    InvalidInput
        If a canary has no secret, the model's vocabulary lacks a character, a space is too large
        for "exact", or the references are too few for "skew_normal".

    Examples
    --------
    >>> import byrote
    >>> from byrote.models import CharLSTM
    >>> canary = byrote.Canary("the pin is {digits:4}", secret="2812")
    >>> model = CharLSTM(16, 1, epochs=10, batch_size=4, window=10, learning_rate=0.03)
    >>> exposure = byrote.expose(model.fit([canary.filled] * 40), [canary])
    >>> exposure.method, exposure.rank, exposure.bits.round(2)
    (array(['search'], dtype='<U6'), array([1.]), array([13.29]))
    """
    method = checks.choice("method", method, METHODS)
    canaries = checks.as_list("canaries", [canaries] if isinstance(canaries, Canary) else canaries)
    settings = _Settings(
        model,
        method,
        checks.integer("references", references, at_least=1, at_most=MOST_DRAWN),
        checks.seed("seed", seed),
        checks.integer("max_queries", max_queries, at_least=1),
        checks.fraction("level", level),
    )
    check_language_model(model)
    names = _checked(canaries, settings, ids)
    groups: dict[tuple[str, str], list[int]] = {}
    for place, canary in enumerate(canaries):
        groups.setdefault((canary.prefix, canary.format.key), []).append(place)
    found = [_group(settings, [canaries[i] for i in group]) for group in groups.values()]
    places = [np.array(group, dtype=np.intp) for group in groups.values()]
    answers = joined([part[0] for part in found], places)
    order = np.argsort(np.concatenate(places))
    return answers.exposure(
        names,
        np.concatenate([part[1] for part in found])[order],
        np.array([log2(canary.space_size) for canary in canaries]),
        level=settings.level,
        fits=tuple(fit for part in found for fit in part[2]),
    )


@dataclass(frozen=True)
class _Settings:
    model: Any
    method: str
    references: int
    seed: int
    max_queries: int
    level: float


def _checked(canaries: Sequence[Any], settings: _Settings, ids: ArrayLike | None) -> NDArray[Any]:
    """The names of the canaries, or a refusal of what cannot be exposed."""
    if not canaries:
        raise InvalidInput("canaries must be at least one canary; got none")
    for place, canary in enumerate(canaries):
        if not isinstance(canary, Canary):
            raise InvalidInput(
                f"canaries must be of the class Canary; number {place} is {type(canary).__name__}"
            )
        if canary.completion is None:
            raise InvalidInput(
                f"canaries must have secrets (secret=, or drawn(seed)); number {place} has none"
            )
        if settings.method == "exact":
            check_size(canary)
    count = len(canaries)
    return np.arange(count) if ids is None else checks.ids(ids, count, "canaries")


def _group(settings: _Settings, canaries: Sequence[Canary]) -> Found:
    """Canaries of one prefix and format: answers, log-perplexities, curves."""
    texts = [canary.completion or "" for canary in canaries]
    if settings.method in ("sampled", "skew_normal"):
        bits, drawn = _references(settings, canaries[0], texts)
        found = estimate(
            bits, drawn, canaries[0].space_size, method=settings.method, level=settings.level
        )
        return answers_of(found), bits, found.fits
    ranks = _ranks(settings, canaries[0], texts, _RANKED.get(settings.method, "auto"))
    answers = by_rank(ranks)
    if settings.method == "model_sampled":
        answers = unsupported(answers)
    open_ = ~np.isin(ranks.method, ("search", "enumeration"))
    if settings.method != "auto" or not open_.any():
        return answers, ranks.bits, ()
    return _beside_references(settings, canaries[0], texts, ranks)


def _ranks(settings: _Settings, canary: Canary, texts: Sequence[str], method: str) -> Ranks:
    return find_ranks(
        settings.model,
        canary,
        texts,
        method=method,
        max_queries=settings.max_queries,
        samples=settings.references,
        seed=settings.seed,
        level=settings.level,
    )


def _beside_references(
    settings: _Settings, canary: Canary, texts: Sequence[str], ranks: Ranks
) -> Found:
    """The best answers where ranks are not all certain: uniform references are asked too."""
    bits, drawn = _references(settings, canary, texts)
    chosen, fits = best_beside(ranks, bits, drawn, level=settings.level)
    return chosen, ranks.bits, fits


def _references(settings: _Settings, canary: Canary, texts: Sequence[str]) -> tuple[Array, Array]:
    """Bits of the canaries and of candidates drawn uniformly, none of them a canary's."""
    others = canary.space_size - len(set(texts))
    if not others:
        raise InvalidInput(
            f"canaries must leave candidates of their format to compare with; all"
            f' {canary.space_size} of them are canaries: use method="exact"'
        )
    generator = seeds.generator(settings.seed, seeds.Purpose.REFERENCE)
    n = min(settings.references, others)
    drawn = canary.format.sample(n, generator, without=set(texts))
    bits = candidate_bits(settings.model, canary, [*texts, *drawn])
    return bits[: len(texts)], bits[len(texts) :]
