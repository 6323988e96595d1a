"""Secrets taken out of a model that a run keeps, and which of the planted ones they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.discoverable_extraction import greedy_completions
from byrote.attacks.extraction import Extraction, extract
from byrote.attacks.ranks import Ranks, find_ranks
from byrote.data.canaries import Canary
from byrote.errors import InvalidInput, did_you_mean
from byrote.fits.canary_file import PlantedCanaries
from byrote.fits.run_folder import RunFolder


@dataclass(frozen=True)
class Recognised:
    """A completion found that is a planted one.

    Its place from 1, the canary's name, how often it is in the fit's text.
    """

    place: int
    id: str
    inserted: int


@dataclass(frozen=True, eq=False, repr=False)
class PatternExtraction:
    """What was taken out by one pattern, and where c canaries of it stand.

    Attributes
    ----------
    pattern
        Its text.
    extraction
        The likeliest completions.
    recognised
        Which of them are planted secrets.
    ids, inserted
        (c,) names of canaries, and how often each is in the fit's text.
    ranks
        Theirs among all completions, exact where the search came so far.
    given
        (L,) characters of the secret handed over, from 0.
    completed
        (c, L) share of the other characters that greedy completion gets right, in their places;
        NaN where a secret has no more.
    """

    pattern: str
    extraction: Extraction
    recognised: tuple[Recognised, ...]
    ids: NDArray[Any]
    inserted: NDArray[np.int64]
    ranks: Ranks | None
    given: NDArray[np.int64]
    completed: NDArray[np.float64]

    def __repr__(self) -> str:  # no secret in notebooks and tracebacks
        return f"PatternExtraction({self.pattern!r}, {self.extraction!r})"


@dataclass(frozen=True)
class Budget:
    """How far searches go: see ``byrote.extract``."""

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
    budget: Budget | None = None,
) -> list[PatternExtraction]:
    """Search a fitted model of an exposure run for the likeliest secret of each pattern.

    Parameters
    ----------
    model
        The model of the fit.
    fit
        Which one it is, which says how often each canary was inserted.
    ids
        Names of canaries: only their patterns are searched, and only they are ranked and completed.
        If none is given, all patterns and all canaries that the fit trained on.
    prefix
        Another text before the secret than the patterns' own; "" for none.

    Raises
    ------
    InvalidInput
        If it is no exposure run, a name is unknown, or the model's vocabulary lacks a character.
    """
    planted = run.canaries
    included = run.design.included(fit)[: len(planted)].astype(np.int64)
    asked = _asked(planted, included, ids)
    patterns = np.unique(planted.pattern[asked]) if ids else np.arange(len(planted.patterns))
    return [
        _of_pattern(model, planted, included, int(k), asked, prefix, budget or Budget())
        for k in patterns
    ]


def _asked(
    planted: PlantedCanaries, included: NDArray[np.int64], ids: Sequence[str]
) -> NDArray[np.intp]:
    if not ids:
        return np.flatnonzero(included)
    names = [str(name) for name in planted.ids]
    for name in ids:
        if name not in names:
            raise InvalidInput(
                f"canary must be one of the run's, {names[0]} to {names[-1]}; got {name!r}"
                f"{did_you_mean(name, names)}"
            )
    return np.array(sorted({names.index(name) for name in ids}))


def _of_pattern(
    model: Any,
    planted: PlantedCanaries,
    included: NDArray[np.int64],
    number: int,
    asked: NDArray[np.intp],
    prefix: str | None,
    budget: Budget,
) -> PatternExtraction:
    pattern = planted.patterns[number]
    searched = pattern if prefix is None else with_prefix(pattern, prefix)
    found = extract(model, searched, **vars(budget))
    of_pattern = np.flatnonzero(planted.pattern == number)
    places = {_tokens(model, searched, planted.completions[row]): row for row in of_pattern}
    met = [_tokens(model, searched, text) for text, _ in found.found]
    rows = asked[planted.pattern[asked] == number]
    texts = [planted.completions[row] for row in rows]
    given, completed = _completed(model, searched, texts)
    return PatternExtraction(
        pattern=searched.text,
        extraction=found,
        recognised=tuple(
            Recognised(place, str(planted.ids[places[tokens]]), int(included[places[tokens]]))
            for place, tokens in enumerate(met, start=1)
            if tokens in places
        ),
        ids=planted.ids[rows],
        inserted=included[rows],
        ranks=_ranks(model, searched, texts, budget),
        given=given,
        completed=completed,
    )


def _tokens(model: Any, pattern: Canary, completion: str) -> tuple[int, ...]:
    """What the model reads: completions that its tokenizer writes alike are one."""
    return tuple(model.encode(pattern.prefix + completion))


def _ranks(model: Any, pattern: Canary, texts: list[str], budget: Budget) -> Ranks | None:
    if not texts:
        return None
    options = {name: value for name, value in vars(budget).items() if name != "top"}
    return find_ranks(model, pattern, texts, method="search", **options)


def _completed(
    model: Any, pattern: Canary, texts: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Lengths handed over, and shares of what follows that greedy completion gets right."""
    longest = max(map(len, texts), default=0)
    shares = np.full((len(texts), longest), np.nan)
    for row, own in enumerate(texts):
        secrets = pattern.secrets_in(own)
        canary = pattern.with_secret(secrets[0] if len(secrets) == 1 else secrets)
        for done in greedy_completions(model, canary):
            left, made = own[done.given :], done.text[done.given :]
            right = sum(a == b for a, b in zip(left, made, strict=False))
            shares[row, done.given] = right / len(left)
    return np.arange(longest), shares


def with_prefix(pattern: Canary, prefix: str) -> Canary:
    """The same slots after another text.

    Examples
    --------
    >>> with_prefix(Canary("my pin is {digits:4}!"), "{her} pin is ").text
    '{{her}} pin is {digits:4}!'
    """
    old, new = (text.replace("{", "{{").replace("}", "}}") for text in (pattern.prefix, prefix))
    return replace(pattern, text=new + pattern.text.removeprefix(old))
