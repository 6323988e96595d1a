"""What is recorded while a model trains: losses after every epoch, scores after tracked ones."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from byrote.models import contract
from byrote.runs.determinism import preserved_generators
from byrote.runs.job import Content, Job, Scored


class EpochNeverReached(ValueError):
    """Training ended before a tracked epoch. The message quotes no record."""


@dataclass(frozen=True)
class EpochScorer:
    """Scores of a model in the middle of its training, which leave the training unchanged.

    The model gets its evaluation seed while it scores, then its training seed again, and the global
    generators are restored: a tracked run trains the same models as an untracked one, bit for bit.
    """

    model: Any
    content: Content
    job: Job
    track: Collection[int]

    @classmethod
    def of(cls, model: Any, content: Content, job: Job, track: Collection[int]) -> "EpochScorer":
        """Create the scorer of a fit; the last epoch is left out where it is known in advance."""
        return cls(model, content, job, set(track) - {contract.epochs(model)})

    def loss(self) -> float:
        """Compute the loss on held-out data, in nats; NaN if the model reports none."""
        with self._evaluating():
            return self.content.loss(self.model, self.job)

    def scored(self) -> Scored:
        """Score the counted records."""
        with self._evaluating():
            return self.content.scored(self.model, self.job, mid_training=True)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        with preserved_generators():
            contract.reseed(self.model, self.job.evaluation_seed)
            yield
            contract.reseed(self.model, self.job.training_seed)


@dataclass
class EpochRecorder:
    """Callback of a model after each epoch: keeps losses, scores, and writes a heartbeat."""

    scorer: EpochScorer | None = None
    heartbeat: Path | None = None
    epoch: int = 0
    seconds: float = 0.0
    tracked: dict[int, Scored] = field(default_factory=dict)
    losses: dict[str, list[Any]] = field(
        default_factory=lambda: {"epoch": [], "train": [], "held_out": []}
    )

    def __call__(self, epoch: int, losses: Mapping[str, float]) -> None:
        """Record the epoch that ended."""
        self.epoch = int(epoch)
        train, held_out = float(losses.get("train", np.nan)), float("nan")
        self._beat(train)
        if self.scorer is not None:
            started = time.perf_counter()
            held_out = self.scorer.loss()
            if self.epoch in self.scorer.track:
                self.tracked[self.epoch] = self.scorer.scored()
            self.seconds += time.perf_counter() - started
        for name, value in (("epoch", self.epoch), ("train", train), ("held_out", held_out)):
            self.losses[name].append(value if np.isfinite(value) else None)

    def tracked_before_last(self, track: Collection[int]) -> dict[int, Scored]:
        """Return the tracked scores except those of the last epoch, which follow after training."""
        missed = set(track) - {*self.tracked, self.epoch}
        if missed:
            raise EpochNeverReached(
                f"training ended at epoch {self.epoch}; epoch {min(missed)} was to be scored"
            )
        return {epoch: self.tracked[epoch] for epoch in sorted(track) if epoch != self.epoch}

    def _beat(self, train: float) -> None:
        if self.heartbeat is not None:
            with suppress(OSError):  # on another machine nobody is watching
                self.heartbeat.write_text(f"{self.epoch} {train:.6g}")
