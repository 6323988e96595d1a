"""One fit, start to end: a pure function of the task, the data and the job."""

import os
import time
import traceback
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.environment import environment, peak_memory
from byrote.fits.job import Failure, Job, Outcome, Task
from byrote.fits.paths import RELEASE
from byrote.fits.surroundings import controlled
from byrote.models import contract
from byrote.models.weights import BadWeights, weights_of


def run_job(task: Task, job: Job) -> Outcome:
    """Train a copy of the model on the job's rows and score the rows that count.

    An exception of the model is an outcome too, and so are log-likelihoods of the wrong length,
    NaN or +inf; -inf is a value (a density of zero).
    """
    started = time.perf_counter()
    try:
        with (
            controlled(job.training_seed, task.threads, task.needs_torch),
            warnings.catch_warnings(record=True) as heard,
        ):
            warnings.simplefilter("default")
            log_prob, epoch, weights = _fit_and_score(task, job)
    except (Exception, SystemExit) as error:  # a stranger's model may raise anything
        return Outcome(job.fit, failure=_failure(error, task.keep_messages))
    facts = {
        "seconds": round(time.perf_counter() - started, 4),
        "peak_memory_mb": peak_memory() >> 20,
        "pid": os.getpid(),
        "threads": task.threads,
        "warnings": sorted({_place_of(warning) for warning in heard}),
        **environment(),
    }
    return Outcome(job.fit, log_prob, epoch=epoch, facts=facts, weights=weights)


def _fit_and_score(
    task: Task, job: Job
) -> tuple[NDArray[np.float64], int, dict[str, NDArray[Any]] | None]:
    model = contract.prepared(task.model, training=job.training_seed, noise=job.noise_seed)
    x = task.data.get()
    follower = _Follower(job.fit, task.heartbeats)
    contract.fit(model, contract.as_input(model, x[job.training_rows()]), follower)
    kept = weights_of(model) if job.keep_weights else None
    if job.counted is not None and not len(job.counted):  # few models can score no record
        return np.empty(0), follower.epoch, kept
    contract.reseed(model, job.evaluation_seed)
    scored = contract.as_input(model, x if job.counted is None else x[job.counted])
    return checked(model.score_samples(scored), len(scored)), follower.epoch, kept


def checked(values: Any, n: int) -> NDArray[np.float64]:
    """Log-likelihoods as (n,) float64, or a ValueError that says what is wrong without quoting."""
    log_prob = np.asarray(values, dtype=np.float64)
    if log_prob.shape != (n,):
        raise BadLogProb(f"score_samples must return shape ({n},); got {log_prob.shape}")
    bad = np.count_nonzero(np.isnan(log_prob) | (log_prob == np.inf))
    if bad:
        raise BadLogProb(f"score_samples must return no NaN and no +inf; got {bad} in {n} values")
    return log_prob


class BadLogProb(ValueError):
    """A model's log-likelihoods that cannot be used. Its text quotes no record."""


class _Follower:
    """Counts epochs and leaves the current loss where a watching process can read it."""

    def __init__(self, fit: int, heartbeats: str | None) -> None:
        self.epoch = 0
        name = "release" if fit == RELEASE else f"fit {fit}"
        self._path = Path(heartbeats) / name if heartbeats else None

    def __call__(self, epoch: int, losses: Mapping[str, float]) -> None:
        self.epoch = epoch
        if self._path is not None:
            with suppress(OSError):  # on another machine nobody is watching
                self._path.write_text(f"{epoch} {losses.get('train', float('nan')):.6g}")


def _place_of(warning: warnings.WarningMessage) -> str:
    """A warning by its type and place; its text may quote records."""
    return f"{warning.category.__name__} at {Path(warning.filename).name}:{warning.lineno}"


def _failure(error: BaseException, keep_message: bool) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    place = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
    if isinstance(error, BadLogProb | BadWeights):  # its text is ours, and quotes no record
        return Failure(type(error).__name__, f"{place}: {error}")
    return Failure(type(error).__name__, place, str(error) if keep_message else None)
