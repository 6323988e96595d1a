"""One fit, start to end: a pure function of the task, the data and the job."""

import os
import time
import traceback
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from byrote.errors import ByroteWarning, NoCompiler, TrainingDiverged
from byrote.models import contract
from byrote.models.weights import BadWeights, weights_of
from byrote.plans.design import RELEASE
from byrote.runs.determinism import controlled
from byrote.runs.environment import environment, peak_memory
from byrote.runs.epoch_recorder import EpochNeverReached, EpochRecorder, Questions
from byrote.runs.job import BadLogProb, Failure, Job, Outcome, Scored, Task


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
            outcome = fit_and_score(task, job)
    except (Exception, SystemExit) as error:  # a stranger's model may raise anything
        return Outcome(job.fit, failure=_failure(error, task.keep_messages))
    facts = {
        **outcome.facts,
        "seconds": round(time.perf_counter() - started, 4),
        "peak_memory_mb": peak_memory() >> 20,
        "pid": os.getpid(),
        "threads": task.threads,
        "warnings": sorted({_place_of(warning) for warning in heard}),
        **environment(),
    }
    return replace(outcome, facts=facts)


def fit_and_score(task: Task, job: Job) -> Outcome:
    """The same, where exceptions are the caller's."""
    model = contract.seeded_clone(task.model, training=job.training_seed, noise=job.noise_seed)
    content = task.content(task.data.get())
    nothing = job.counted is not None and not len(job.counted)  # is to be scored
    name = "release" if job.fit == RELEASE else f"fit {job.fit}"
    asked = bool(task.track) and not nothing
    recorder = EpochRecorder(
        questions=Questions.of(model, content, job, task.track) if asked else None,
        heartbeat=Path(task.heartbeats) / name if task.heartbeats else None,
    )
    contract.fit(model, content.training(model, job), recorder)
    kept = weights_of(model) if job.keep_weights else None
    facts = contract.facts(model) | ({"losses": recorder.losses} if recorder.epoch else {})
    if nothing:
        empty = Scored(np.empty(0))
        return Outcome(job.fit, empty, epoch=recorder.epoch, facts=facts, weights=kept)
    tracked = recorder.before_the_last(task.track)
    contract.reseed(model, job.evaluation_seed)
    return Outcome(
        job.fit,
        content.scored(model, job),
        epoch=recorder.epoch,
        tracked=tracked,
        facts={**facts, **_time_of(recorder), **content.facts(model, job)},
        weights=kept,
    )


def _time_of(recorder: EpochRecorder) -> dict[str, float]:
    """Seconds that questions in the middle of training took, of a fit that was asked some."""
    return {} if recorder.questions is None else {"asking_seconds": round(recorder.seconds, 4)}


def _place_of(warning: warnings.WarningMessage) -> str:
    """A warning by its type and place; its text, which may quote records, only where it is ours."""
    if issubclass(warning.category, ByroteWarning):
        return str(warning.message)
    return f"{warning.category.__name__} at {Path(warning.filename).name}:{warning.lineno}"


def _failure(error: BaseException, keep_message: bool) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    place = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
    ours = BadLogProb | BadWeights | EpochNeverReached | NoCompiler | TrainingDiverged
    if isinstance(error, ours):  # our text: no record in it
        return Failure(type(error).__name__, f"{place}: {error}")
    return Failure(type(error).__name__, place, str(error) if keep_message else None)
