"""What is learned of a fit while it trains: its losses, and its scores at chosen epochs."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from byrote.models import contract
from byrote.runs.determinism import undisturbed
from byrote.runs.job import Content, Job, Scored


class EpochNeverReached(ValueError):
    """Training ended before an epoch at which scores were asked for. Its text quotes no record."""


@dataclass(frozen=True)
class Questions:
    """What to ask of a model in the middle of its training, without changing what follows.

    The model gets its evaluation seed for as long as it answers, then its training seed again, and
    the global generators are put back: a run that is tracked trains the same models, bit for bit.
    """

    model: Any
    content: Content
    job: Job
    track: Collection[int]

    @classmethod
    def of(cls, model: Any, content: Content, job: Job, track: Collection[int]) -> "Questions":
        """The questions of one fit. Its last epoch is left out where it is known beforehand."""
        return cls(model, content, job, set(track) - {contract.epochs(model)})

    def loss(self) -> float:
        """The loss of held-out data, nats; NaN where the model tells none."""
        with self._aside():
            return self.content.loss(self.model, self.job)

    def scored(self) -> Scored:
        """The counted records, scored."""
        with self._aside():
            return self.content.scored(self.model, self.job, in_passing=True)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        with undisturbed():
            contract.reseed(self.model, self.job.evaluation_seed)
            yield
            contract.reseed(self.model, self.job.training_seed)


@dataclass
class EpochRecorder:
    """Called by a model after each epoch: keeps losses, asks questions, tells who watches."""

    questions: Questions | None = None
    heartbeat: Path | None = None
    epoch: int = 0
    seconds: float = 0.0
    tracked: dict[int, Scored] = field(default_factory=dict)
    losses: dict[str, list[Any]] = field(
        default_factory=lambda: {"epoch": [], "train": [], "held_out": []}
    )

    def __call__(self, epoch: int, losses: Mapping[str, float]) -> None:
        """Hear of an epoch that ended."""
        self.epoch = int(epoch)
        train, held_out = float(losses.get("train", np.nan)), float("nan")
        self._tell(train)
        if self.questions is not None:
            started = time.perf_counter()
            held_out = self.questions.loss()
            if self.epoch in self.questions.track:
                self.tracked[self.epoch] = self.questions.scored()
            self.seconds += time.perf_counter() - started
        for name, value in (("epoch", self.epoch), ("train", train), ("held_out", held_out)):
            self.losses[name].append(value if np.isfinite(value) else None)

    def before_the_last(self, track: Collection[int]) -> dict[int, Scored]:
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
