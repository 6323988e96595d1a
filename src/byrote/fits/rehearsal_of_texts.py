"""A rehearsal of an exposure run: does the model take such a text and such canaries at all?"""

import traceback
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from byrote.data.canary_records import CanaryRecords, Measurement
from byrote.data.corpus import Corpus
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.fits.job import Job, Task
from byrote.fits.sharing import InMemory
from byrote.fits.surroundings import controlled
from byrote.fits.texts import TextContent
from byrote.fits.worker import fit_and_score
from byrote.models import contract
from byrote.models.weights import BadWeights, with_weights

if TYPE_CHECKING:
    from byrote.fits.request import Settings

_CHARACTERS = 8192  # of the text, on which the model is trained first
_MOST = 1 << 17  # characters that a model may ask for before it is refused
_FEW = 4


def rehearse_texts(
    model: Any, records: CanaryRecords, settings: "Settings", *, keep: bool = False
) -> int:
    """Train on the beginning of the text and score a few candidates; returns how much it took.

    A model that finds the beginning too short gets four times as much, twice. The beginning
    comes with a line of all characters that occur, so that a vocabulary made from it is the run's.

    Raises
    ------
    InvalidInput
        If the model refuses its parameters, the text or the canaries.
    """
    size = _CHARACTERS
    while True:
        part = beginning(records, size)
        try:
            with controlled(settings.seed % 2**32, settings.threads, needs_torch=False):
                _try(quick(model), part, settings, keep)
            return min(size, records.corpus.characters)
        except (Exception, SystemExit) as error:  # a stranger's model may raise anything
            if size >= min(_MOST, records.corpus.characters):
                raise InvalidInput(_sentence(model, error, settings.debug)) from None
        size *= 4


def _try(model: Any, records: CanaryRecords, settings: "Settings", keep: bool) -> None:
    task = Task(
        model,
        InMemory(records.x),
        settings.threads,
        track=(1,) if contract.takes_on_epoch(model) else (),
        content=TextContent,
    )
    nothing = np.empty(0, dtype=np.uint32)
    job = Job(0, len(records), nothing, None, 0, 0, 0, copies=nothing, keep_weights=keep)
    job = replace(job, held_out=np.arange(len(records), dtype=np.uint32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again with the fits
        outcome = fit_and_score(task, job)
    if outcome.weights is not None:
        with_weights(contract.seeded_clone(model, training=0, noise=0), outcome.weights)


def quick(model: Any) -> Any:
    """The model with one epoch, where it has such a parameter."""
    return clone(model).set_params(epochs=1) if epochs_of(model) > 1 else model


def epochs_of(model: Any) -> int:
    """How often the model reads the text, whatever its reports are; 1 if it does not say."""
    value = model.get_params(deep=False).get("epochs")
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else 1


def beginning(records: CanaryRecords, size: int) -> CanaryRecords:
    """Few candidates of each pattern, and the first characters of the text.

    Of each text there is also a line of all its characters; candidates are few, but together they
    have all characters that any has.
    """
    rows = [_few(records, k) for k in range(len(records.patterns))]
    chosen = np.concatenate(rows)
    held_out = records.held_out
    return replace(
        records,
        corpus=_part(records.corpus, size),
        held_out=None if held_out is None else _part(held_out, _CHARACTERS),
        pattern=records.pattern[chosen],
        completions=tuple(records.completions[row] for row in chosen),
        canaries=1,
        ids=records.ids[chosen],
        measurement=Measurement(references=1, method="search", max_queries=_FEW),
    )


def _few(records: CanaryRecords, pattern: int) -> NDArray[np.intp]:
    """The last rows of a pattern, and each that has a character which those before it lack."""
    rows = np.flatnonzero(records.pattern == pattern)
    chosen, seen = list(rows[-_FEW:]), set[str]()
    for row in rows[::-1]:
        if not seen.issuperset(records.completions[row]):
            seen.update(records.completions[row])
            chosen.append(row)
    return np.unique(chosen)


def _part(corpus: Corpus, size: int) -> Corpus:
    """The first characters of a text, and all that occur in it."""
    kept = list(_first(corpus.documents, size))
    if size < corpus.characters:
        kept.append("".join(sorted(set().union(*corpus.documents))) + "\n")
    return Corpus(tuple(kept))


def _first(documents: Iterable[str], size: int) -> Iterable[str]:
    for document in documents:
        if size <= 0:
            return
        yield document[:size]
        size -= len(document)


def _sentence(model: Any, error: BaseException, show: bool) -> str:
    name = type(model).__name__
    if show or isinstance(error, BadWeights | InvalidInput | TrainingDiverged):
        return f"model: {name} refuses the text or the canaries: {' '.join(str(error).split())}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"model: {name} refuses the text or the canaries: {type(error).__name__} at"
        f" {Path(last.filename).name}:{last.lineno} (its text may quote them; --debug shows it)"
    )
