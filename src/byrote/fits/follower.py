"""What is learned of a fit while it trains: its losses, and its scores at chosen epochs."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.job import Job
from byrote.fits.surroundings import undisturbed
from byrote.models import contract

LOSS_ROWS = 2000  # held-out records on which each epoch's loss is measured, at most


class BadLogProb(ValueError):
    """A model's log-likelihoods that cannot be used. Its text quotes no record."""


class EpochNeverReached(ValueError):
    """Training ended before an epoch at which scores were asked for. Its text quotes no record."""


def checked(values: Any, n: int) -> NDArray[np.float64]:
    """Log-likelihoods as (n,) float64, or a ValueError that says what is wrong without quoting."""
    log_prob = np.asarray(values, dtype=np.float64)
    if log_prob.shape != (n,):
        raise BadLogProb(f"score_samples must return shape ({n},); got {log_prob.shape}")
    bad = np.count_nonzero(np.isnan(log_prob) | (log_prob == np.inf))
    if bad:
        raise BadLogProb(f"score_samples must return no NaN and no +inf; got {bad} in {n} values")
    return log_prob


@dataclass(frozen=True)
class Questions:
    """What to ask of a model in the middle of its training, without changing what follows.

    The model gets its evaluation seed for as long as it answers, then its training seed again, and
    the global generators are put back: a run that is tracked trains the same models, bit for bit.
    """

    model: Any
    track: Collection[int]
    scored: Callable[[], NDArray[Any]]
    held_out: Callable[[], NDArray[Any]]
    training_seed: int
    evaluation_seed: int

    @classmethod
    def of(cls, model: Any, track: Collection[int], x: NDArray[Any], job: Job) -> "Questions":
        """The questions of one fit. Its last epoch is left out where it is known beforehand."""
        rows = loss_rows(job)
        return cls(
            model=model,
            track=set(track) - {contract.epochs(model)},
            scored=lambda: contract.as_input(model, x if job.counted is None else x[job.counted]),
            held_out=lambda: contract.as_input(model, x[rows]),
            training_seed=job.training_seed,
            evaluation_seed=job.evaluation_seed,
        )

    def loss(self) -> float:
        """The loss of held-out records, nats per record; NaN where the model tells none."""
        if not contract.has_loss(self.model) or not len(x := self.held_out()):
            return float("nan")
        with self._aside():
            return float(self.model.loss(x))

    def log_prob(self) -> NDArray[np.float64]:
        """The log-likelihoods of the counted records, nats."""
        x = self.scored()
        with self._aside():
            return checked(self.model.score_samples(x), len(x))

    @contextmanager
    def _aside(self) -> Iterator[None]:
        with undisturbed():
            contract.reseed(self.model, self.evaluation_seed)
            yield
            contract.reseed(self.model, self.training_seed)


def loss_rows(job: Job) -> NDArray[np.uint32]:
    """The held-out rows of a fit, or a random choice of ``LOSS_ROWS`` among more."""
    if len(job.held_out) <= LOSS_ROWS:
        return job.held_out
    generator = np.random.default_rng(job.evaluation_seed)
    return np.sort(generator.choice(job.held_out, LOSS_ROWS, replace=False))


@dataclass
class Follower:
    """Called by a model after each epoch: keeps losses, asks questions, tells who watches."""

    questions: Questions | None = None
    heartbeat: Path | None = None
    epoch: int = 0
    tracked: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    losses: dict[str, list[Any]] = field(
        default_factory=lambda: {"epoch": [], "train": [], "held_out": []}
    )

    def __call__(self, epoch: int, losses: Mapping[str, float]) -> None:
        """Hear of an epoch that ended."""
        self.epoch = int(epoch)
        train, held_out = float(losses.get("train", np.nan)), float("nan")
        self._tell(train)
        if self.questions is not None:
            held_out = self.questions.loss()
            if self.epoch in self.questions.track:
                self.tracked[self.epoch] = self.questions.log_prob()
        for name, value in (("epoch", self.epoch), ("train", train), ("held_out", held_out)):
            self.losses[name].append(value if np.isfinite(value) else None)

    def before_the_last(self, track: Collection[int]) -> dict[int, NDArray[np.float64]]:
        """What was tracked, the last epoch aside: that one is scored after training.

        Raises
        ------
        EpochNeverReached
            If training ended before a tracked epoch.
        """
        missed = set(track) - {*self.tracked, self.epoch}
        if missed:
            raise EpochNeverReached(
                f"training ended at epoch {self.epoch}; epoch {min(missed)} was to be scored"
            )
        return {epoch: self.tracked[epoch] for epoch in sorted(track) if epoch != self.epoch}

    def _tell(self, train: float) -> None:
        if self.heartbeat is not None:
            with suppress(OSError):  # on another machine nobody is watching
                self.heartbeat.write_text(f"{self.epoch} {train:.6g}")
