"""The exposure of secrets in a model, wherever it was trained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote import checks, seeds
from byrote.attacks.completion_bits import candidate_bits
from byrote.attacks.enumeration import check_size
from byrote.attacks.ranks import find_ranks
from byrote.data.canaries import Canary
from byrote.data.canaries.format import MAX_SAMPLE
from byrote.errors import InvalidInput
from byrote.models.language.steppers import check_language_model
from byrote.scores.exposure.best_estimate import (
    best_estimate,
    estimate_from_references,
    exposure_of_ranks,
    model_sampled_only,
)
from byrote.scores.exposure.exposure import Exposure

Array = NDArray[np.float64]

METHODS = ("auto", "exact", "sampled", "skew_normal", "model_sampled", "search")
_RANK_METHODS = {"exact": "enumeration", "model_sampled": "model_sampled", "search": "search"}


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
    """Measure the exposure of secrets in a language model, wherever it was trained.

    Exposure is log2 of the number of candidates minus log2 of the secret's rank among them by
    log-perplexity, ties counted against it (Carlini et al. 2019). Canaries with the same prefix and
    format share one search and one set of references.

    Parameters
    ----------
    model
        A language model with ``encode``, ``decode``, ``next_log_probs`` and ``score_samples``;
        ``stepper`` is faster than ``next_log_probs``, ``token_strings`` than ``decode``.
    canaries
        Canaries with secrets. P-values are for drawn secrets (``Canary.drawn``); for others use the
        bits. Several of one format compete for its first ranks.
    method
        - "exact": enumerate all candidates, at most 10^8;
        - "search": best-first search to the secret's cost, exact where the budget suffices, else a
          lower bound;
        - "model_sampled": candidates drawn from the model itself, for intermediate ranks;
        - "sampled", "skew_normal": candidates drawn uniformly; see ``estimate_exposure``;
        - "auto": search; all candidates where they are few; for the rest the narrower interval of
          "model_sampled" and "sampled", and "skew_normal" where these give only a lower bound and
          the curve fits. Intervals are clipped to the bounds that the search guarantees.
    references
        Number of candidates drawn, from the model or uniformly; at most all others.
    seed
        Seed of the draws.
    max_queries
        Maximum number of prefixes that the search reads, per format.
    level
        Level of the intervals.
    ids
        (n,) names of the canaries (default: numbers from 0).

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
    options = _Options(
        model,
        method,
        checks.integer("references", references, at_least=1, at_most=MAX_SAMPLE),
        checks.seed("seed", seed),
        checks.integer("max_queries", max_queries, at_least=1),
        checks.fraction("level", level),
    )
    check_language_model(model)
    _check_canaries(canaries, method)
    names = np.arange(len(canaries)) if ids is None else checks.ids(ids, len(canaries), "canaries")
    groups: dict[tuple[str, str], list[int]] = {}
    for place, canary in enumerate(canaries):
        groups.setdefault((canary.prefix, canary.format.key), []).append(place)
    parts = [_expose_format(options, [canaries[i] for i in rows]) for rows in groups.values()]
    order = np.argsort([i for rows in groups.values() for i in rows])
    return replace(Exposure.concat(parts).take(order), ids=names)


@dataclass(frozen=True)
class _Options:
    model: Any
    method: str
    references: int
    seed: int
    max_queries: int
    level: float


def _check_canaries(canaries: Sequence[Any], method: str) -> None:
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
        if method == "exact":
            check_size(canary)


def _expose_format(options: _Options, canaries: Sequence[Canary]) -> Exposure:
    """Expose canaries of one prefix and format."""
    pattern, texts = canaries[0], [canary.completion or "" for canary in canaries]
    level = options.level
    if options.method in ("sampled", "skew_normal"):
        bits, references = _reference_bits(options, pattern, texts)
        size = pattern.space_size
        return estimate_from_references(bits, references, size, method=options.method, level=level)
    ranks = find_ranks(
        options.model,
        pattern,
        texts,
        method=_RANK_METHODS.get(options.method, "auto"),
        max_queries=options.max_queries,
        samples=options.references,
        seed=options.seed,
        level=level,
    )
    exposure = exposure_of_ranks(ranks, level=level)
    if options.method == "model_sampled":
        return model_sampled_only(exposure)
    if options.method != "auto" or np.isin(ranks.method, ("search", "enumeration")).all():
        return exposure
    bits, references = _reference_bits(options, pattern, texts)
    return best_estimate(ranks, bits, references, level=level)


def _reference_bits(options: _Options, canary: Canary, texts: Sequence[str]) -> tuple[Array, Array]:
    """Bits of the canaries and of candidates drawn uniformly from the rest of the space."""
    others = canary.space_size - len(set(texts))
    if not others:
        raise InvalidInput(
            f"canaries must leave candidates of their format to compare with; all"
            f' {canary.space_size} of them are canaries: use method="exact"'
        )
    generator = seeds.generator(options.seed, seeds.Purpose.REFERENCE)
    n = min(options.references, others)
    drawn = canary.format.sample(n, generator, without=set(texts))
    bits = candidate_bits(options.model, canary, [*texts, *drawn])
    return bits[: len(texts)], bits[len(texts) :]
