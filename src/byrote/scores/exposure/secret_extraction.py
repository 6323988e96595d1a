"""What a search of a model for the secrets of a run reached; its file holds no secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.attacks.extraction import Extraction
from byrote.attacks.ranks import Ranks
from byrote.columnar import Columnar, Columns, PlainData

_RANKS = ("bits", "rank", "low", "high", "method", "least", "most")  # columns
_COMPLETED = "completed: "  # start of the columns of greedy completions


@dataclass(frozen=True)
class RecognisedSecret(PlainData):
    """An extracted completion that is a canary of the run.

    Its place from 1, the canary's name, and its number of insertions in the fit's text.
    """

    place: int
    id: str
    inserted: int


@dataclass(frozen=True)
class SearchBudget(PlainData):
    """Limits of a search; see ``byrote.extract``."""

    batch_size: int = 256
    max_queries: int = 50_000
    max_frontier: int = 1_000_000
    top: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            checks.integer(name, value, at_least=1)


@dataclass(frozen=True, eq=False, repr=False)
class PatternExtraction:
    """Completions extracted for one pattern, and the ranks of c of its canaries.

    Attributes
    ----------
    pattern
        Its text.
    extraction
        The most likely completions.
    recognised
        Which of them are secrets of the run.
    planted
        Number of canaries of the pattern in the fit's text, ranked or not.
    ids, inserted
        (c,) names of canaries, and their number of insertions in the fit's text.
    ranks
        Their ranks among all completions, exact as far as the same search went; None if no canary
        is ranked.
    completed
        (c, L) share of the characters of the secret after the first 0 to L - 1, which are given,
        that greedy completion gets right, in their places; NaN beyond the secret's length.
    """

    pattern: str
    extraction: Extraction
    recognised: tuple[RecognisedSecret, ...]
    planted: int
    ids: NDArray[Any]
    inserted: NDArray[np.int64]
    ranks: Ranks | None
    completed: NDArray[np.float64]

    def __repr__(self) -> str:  # no secret in notebooks and tracebacks
        return f"PatternExtraction({self.pattern!r}, {self.extraction!r})"


@dataclass(frozen=True, eq=False, repr=False)
class SecretExtraction(Columnar):
    """The most likely secrets of a model, by pattern, and the ranks of c canaries of the run.

    Attributes
    ----------
    ids
        (c,) names of the canaries that were ranked, by pattern.
    patterns
        The search of each pattern. Completions that come from a file are masked.
    fit
        Number of the fit whose model was searched.
    planted
        Number of canaries in its text, of all patterns, searched or not.
    budget
        Limits of each search.
    description
        Of the run, its ``run_id``.
    """

    FORMAT = "byrote-secret-extraction-1"
    CONTENT = "extraction of secrets"

    patterns: tuple[PatternExtraction, ...]
    fit: int
    planted: int
    budget: SearchBudget
    description: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:  # no secret in notebooks and tracebacks
        return f"SecretExtraction({len(self.extracted)} of {self.searched} secrets, fit {self.fit})"

    @property
    def extracted(self) -> tuple[RecognisedSecret, ...]:
        """Inserted canaries of the run among the completions found."""
        return tuple(s for pattern in self.patterns for s in pattern.recognised if s.inserted)

    @property
    def searched(self) -> int:
        """Number of inserted canaries of the patterns that were searched."""
        return sum(pattern.planted for pattern in self.patterns)

    @property
    def uncertified(self) -> int:
        """Number of patterns whose search ended before it was certain of what it had found."""
        searches = [pattern.extraction for pattern in self.patterns]
        return sum(each.certified_count < max(len(each.completions), 1) for each in searches)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the canaries by column.

        "pattern" is the number of the pattern, "place" that among the completions found, or 0;
        "completed: 3" the share completed after three characters, and the others as in ``Ranks``.
        """
        sizes = [len(pattern.ids) for pattern in self.patterns]
        places = {secret.id: secret.place for p in self.patterns for secret in p.recognised}
        ranked = [pattern.ranks for pattern in self.patterns if pattern.ranks is not None]
        longest = max(pattern.completed.shape[1] for pattern in self.patterns)
        completed = np.concatenate([_widened(p.completed, longest) for p in self.patterns])
        return {
            "id": self.ids,
            "pattern": np.repeat(np.arange(len(sizes)), sizes),
            "inserted": np.concatenate([pattern.inserted for pattern in self.patterns]),
            "place": np.array([places.get(str(name), 0) for name in self.ids], np.int64),
            **{name: _joined([getattr(ranks, name) for ranks in ranked]) for name in _RANKS},
            **{f"{_COMPLETED}{given}": completed[:, given] for given in range(longest)},
        }

    def facts(self) -> dict[str, Any]:
        """Return what is not a column, as plain data without completions."""
        return {
            "fit": self.fit,
            "planted": self.planted,
            "budget": self.budget.to_dict(),
            "patterns": [_facts_of(pattern) for pattern in self.patterns],
            "description": dict(self.description),
        }

    @classmethod
    def from_columns(cls, columns: Columns, facts: Mapping[str, Any]) -> Self:
        """Make a result from what ``columns`` and ``facts`` return; completions are masked."""
        return cls(
            columns["id"],
            tuple(_patterns(columns, facts["patterns"])),
            facts["fit"],
            facts["planted"],
            SearchBudget(**facts["budget"]),
            facts["description"],
        )


def _joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(columns) if columns else np.empty(0)


def _widened(completed: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    missing = width - completed.shape[1]
    return np.pad(completed, ((0, 0), (0, missing)), constant_values=np.nan)


def _facts_of(pattern: PatternExtraction) -> dict[str, Any]:
    found, ranks = pattern.extraction, pattern.ranks
    return {
        "pattern": pattern.pattern,
        "bits": [bits for _, bits in found.completions],
        "certified_count": found.certified_count,
        "queries": found.queries,
        "size": found.size,
        "masked": found.masked,
        "recognised": [secret.to_dict() for secret in pattern.recognised],
        "planted": pattern.planted,
        "rank_queries": found.rank_queries if ranks is None else ranks.queries,
    }


def _patterns(columns: Columns, searches: list[Mapping[str, Any]]) -> Iterator[PatternExtraction]:
    names = [name for name in columns if name.startswith(_COMPLETED)]
    completed = np.stack([columns[name] for name in names], axis=1) if names else None
    for number, search in enumerate(searches):
        rows = np.flatnonzero(columns["pattern"] == number)
        shares = np.empty((0, 0)) if completed is None else completed[rows]
        known = ~np.isnan(shares).all(axis=0)
        ranks = Ranks(
            **{name: columns[name][rows] for name in _RANKS},
            queries=search["rank_queries"],
            size=search["size"],
        )
        yield PatternExtraction(
            search["pattern"],
            Extraction(
                completions=tuple((search["masked"], bits) for bits in search["bits"]),
                certified_count=search["certified_count"],
                queries=search["queries"],
                size=search["size"],
                masked=search["masked"],
                rank_queries=search["rank_queries"],
            ),
            tuple(RecognisedSecret(**secret) for secret in search["recognised"]),
            search["planted"],
            columns["id"][rows],
            columns["inserted"][rows],
            ranks if len(rows) else None,
            shares[:, known],
        )
