"""A fit as data that can be sent to another machine: the task, the job and the outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.plans import Design
from byrote.plans.design import RELEASE, rows, training_rows

KEEP_MODELS = ("none", "release", "all")


class DataHandle(Protocol):
    """The records of a run for its workers: in memory, in a mapped file, in an object store."""

    def get(self) -> NDArray[Any]:
        """Return all records, (n, ...), read-only."""


@dataclass(frozen=True)
class Workplace:
    """Where a program works: folder of its files, log of its fit, folder in which it starts."""

    work: Path
    log: Path
    directory: Path
    rehearsal: bool = False


@dataclass(frozen=True)
class Job:
    """Seeds and membership of one fit, which with the task and the data determine its outcome."""

    fit: int
    n: int
    held_out: NDArray[np.uint32]
    counted: NDArray[np.uint32] | None
    training_seed: int
    evaluation_seed: int
    noise_seed: int
    leader_held_out: NDArray[np.uint32] | None = None  # see Design.leader
    copies: NDArray[np.uint32] | None = None  # of each row not held out, if rows are inserted
    places: NDArray[np.int64] | None = None  # line of each copy
    keep_weights: bool = False
    workplace: Workplace | None = None  # of a model that is a program

    def training_rows(self) -> NDArray[np.intp]:
        """Return the rows to train on, in the order of the training data; copies are adjacent."""
        trained = training_rows(self.n, self.held_out, self.leader_held_out)
        return trained if self.copies is None else np.repeat(trained, self.copies)


@dataclass(frozen=True)
class Scored:
    """Log-likelihoods of the counted rows of a fit, nats, and diagnostics of each row."""

    log_prob: NDArray[np.float64]
    diagnostics: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def take(self, rows: NDArray[np.intp]) -> "Scored":
        """Return those of some of the rows."""
        diagnostics = {name: values[rows] for name, values in self.diagnostics.items()}
        return Scored(self.log_prob[rows], diagnostics)


class Content(Protocol):
    """What a fit trains on and scores, read from the array that all workers share."""

    def __init__(self, array: NDArray[Any]) -> None: ...

    def training(self, model: Any, job: Job) -> Any:
        """Return what the model's ``fit`` gets."""

    def scored(self, model: Any, job: Job, *, mid_training: bool = False) -> Scored:
        """Score the counted rows, with less effort in the middle of training."""

    def loss(self, model: Any, job: Job) -> float:
        """Compute the loss on held-out data, in nats; NaN if there are none."""

    def facts(self, model: Any, job: Job) -> Mapping[str, Any]:
        """Return further facts about a fitted model."""


class BadLogProb(ValueError):
    """Invalid log-likelihoods of a model. The message quotes no record."""


def checked(values: Any, n: int) -> NDArray[np.float64]:
    """Convert log-likelihoods to (n,) float64, or raise BadLogProb."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise BadLogProb(f"score_samples must return real numbers; got {array.dtype}")
    log_prob: NDArray[np.float64] = checks.floats(array)
    if log_prob.shape != (n,):
        raise BadLogProb(f"score_samples must return shape ({n},); got {log_prob.shape}")
    bad = np.count_nonzero(np.isnan(log_prob) | (log_prob == np.inf))
    if bad:
        raise BadLogProb(f"score_samples must not return NaN or +inf; got {bad} in {n} values")
    return log_prob


@dataclass(frozen=True)
class Task:
    """What all fits of a run share."""

    model: Any
    data: DataHandle
    content: type[Content]
    threads: int = 1
    needs_torch: bool = False
    heartbeats: str | None = None
    keep_messages: bool = False
    track: tuple[int, ...] = ()


@dataclass(frozen=True)
class Failure:
    """Type and place of an exception; its message only on request, since it may quote records."""

    type: str
    place: str
    message: str | None = None

    def __str__(self) -> str:
        return f"{self.type} at {self.place}"


@dataclass(frozen=True)
class Outcome:
    """The result of a fit: scores of the counted rows after the last epoch, or a failure.

    ``epoch`` is the last one; ``tracked`` holds the scores of earlier ones.
    """

    fit: int
    scored: Scored | None = None
    failure: Failure | None = None
    epoch: int = 0
    tracked: Mapping[int, Scored] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, NDArray[Any]] | None = None

    @property
    def log_prob(self) -> NDArray[np.float64] | None:
        """Log-likelihoods of the counted rows, nats; None after a failure."""
        return None if self.scored is None else self.scored.log_prob

    @property
    def diagnostics(self) -> Mapping[str, NDArray[Any]]:
        """Diagnostics of the counted rows."""
        return {} if self.scored is None else self.scored.diagnostics


def job_of(design: Design, fit: int, seed: int, *, keep_weights: bool = False) -> Job:
    """Return the job of one fit of a design, or of the release fit."""
    if fit == RELEASE:
        return _release_job(design.n, seed)
    leader = int(design.leader[fit])
    key = (int(design.repeat[leader]), int(design.fold[leader]))
    return Job(
        fit=fit,
        n=design.n,
        held_out=design.held_out[fit],
        counted=design.counted[fit],
        training_seed=seeds.integer(seed, seeds.Purpose.TRAINING, *key),
        evaluation_seed=seeds.integer(seed, seeds.Purpose.EVALUATION, *key),
        noise_seed=seeds.integer(seed, seeds.Purpose.NOISE),
        leader_held_out=None if leader == fit else design.held_out[leader],
        copies=None if design.copies is None else design.copies[fit],
        places=None if design.places is None else design.places[fit],
        keep_weights=keep_weights,
    )


def _release_job(n: int, seed: int) -> Job:
    """Return the job of the fit on all records, which keeps its weights and scores nothing."""
    return Job(
        fit=RELEASE,
        n=n,
        held_out=rows([]),
        counted=rows([]),
        training_seed=seeds.integer(seed, seeds.Purpose.RELEASE),
        evaluation_seed=seeds.integer(seed, seeds.Purpose.RELEASE, fold=1),
        noise_seed=seeds.integer(seed, seeds.Purpose.NOISE),
        keep_weights=True,
    )
