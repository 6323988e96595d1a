"""Training records of a run that come out in samples of a model that it keeps."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
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
from byrote.scores.neighbors.record_extraction import RecordExtraction
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate


def extract_records(
    run: Run,
    result: MemorizationResult,
    *,
    fit: int | None = None,
    samples: int | None = None,
    seed: int = 0,
    validation: Records | None = None,
    model: Any = None,
) -> RecordExtraction:
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
    extraction = RecordExtraction(
        ids=train.ids,
        samples=extracted.counts,
        distance=_nearest(extracted),
        score=np.full(len(train), np.nan),
        rate=extracted.rate,
        control=extracted.control,
        inside=extracted.inside,
        threshold=extracted.threshold,
        ratio=by_ratio.rate,
        ratio_control=by_ratio.control,
        drawn=extracted.drawn,
        held_out=held_out,
        fit=fit,
        seed=seed,
        description={"run_id": run.manifest.run_id},
    )
    return extraction.beside(result)


def _nearest(extracted: ExtractedRecords) -> NDArray[np.float64]:
    """Return the smallest distance of a sample to each record that is nearest to one, (n,)."""
    nearest = np.full(len(extracted.counts), np.inf)
    np.minimum.at(nearest, extracted.record, extracted.distance)
    return np.where(np.isinf(nearest), np.nan, nearest)


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
