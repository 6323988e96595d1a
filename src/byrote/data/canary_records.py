"""Canaries and reference candidates as the records of a run, with the training text."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.data.canaries import Canary
from byrote.data.canaries.format import MAX_SAMPLE
from byrote.data.corpus import Corpus
from byrote.errors import InvalidInput


@dataclass(frozen=True)
class Measurement:
    """How exposure is measured within each fit; part of a run's identity.

    Attributes
    ----------
    references
        Number of random candidates per pattern, which are in no training set.
    method
        How ranks are computed in the model, as in ``byrote.expose``; "none": from the references.
    max_queries
        Maximum number of prefixes that one search evaluates; one search serves all canaries of a
        pattern.
    """

    references: int = 5000
    method: str = "auto"
    max_queries: int = 20_000

    def __post_init__(self) -> None:
        methods = ("auto", "search", "exact", "model_sampled", "none")
        references = checks.integer("references", self.references, at_least=1, at_most=MAX_SAMPLE)
        for name, value in (
            ("references", references),
            ("method", checks.choice("method", self.method, methods)),
            ("max_queries", checks.integer("max_queries", self.max_queries, at_least=1)),
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False, repr=False)
class CanaryRecords:
    """Records of an exposure run: canaries first, then the reference candidates of each pattern.

    Attributes
    ----------
    corpus, held_out
        The training text that canaries are inserted into, and the test text or None.
    patterns
        The distinct patterns, as canaries without a secret.
    pattern
        (n,) index of each record's pattern.
    completions
        (n,) strings after the pattern's prefix.
    canaries
        Number of canaries among the records, controls included.
    ids
        (n,) names, which contain no secret. A control is a canary that a fit does not insert.

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
        """(n,) index of each record's pattern."""
        return self.pattern

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record: texts have shape ()."""
        return ()

    @property
    def source(self) -> str:
        """Source of the text."""
        return self.corpus.source

    @property
    def options(self) -> Mapping[str, str]:
        """Options that the text was loaded with."""
        return self.corpus.options

    @property
    def places(self) -> int:
        """Number of lines before which a canary can be inserted."""
        return self.corpus.places

    @cached_property
    def x(self) -> NDArray[np.uint8]:
        """All that a fit needs, as bytes of JSON: an array can be shared between workers."""
        content = {
            "documents": self.corpus.documents,
            "held_out": self.held_out.documents if self.held_out else [],
            "patterns": [pattern_spec(pattern) for pattern in self.patterns],
            "pattern": self.pattern.tolist(),
            "completions": self.completions,
            "canaries": self.canaries,
            "measurement": vars(self.measurement),
        }
        return np.frombuffer(json.dumps(content, ensure_ascii=False).encode(), dtype=np.uint8)

    @property
    def order(self) -> None:
        """None: plans number the canaries as they come."""
        return None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that determines a run's numbers."""
        return hashlib.sha256(self.x.data).hexdigest()


def pattern_spec(pattern: Canary) -> dict[str, Any]:
    """Return the arguments of ``Canary``, without the secret, for JSON."""
    words = None if pattern.words is None else {k: list(v) for k, v in pattern.words.items()}
    options = {"alphabet": pattern.alphabet, "length": pattern.length, "words": words}
    return {"text": pattern.text, **{name: v for name, v in options.items() if v is not None}}


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
    """Draw the secrets and the reference candidates of each pattern.

    There are ``per_level`` canaries of each pattern at each insertion level, and ``controls`` that
    are never inserted. Secrets and candidates of one pattern are one sample without replacement, so
    all differ. A pattern with a given secret keeps it for one additional canary; these come first.
    """
    _check_distinct(patterns)
    measurement = measurement or Measurement()
    group_sizes = [*per_level, controls]
    samples = [
        _sample(pattern, number, sum(group_sizes), measurement.references, seed)
        for number, pattern in enumerate(patterns)
    ]
    given = [(k, p.completion) for k, p in enumerate(patterns) if p.completion is not None]
    canaries = [*given, *_by_group([secrets for secrets, _ in samples], group_sizes)]
    references = [(k, text) for k, (_, candidates) in enumerate(samples) for text in candidates]
    rows = [*canaries, *references]
    return CanaryRecords(
        corpus=corpus,
        held_out=held_out,
        patterns=tuple(pattern.with_secret(None) for pattern in patterns),
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


def _by_group(
    secrets: Sequence[Sequence[str]], group_sizes: Sequence[int]
) -> list[tuple[int, str]]:
    """Return each pattern's secrets, group by group, as (index of the pattern, completion)."""
    starts = accumulate(group_sizes, initial=0)
    return [
        (k, completion)
        for start, size in zip(starts, group_sizes, strict=False)
        for k, of_pattern in enumerate(secrets)
        for completion in of_pattern[start : start + size]
    ]


def _sample(
    pattern: Canary, number: int, secrets: int, references: int, seed: int
) -> tuple[list[str], list[str]]:
    """Draw completions for a pattern's canaries, and others as its references.

    A small format yields fewer references: all that are left.
    """
    given = [] if pattern.completion is None else [pattern.completion]
    available = pattern.space_size - len(given) - secrets
    if available < 1:
        raise InvalidInput(
            "canaries must leave completions for the references: the pattern has"
            f" {pattern.space_size} completions; got {len(given) + secrets} canaries"
        )
    generator = seeds.generator(seed, seeds.Purpose.SECRET, number)
    sample = pattern.format.sample(secrets + min(references, available), generator, without=given)
    return sample[:secrets], sample[secrets:]


def _names(role: str, count: int) -> list[str]:
    """Number the names, zero-padded so that they sort."""
    width = len(str(count - 1))
    return [f"{role}-{number:0{width}d}" for number in range(count)]
