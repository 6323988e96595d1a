"""Truncated back-propagation through time (Williams & Peng 1990)."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from byrote.models.language.char_lstm.network import Network, detached
from byrote.models.language.char_lstm.optimizers import Descent
from byrote.models.language.char_lstm.vocabulary import Tokens
from byrote.models.language.char_lstm.windows import NO_TARGET, Cut
from byrote.models.precision import lstm_products

Step = tuple[float, int]  # mean loss of the characters of a batch, nats, and how many they are


@dataclass(frozen=True)
class Schedule:
    """How long to train, and in what steps."""

    epochs: int
    cut: Cut
    descent: Descent
    dropout: float = 0.0
    shuffle: bool = True
    report_every: int | None = None
    dtype: torch.dtype = torch.float32

    def batches(self, characters: int) -> int:
        """Steps of an epoch."""
        return self.cut.windows(characters)

    def reports(self, characters: int) -> int:
        """How often ``train`` calls ``after_report`` for a text so long."""
        if self.report_every is None:
            return self.epochs
        return -(-self.epochs * self.batches(characters) // self.report_every)


@dataclass
class _Mean:
    """Mean loss of the characters since it was last taken."""

    total: float = 0.0
    characters: int = 0

    def add(self, step: Step) -> None:
        self.total += step[0] * step[1]
        self.characters += step[1]

    def take(self) -> float:
        mean = self.total / self.characters if self.characters else math.nan
        self.total, self.characters = 0.0, 0
        return mean


def train(
    network: Network,
    text: Tokens,
    schedule: Schedule,
    generator: torch.Generator,
    after_report: Callable[[int, float], None],
    steps: Iterator[Step] | None = None,
    ends: Callable[[], bool] | None = None,
) -> None:
    """Train in place on one long text, (n,) tokens, by the steps given or by truncated ones.

    ``after_report(k, loss)`` gets the number of the report, from 1, and the mean loss, nats per
    character, of the batches since the one before (NaN if they were empty); the network is then in
    evaluation mode. ``ends``, if given, is asked after each epoch whether that was the last.
    """
    mean, reported, batches = _Mean(), 0, schedule.batches(len(text))
    every = schedule.report_every or batches
    last = schedule.epochs * batches
    network.train()
    if steps is None:
        steps = _steps(network, text, schedule, generator)
    for done, step in enumerate(steps, start=1):
        mean.add(step)
        stopped = False
        if ends is not None and done % batches == 0:
            network.eval()
            stopped = ends()
            network.train()
        if done % every == 0 or done == last or stopped:
            reported += 1
            network.eval()
            after_report(reported, mean.take())
            network.train()
        if stopped:
            break
    network.eval()


def _steps(
    network: Network, text: Tokens, schedule: Schedule, generator: torch.Generator
) -> Iterator[Step]:
    """All steps of training: within an epoch each begins in the state that the last one left."""
    optimizer = schedule.descent.optimizer(network.parameters())
    dropout = Dropout(schedule.dropout, generator) if schedule.dropout else None
    for _ in range(schedule.epochs):
        start = int(torch.randint(len(text), (1,), generator=generator)) if schedule.shuffle else 0
        state = network.start(schedule.cut.streams)
        for tokens, targets in schedule.cut.read(text, start):
            with lstm_products(schedule.dtype):
                said, state = network(tokens, state, dropout)
                logits = network.output(said)
            loss = nn.functional.cross_entropy(
                logits.float().flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), schedule.descent.clip)
            optimizer.step()
            state = detached(state)
            yield loss.item(), int((targets != NO_TARGET).sum())


@dataclass(frozen=True)
class Dropout:
    """Sets each number to zero with probability ``share``; the others grow to keep the mean."""

    share: float
    generator: torch.Generator = field(repr=False)

    def __call__(self, x: Tensor) -> Tensor:
        """The numbers that are left."""
        kept = torch.rand(x.shape, generator=self.generator) >= self.share
        return x * kept.to(x.dtype) / (1 - self.share)
