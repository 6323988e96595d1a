"""Secrets extracted from a model that a run keeps, and which of the run's canaries they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.discoverable_extraction import greedy_completions
from byrote.attacks.extraction import Extraction, extract_with_ranks
from byrote.attacks.ranks import Ranks
from byrote.data.canaries import Canary
from byrote.display import Displayed
from byrote.errors import InvalidInput, did_you_mean
from byrote.runs.record_files import PlantedCanaries
from byrote.runs.run_folder import RunFolder


@dataclass(frozen=True)
class RecognisedSecret:
    """An extracted completion that is a canary of the run.

    Its place from 1, the canary's name, and its number of insertions in the fit's text.
    """

    place: int
    id: str
    inserted: int


@dataclass(frozen=True, eq=False, repr=False)
class PatternExtraction(Displayed):
    """Completions extracted for one pattern, and the ranks of c of its canaries.

    Attributes
    ----------
    pattern
        Its text.
    extraction
        The most likely completions.
    recognised
        Which of them are secrets of the run.
    ids, inserted
        (c,) names of canaries, and their number of insertions in the fit's text.
    ranks
        Their ranks among all completions, exact as far as the same search went; None if no canary
        is ranked.
    given
        (L,) number of leading characters of the secret that are given, from 0.
    completed
        (c, L) share of the other characters that greedy completion gets right, in their places;
        NaN beyond the secret's length.
    """

    pattern: str
    extraction: Extraction
    recognised: tuple[RecognisedSecret, ...]
    ids: NDArray[Any]
    inserted: NDArray[np.int64]
    ranks: Ranks | None
    given: NDArray[np.int64]
    completed: NDArray[np.float64]

    def __repr__(self) -> str:  # no secret in notebooks and tracebacks
        return f"PatternExtraction({self.pattern!r}, {self.extraction!r})"


@dataclass(frozen=True)
class SearchBudget:
    """Limits of a search; see ``byrote.extract``."""

    batch_size: int = 256
    max_queries: int = 50_000
    max_frontier: int = 1_000_000
    top: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            checks.integer(name, value, at_least=1)


def extract_from_run(
    run: RunFolder,
    model: Any,
    *,
    fit: int = 0,
    ids: Sequence[str] = (),
    prefix: str | None = None,
    budget: SearchBudget | None = None,
) -> list[PatternExtraction]:
    """Search a fitted model of an exposure run for the most likely secret of each pattern.

    Parameters
    ----------
    model
        The model of the fit.
    fit
        Number of the fit, which determines how often each canary was inserted.
    ids
        Names of canaries: search only their patterns, rank and complete only them (default: all
        patterns, and all canaries that the fit trained on).
    prefix
        Text before the secret in place of the patterns' prefixes; "" for none.

    Raises
    ------
    InvalidInput
        If the run has no canaries, a name is unknown, or the model's vocabulary lacks a character.
    """
    canaries = run.canaries
    included = run.design.included(fit)[: len(canaries)].astype(np.int64)
    rows = _rows(canaries, included, ids)
    numbers = np.unique(canaries.pattern[rows]) if ids else np.arange(len(canaries.patterns))
    return [
        _extract_pattern(
            model,
            canaries,
            included,
            int(number),
            rows[canaries.pattern[rows] == number],
            prefix,
            budget or SearchBudget(),
        )
        for number in numbers
    ]


def _rows(
    canaries: PlantedCanaries, included: NDArray[np.int64], ids: Sequence[str]
) -> NDArray[np.intp]:
    if not ids:
        return np.flatnonzero(included)
    names = [str(name) for name in canaries.ids]
    for name in ids:
        if name not in names:
            raise InvalidInput(
                f"canary must be one of the run's, {names[0]} to {names[-1]}; got {name!r}"
                f"{did_you_mean(name, names)}"
            )
    return np.array(sorted({names.index(name) for name in ids}))


def _extract_pattern(
    model: Any,
    canaries: PlantedCanaries,
    included: NDArray[np.int64],
    number: int,
    rows: NDArray[np.intp],
    prefix: str | None,
    budget: SearchBudget,
) -> PatternExtraction:
    pattern = canaries.patterns[number]
    pattern = pattern if prefix is None else with_prefix(pattern, prefix)
    texts = [canaries.completions[row] for row in rows]
    extraction, ranks = extract_with_ranks(model, pattern, texts, **vars(budget))
    of_pattern = np.flatnonzero(canaries.pattern == number)
    secrets = {_tokens(model, pattern, canaries.completions[row]): row for row in of_pattern}
    extracted = [_tokens(model, pattern, text) for text, _ in extraction.completions]
    given, completed = _complete(model, pattern, texts)
    return PatternExtraction(
        pattern=pattern.text,
        extraction=extraction,
        recognised=tuple(
            RecognisedSecret(
                place, str(canaries.ids[secrets[tokens]]), int(included[secrets[tokens]])
            )
            for place, tokens in enumerate(extracted, start=1)
            if tokens in secrets
        ),
        ids=canaries.ids[rows],
        inserted=included[rows],
        ranks=ranks if texts else None,
        given=given,
        completed=completed,
    )


def _tokens(model: Any, pattern: Canary, completion: str) -> tuple[int, ...]:
    """What the model reads: completions with the same tokens are the same."""
    return tuple(model.encode(pattern.prefix + completion))


def _complete(
    model: Any, pattern: Canary, texts: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Complete each secret greedily from every number of given characters."""
    longest = max(map(len, texts), default=0)
    shares = np.full((len(texts), longest), np.nan)
    for row, text in enumerate(texts):
        canary = pattern.with_secret(pattern.secrets_in(text))
        for completion in greedy_completions(model, canary):
            left, completed = text[completion.prefix :], completion.text[completion.prefix :]
            right = sum(a == b for a, b in zip(left, completed, strict=False))
            shares[row, completion.prefix] = right / len(left)
    return np.arange(longest), shares


def with_prefix(pattern: Canary, prefix: str) -> Canary:
    """Put another text before the slots of a pattern.

    Examples
    --------
    >>> with_prefix(Canary("my pin is {digits:4}!"), "{her} pin is ").text
    '{{her}} pin is {digits:4}!'
    """
    old, new = (text.replace("{", "{{").replace("}", "}}") for text in (pattern.prefix, prefix))
    return replace(pattern, text=new + pattern.text.removeprefix(old))
