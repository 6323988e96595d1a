"""Trial fits: the beginning of a text with a few of its canaries, and a model with one epoch."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.canary_records import CanaryRecords, Measurement
from byrote.data.corpus import Corpus

FIRST = 8192  # characters, to begin with
_FEW = 4


def beginning(records: CanaryRecords, size: int) -> CanaryRecords:
    """Take the first characters of the text, and a few candidates of each pattern.

    Each text ends with a line of all its characters, so that a vocabulary made from it is the
    run's; the candidates together have all characters that any has.
    """
    rows = np.concatenate([_few(records, k) for k in range(len(records.patterns))])
    held_out = records.held_out
    return replace(
        records,
        corpus=_part(records.corpus, size),
        held_out=None if held_out is None else _part(held_out, FIRST),
        pattern=records.pattern[rows],
        completions=tuple(records.completions[row] for row in rows),
        canaries=1,
        ids=records.ids[rows],
        measurement=Measurement(references=1, method="search", max_queries=_FEW),
    )


def _few(records: CanaryRecords, pattern: int) -> NDArray[np.intp]:
    """Take the last rows of a pattern, and each with a character that those before it lack."""
    rows = np.flatnonzero(records.pattern == pattern)
    few, characters = list(rows[-_FEW:]), set[str]()
    for row in rows[::-1]:
        if not characters.issuperset(records.completions[row]):
            characters.update(records.completions[row])
            few.append(row)
    return np.unique(few)


def _part(corpus: Corpus, size: int) -> Corpus:
    documents = list(_first(corpus.documents, size))
    if size < corpus.characters:
        documents.append("".join(sorted(set().union(*corpus.documents))) + "\n")
    return Corpus(tuple(documents))


def _first(documents: Iterable[str], size: int) -> Iterable[str]:
    for document in documents:
        if size <= 0:
            return
        yield document[:size]
        size -= len(document)


def quick(model: Any) -> Any:
    """Return the model with one epoch, where it has such a parameter."""
    from sklearn.base import clone  # noqa: PLC0415 (slow to load)

    return clone(model).set_params(epochs=1) if epochs_of(model) > 1 else model


def epochs_of(model: Any) -> int:
    """Return how often the model reads the text, whatever its reports are; 1 if unknown."""
    value = model.get_params(deep=False).get("epochs")
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else 1
