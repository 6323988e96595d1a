"""One fit from start to end: a pure function of the task, the data and the job."""

import os
import sys
import time
import traceback
import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from byrote.errors import ByroteWarning, NoCompiler, TrainingDiverged
from byrote.models import contract
from byrote.models.assignment import ProgramFailed, takes_assignments
from byrote.models.weights import BadWeights, weights_of
from byrote.plans.design import RELEASE
from byrote.runs.determinism import controlled, environment
from byrote.runs.epoch_recorder import EpochNeverReached, EpochRecorder, EpochScorer
from byrote.runs.job import BadLogProb, Failure, Job, Outcome, Scored, Task

_SAFE_ERRORS = (
    BadLogProb | BadWeights | EpochNeverReached | NoCompiler | ProgramFailed | TrainingDiverged
)


def run_job(task: Task, job: Job) -> Outcome:
    """Train a copy of the model on the job's rows and score the counted rows.

    Exceptions of the model become failures, as do log-likelihoods of the wrong length, NaN or +inf;
    -inf is a value (a density of zero).
    """
    started = time.perf_counter()
    is_program = takes_assignments(task.model)  # which nothing in this process concerns
    control = controlled(job.training_seed, task.threads, task.needs_torch)
    try:
        with (
            nullcontext() if is_program else control,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("default")
            outcome = fit_and_score(task, job)
    except (Exception, SystemExit) as error:  # a user's model may raise anything
        return Outcome(job.fit, failure=_failure(error, task.keep_messages))
    facts = {
        **outcome.facts,
        "seconds": round(time.perf_counter() - started, 4),
        "peak_memory_mb": peak_memory() >> 20,
        "pid": os.getpid(),
        "threads": task.threads,
        "warnings": sorted({_describe(warning) for warning in caught}),
        **environment(),
    }
    return replace(outcome, facts=facts)


def fit_and_score(task: Task, job: Job) -> Outcome:
    """Train and score as ``run_job`` does, but raise the model's exceptions."""
    model = contract.seeded_clone(task.model, training=job.training_seed, noise=job.noise_seed)
    content = task.content(task.data.get())
    scores_nothing = job.counted is not None and not len(job.counted)
    tracks = bool(task.track) and not scores_nothing
    name = "release" if job.fit == RELEASE else f"fit {job.fit}"
    recorder = EpochRecorder(
        scorer=EpochScorer.of(model, content, job, task.track) if tracks else None,
        heartbeat=Path(task.heartbeats) / name if task.heartbeats else None,
    )
    contract.fit(model, content.training(model, job), recorder)
    weights = weights_of(model) if job.keep_weights else None
    facts = contract.facts(model) | ({"losses": recorder.losses} if recorder.epoch else {})
    if scores_nothing:
        empty = Scored(np.empty(0))
        return Outcome(job.fit, empty, epoch=recorder.epoch, facts=facts, weights=weights)
    if tracks:
        facts["tracking_seconds"] = round(recorder.seconds, 4)
    tracked = recorder.tracked_before_last(task.track)
    contract.reseed(model, job.evaluation_seed)
    return Outcome(
        job.fit,
        content.scored(model, job),
        epoch=recorder.epoch,
        tracked=tracked,
        facts={**facts, **content.facts(model, job)},
        weights=weights,
    )


def load_libraries(model: object) -> None:
    """Do nothing, in a worker that had to load this module and the model's to get here."""


def peak_memory() -> int:
    """Return the peak memory of this process, bytes; 0 on Windows, which does not report it."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 (not on every system)

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _describe(warning: warnings.WarningMessage) -> str:
    """Describe a warning by type and place; others' texts may quote records."""
    if issubclass(warning.category, ByroteWarning):
        return str(warning.message)
    return f"{warning.category.__name__} at {Path(warning.filename).name}:{warning.lineno}"


def _failure(error: BaseException, keep_message: bool) -> Failure:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
    if isinstance(error, _SAFE_ERRORS):
        return Failure(type(error).__name__, f"{place}: {error}")
    return Failure(type(error).__name__, place, str(error) if keep_message else None)
