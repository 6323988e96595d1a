"""Secrets extracted from a model that a run keeps, and which of the run's canaries they are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.discoverable_extraction import greedy_completions
from byrote.attacks.extraction import extract_with_ranks
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput, did_you_mean
from byrote.runs.record_files import PlantedCanaries
from byrote.runs.run_folder import RunFolder
from byrote.scores.exposure.secret_extraction import (
    PatternExtraction,
    RecognisedSecret,
    SearchBudget,
    SecretExtraction,
)


def extract_from_run(
    run: RunFolder,
    model: Any,
    *,
    fit: int = 0,
    ids: Sequence[str] = (),
    prefix: str | None = None,
    budget: SearchBudget | None = None,
) -> SecretExtraction:
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
    budget = budget or SearchBudget()
    patterns = tuple(
        _extract_pattern(
            model,
            canaries,
            included,
            int(number),
            rows[canaries.pattern[rows] == number],
            prefix,
            budget,
        )
        for number in numbers
    )
    return SecretExtraction(
        ids=np.concatenate([pattern.ids for pattern in patterns]),
        patterns=patterns,
        fit=fit,
        planted=int(np.count_nonzero(included)),
        budget=budget,
        description={"run_id": run.manifest.run_id},
    )


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
        planted=int(np.count_nonzero(included[of_pattern])),
        ids=canaries.ids[rows],
        inserted=included[rows],
        ranks=ranks if texts else None,
        completed=_complete(model, pattern, texts),
    )


def _tokens(model: Any, pattern: Canary, completion: str) -> tuple[int, ...]:
    """What the model reads: completions with the same tokens are the same."""
    return tuple(model.encode(pattern.prefix + completion))


def _complete(model: Any, pattern: Canary, texts: list[str]) -> NDArray[np.float64]:
    """Complete each secret greedily from every number of given characters."""
    longest = max(map(len, texts), default=0)
    shares = np.full((len(texts), longest), np.nan)
    for row, text in enumerate(texts):
        canary = pattern.with_secret(pattern.secrets_in(text))
        for completion in greedy_completions(model, canary):
            left, completed = text[completion.prefix :], completion.text[completion.prefix :]
            right = sum(a == b for a, b in zip(left, completed, strict=False))
            shares[row, completion.prefix] = right / len(left)
    return shares


def with_prefix(pattern: Canary, prefix: str) -> Canary:
    """Put another text before the slots of a pattern.

    Examples
    --------
    >>> with_prefix(Canary("my pin is {digits:4}!"), "{her} pin is ").text
    '{{her}} pin is {digits:4}!'
    """
    old, new = (text.replace("{", "{{").replace("}", "}}") for text in (pattern.prefix, prefix))
    return replace(pattern, text=new + pattern.text.removeprefix(old))
