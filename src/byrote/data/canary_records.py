"""Canaries and reference candidates as the records of a run, with the text they are put into."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.data.canaries import Canary
from byrote.data.canaries.format import MOST_DRAWN
from byrote.data.corpus import Corpus
from byrote.errors import InvalidInput


@dataclass(frozen=True)
class Measurement:
    """How exposure is measured within each fit; part of what makes two runs the same.

    Attributes
    ----------
    references
        Candidates drawn at random for each pattern, which no fit sees.
    method
        How ranks are found in the model: as ``byrote.expose``; "none" leaves it to the references.
    max_queries
        Prefixes that one search may evaluate; one search serves all canaries of a pattern.
    """

    references: int = 5000
    method: str = "auto"
    max_queries: int = 20_000

    def __post_init__(self) -> None:
        methods = ("auto", "search", "exact", "model_sampled", "none")
        for name, value in (
            ("references", _references(self.references)),
            ("method", checks.choice("method", self.method, methods)),
            ("max_queries", checks.integer("max_queries", self.max_queries, at_least=1)),
        ):
            object.__setattr__(self, name, value)


def _references(value: Any) -> int:
    return checks.integer("references", value, at_least=1, at_most=MOST_DRAWN)


@dataclass(frozen=True, eq=False, repr=False)
class CanaryRecords:
    """Records of an exposure run: canaries first, then the reference candidates of each pattern.

    Attributes
    ----------
    corpus, held_out
        The text to train on, which canaries are put into, and the text to test on, or None.
    patterns
        The distinct patterns, as canaries without a secret.
    pattern
        (n,) the pattern of each record.
    completions
        (n,) what follows the pattern's prefix.
    canaries
        How many of the records are canaries, controls included.
    ids
        (n,) names, which hold no secret. A control is a canary too: one that a fit does not insert.

    Examples
    --------
    >>> corpus, pattern = Corpus(["one line"] * 50), Canary("code {digits:3}")
    >>> few = Measurement(references=10)
    >>> records = plant(corpus, [pattern], per_level=[2], controls=1, seed=0, measurement=few)
    >>> len(records), records.canaries
    (13, 3)
    >>> records.ids[[0, 2, 3]].tolist()
    ['canary-0', 'canary-2', 'reference-0']
    """

    corpus: Corpus
    patterns: tuple[Canary, ...]
    pattern: NDArray[np.int64]
    completions: tuple[str, ...]
    canaries: int
    ids: NDArray[np.str_]
    held_out: Corpus | None = None
    measurement: Measurement = field(default_factory=Measurement)

    def __len__(self) -> int:
        return len(self.completions)

    def __repr__(self) -> str:  # no secret in notebooks and tracebacks
        noun = "pattern" if len(self.patterns) == 1 else "patterns"
        return (
            f"CanaryRecords({self.canaries} canaries and {len(self) - self.canaries} reference"
            f" candidates of {len(self.patterns)} {noun}, {self.corpus!r})"
        )

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) the pattern of each record."""
        return self.pattern

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record: a text has none."""
        return ()

    @property
    def source(self) -> str:
        """Where the text came from."""
        return self.corpus.source

    @property
    def options(self) -> Mapping[str, str]:
        """How the text was loaded."""
        return self.corpus.options

    @property
    def places(self) -> int:
        """Before how many lines a canary can be put."""
        return self.corpus.places

    @cached_property
    def x(self) -> NDArray[np.uint8]:
        """Everything that a fit needs, as bytes of JSON: what workers share is an array."""
        content = {
            "documents": self.corpus.documents,
            "held_out": self.held_out.documents if self.held_out else [],
            "patterns": [spec(pattern) for pattern in self.patterns],
            "pattern": self.pattern.tolist(),
            "completions": self.completions,
            "canaries": self.canaries,
            "measurement": vars(self.measurement),
        }
        return np.frombuffer(json.dumps(content, ensure_ascii=False).encode(), dtype=np.uint8)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides the numbers of a run."""
        return hashlib.sha256(self.x.data).hexdigest()


