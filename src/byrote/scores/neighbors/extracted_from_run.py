"""Training records of a run that come out in samples of a model that it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.columnar import Tabular
from byrote.data.records import Records
from byrote.data.text_records import as_arrays
from byrote.errors import InvalidInput
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.neighbors.extracted_records import (
    NEIGHBORS,
    ExtractedRecords,
    extracted_records,
    memorization_ratio,
)
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExtractionFromRun(Tabular):
    """Which of the n records that a kept model trained on its samples reproduce.

    Attributes
    ----------
    ids, score
        (n,) ids of these records, and their memorization scores M; NaN for those not scored.
    extracted
        The records that come out, the rate with its control, and how many would.
    by_ratio
        The same by the ratio of distances, as ``memorization_ratio`` counts.
    held_out
        Number of records of the control; 0 without.
    """

    ids: NDArray[Any]
    score: Array
    extracted: ExtractedRecords
    by_ratio: ExtractedRecords
    held_out: int

    def columns(self) -> Mapping[str, NDArray[Any]]:
        """Return the columns by name.

        "samples" is the number of samples that reproduce the record, "distance" the smallest
        adaptive distance of the samples to which no other record is nearer; NaN without any.
        """
        nearest = np.full(len(self.ids), np.inf)
        np.minimum.at(nearest, self.extracted.record, self.extracted.distance)
        return {
            "id": self.ids,
            "samples": self.extracted.counts,
            "distance": np.where(np.isinf(nearest), np.nan, nearest),
            "score": self.score,
        }


def extract_records(
    run: Run,
    result: MemorizationResult,
    *,
    fit: int | None = None,
    samples: int | None = None,
    seed: int = 0,
    validation: Records | None = None,
    model: Any = None,
) -> ExtractionFromRun:
    """Find the training records that samples of a kept model reproduce.

    Parameters
    ----------
    run, result
        A run of records other than texts, and its memorization scores.
    fit
        Fit whose model is sampled (default: the release model, trained on all records).
    samples
        Number of samples (default: that of the training records).
    seed
        Seed of the samples.
    validation
        Records for the control (default: those that the fit held out).
    model
        An unfitted model of a class of your own, as for ``Run.model``.

    Raises
    ------
    InvalidInput
        If an argument is invalid, the run does not keep the model, or there are too few records.
    """
    records, trained = as_arrays(run.records), _trained_on(run, fit)
    train, control = records.take(np.flatnonzero(trained)), validation
    if control is None and fit is not None:
        control = records.take(np.flatnonzero(~trained))
    held_out = 0 if control is None else len(control)
    _check_counts(len(train), held_out if validation is not None else NEIGHBORS)
    drawn = run.sample(len(train) if samples is None else samples, seed=seed, fit=fit, model=model)
    enough = held_out >= NEIGHBORS
    extracted, by_ratio = (
        measure(train, drawn, validation=control if enough else None)
        for measure in (extracted_records, memorization_ratio)
    )
    if not enough:
        unknown = Estimate(np.nan, reason=_why_no_control(fit, held_out))
        extracted, by_ratio = (replace(each, control=unknown) for each in (extracted, by_ratio))
        held_out = 0
    score_of = dict(zip(result.ids.tolist(), result.score.tolist(), strict=True))
    score = np.array([score_of.get(id_, np.nan) for id_ in train.ids.tolist()])
    return ExtractionFromRun(train.ids, score, extracted, by_ratio, held_out)


def _trained_on(run: Run, fit: int | None) -> NDArray[np.bool_]:
    """Return whether the model trained on each record of the run, (n,)."""
    if fit is None:
        return np.ones(run.design.n, dtype=bool)
    if checks.integer("fit", fit, at_least=0) >= run.design.fits:
        raise InvalidInput(f"fit must be below {run.design.fits}, the run's number; got {fit}")
    return run.design.trained_on(fit)


def _check_counts(train: int, validation: int) -> None:
    for name, count in (("the run's training", train), ("validation", validation)):
        if count < NEIGHBORS:
            raise InvalidInput(
                f"{name} records must be at least {NEIGHBORS}, whose distances say what is near;"
                f" got {count}"
            )


def _why_no_control(fit: int | None, held_out: int) -> str:
    if fit is None:
        return "the release model trained on all records (--validation gives others)"
    return f"fit {fit} held out {held_out} records, and {NEIGHBORS} are needed (--validation)"