def spec(pattern: Canary) -> dict[str, Any]:
    """A pattern as JSON can hold it: the arguments of ``Canary`` but for the secret."""
    words = None if pattern.words is None else {k: list(v) for k, v in pattern.words.items()}
    given = {"alphabet": pattern.alphabet, "length": pattern.length, "words": words}
    return {"text": pattern.text, **{name: v for name, v in given.items() if v is not None}}


def plant(
    corpus: Corpus,
    patterns: Sequence[Canary],
    *,
    per_level: Sequence[int],
    controls: int,
    seed: int,
    held_out: Corpus | None = None,
    measurement: Measurement | None = None,
) -> CanaryRecords:
    """Draw secrets for the canaries of each pattern, and the reference candidates beside them.

    Secrets and candidates of a pattern all differ: they are one draw without replacement. A pattern
    with a chosen secret keeps it for one canary more, which comes first.

    Parameters
    ----------
    per_level
        For each level of insertion, how many canaries there are of each pattern.
    controls
        How many canaries of each pattern are never inserted.

    Raises
    ------
    InvalidInput
        If a pattern has too few completions, or comes twice.
    """
    _check_distinct(patterns)
    measurement = measurement or Measurement()
    parts = [*per_level, controls]
    drawn = [
        _draw(pattern, number, sum(parts), measurement.references, seed)
        for number, pattern in enumerate(patterns)
    ]
    canaries = [*_chosen(patterns), *_dealt([secrets for secrets, _ in drawn], parts)]
    references = [(k, text) for k, (_, others) in enumerate(drawn) for text in others]
    rows = [*canaries, *references]
    return CanaryRecords(
        corpus=corpus,
        held_out=held_out,
        patterns=tuple(replace(pattern, secret=None) for pattern in patterns),
        pattern=np.array([k for k, _ in rows]),
        completions=tuple(text for _, text in rows),
        canaries=len(canaries),
        ids=np.array(_names("canary", len(canaries)) + _names("reference", len(references))),
        measurement=measurement,
    )


def _check_distinct(patterns: Sequence[Canary]) -> None:
    keys = [(pattern.prefix, pattern.format.key) for pattern in patterns]
    if not patterns or len(set(keys)) < len(keys):
        got = f"{len(keys) - len(set(keys))} that repeat an earlier one" if patterns else "none"
        raise InvalidInput(f"canaries must be of at least one pattern, each given once; got {got}")


def _chosen(patterns: Sequence[Canary]) -> list[tuple[int, str]]:
    """Number of the pattern and completion of each chosen secret."""
    found = enumerate(pattern.completion for pattern in patterns)
    return [(k, completion) for k, completion in found if completion is not None]


def _dealt(secrets: Sequence[Sequence[str]], parts: Sequence[int]) -> list[tuple[int, str]]:
    """Part by part, so many secrets of each pattern, with the pattern's number."""
    starts = accumulate(parts, initial=0)
    return [
        (k, text)
        for start, count in zip(starts, parts, strict=False)
        for k, own in enumerate(secrets)
        for text in own[start : start + count]
    ]


def _draw(
    pattern: Canary, number: int, secrets: int, references: int, seed: int
) -> tuple[list[str], list[str]]:
    """Completions for the canaries of a pattern, and others for its references.

    A space too small for as many references gives all that it has.
    """
    own = [] if pattern.completion is None else [pattern.completion]
    left = pattern.space_size - len(own) - secrets
    if left < 1:
        raise InvalidInput(
            f"canaries must leave candidates that are none of them: the pattern has"
            f" {pattern.space_size} completions; got {len(own) + secrets} canaries"
        )
    generator = seeds.generator(seed, seeds.Purpose.SECRET, number)
    found = pattern.format.sample(secrets + min(references, left), generator, without=own)
    return found[:secrets], found[secrets:]


def _names(role: str, count: int) -> list[str]:
    """A role and a number in it, wide enough to sort."""
    width = len(str(count - 1))
    return [f"{role}-{number:0{width}d}" for number in range(count)]
