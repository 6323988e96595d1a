r"""Training of a CharLSTM: truncated back-propagation (Williams & Peng 1990), or DP-SGD on windows.

Examples
--------
>>> from byrote.models import DP, CharLSTM
>>> dp = DP(noise_multiplier=1.0, delta=1e-3)
>>> model = CharLSTM(hidden=16, layers=1, epochs=2, batch_size=16, window=10, dp=dp)
>>> model = model.fit(["the random number is 281265017\n"] * 20)
>>> guarantee = model.facts_["privacy"]
>>> guarantee.window, round(guarantee.epsilon, 1)
(10, 4.2)
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from byrote.errors import InvalidInput
from byrote.models.arithmetic import lstm_precision
from byrote.models.language.char_lstm.network import Dropout, Network, detached
from byrote.models.language.char_lstm.private_gradients import add_clipped, derivatives
from byrote.models.language.char_lstm.readings import Reading
from byrote.models.language.char_lstm.windows import (
    NO_TARGET,
    Cut,
    Windows,
    joined_length,
    window_inputs,
)
from byrote.models.privacy.accountants import NoiseSchedule, calibrate, guarantee_of
from byrote.models.privacy.dp import DP, DPGuarantee, check_parameter
from byrote.models.privacy.dp_sgd import NoisyStep, draw_batches
from byrote.models.torch_utils import Stream, generator_from, seed_of

Step = tuple[float, int]  # mean loss of the characters of a batch, nats, and their number

# Learning rates that suit two layers of 200 units at the default batch.
RATES = {"adam": 4e-3, "rmsprop": 2e-3, "sgd": 2.0}


@dataclass(frozen=True)
class Descent:
    """Settings of "adam" (Kingma & Ba 2015), "rmsprop" or "sgd" (without momentum).

    ``weight_decay`` is decoupled for Adam (AdamW, Loshchilov & Hutter 2019): weights shrink by
    ``learning_rate * weight_decay`` per step. For the others it is times the weights and added to
    the gradient, which for SGD is the same. ``clip`` is the largest norm of the gradient.
    """

    name: str
    learning_rate: float
    weight_decay: float
    clip: float

    def optimizer(self, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Make a new optimizer for the weights."""
        if self.name == "adam":
            return torch.optim.AdamW(
                weights, lr=self.learning_rate, weight_decay=self.weight_decay, fused=True
            )
        if self.name == "rmsprop":
            return torch.optim.RMSprop(
                weights, lr=self.learning_rate, weight_decay=self.weight_decay
            )
        return torch.optim.SGD(weights, lr=self.learning_rate, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Schedule:
    """Length of training, and its steps."""

    epochs: int
    cut: Cut
    descent: Descent
    dropout: float = 0.0
    shuffle: bool = True
    report_every: int | None = None
    dtype: torch.dtype = torch.float32

    def reports(self, steps: int) -> int:
        """Return the number of calls of ``after_report`` for so many steps in an epoch."""
        if self.report_every is None:
            return self.epochs
        return -(-self.epochs * steps // self.report_every)


@dataclass
class _RunningMean:
    total: float = 0.0
    characters: int = 0

    def add(self, step: Step) -> None:
        self.total += step[0] * step[1]
        self.characters += step[1]

    def reset(self) -> float:
        mean = self.total / self.characters if self.characters else math.nan
        self.total, self.characters = 0.0, 0
        return mean


def train(
    network: Network,
    reading: Reading,
    schedule: Schedule,
    generator: torch.Generator,
    after_report: Callable[[int, float], None],
    steps: Iterator[Step] | None = None,
    stops: Callable[[], bool] | None = None,
) -> None:
    """Train in place on texts; default steps: truncated back-propagation.

    ``after_report(k, loss)`` gets the number of the report, from 1, and the mean loss, nats per
    character, since the one before (NaN if batches were empty), with the network in evaluation
    mode. ``stops`` is called after each epoch; a true result ends training.
    """
    mean, reported, batches = _RunningMean(), 0, reading.steps
    every = schedule.report_every or batches
    last = schedule.epochs * batches
    network.train()
    if steps is None:
        steps = _truncated_steps(network, reading, schedule, generator)
    for done, step in enumerate(steps, start=1):
        mean.add(step)
        stopped = False
        if stops is not None and done % batches == 0:
            network.eval()
            stopped = stops()
            network.train()
        if done % every == 0 or done == last or stopped:
            reported += 1
            network.eval()
            after_report(reported, mean.reset())
            network.train()
        if stopped:
            break
    network.eval()


def _truncated_steps(
    network: Network, reading: Reading, schedule: Schedule, generator: torch.Generator
) -> Iterator[Step]:
    """Take all steps of training: within a run each begins in the state left by the last."""
    optimizer = schedule.descent.optimizer(network.parameters())
    dropout = Dropout(schedule.dropout, generator) if schedule.dropout else None
    order = generator if schedule.shuffle else None
    runs = (run for _ in range(schedule.epochs) for run in reading.epoch(order))
    for streams, windows in runs:
        state = network.start(streams)
        for tokens, targets in windows:
            with lstm_precision(schedule.dtype):
                output, state = network(tokens, state, dropout)
                logits = network.output(output)
            loss = nn.functional.cross_entropy(
                logits.float().flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), schedule.descent.clip)
            optimizer.step()
            state = detached(state)
            yield loss.item(), int((targets != NO_TARGET).sum())


CLIP = 5.0  # the default of CharLSTM's clip
_CHUNK = 128  # windows of a batch that are read together: more is slower and takes memory


def check_private(model: Any) -> None:
    """Refuse an unusable ``dp``, and parameters that exclude it."""
    check_parameter(model.dp)
    if model.dp is None:
        return
    if model.clip != CLIP:
        raise InvalidInput(
            f"clip must be left at {CLIP} with dp, whose max_grad_norm clips the gradient of each"
            f" window instead; got {model.clip}"
        )
    if not model.shuffle:
        raise InvalidInput("shuffle must be True with dp, whose batches are drawn; got False")


def noise_schedule(model: Any, texts: Sequence[str]) -> NoiseSchedule:
    """Return the noise and the batches for these texts."""
    units = len(texts) if model.separate else -(-joined_length(texts) // model.window)
    return calibrate(model.dp, units, model.batch_size, model.epochs)


def private_steps(
    model: Any, texts: Sequence[str], reading: Reading, schedule: Schedule
) -> tuple[Iterator[Step], DPGuarantee]:
    """Return steps of private training of the model's network, and their guarantee."""
    noise = noise_schedule(model, texts)
    if model.separate:
        guarantee = guarantee_of(model.dp, noise, unit="text")
    else:
        unit = f"window of {model.window} characters"
        guarantee = guarantee_of(model.dp, noise, unit=unit, window=model.window)
    seeds = np.random.SeedSequence(seed_of(model.random_state, Stream.TRAINING)).generate_state(3)
    trainer = PrivateTraining(model.dp, noise, model.vocabulary_.newline, seeds.tolist())
    return trainer.steps(model.network_, reading.units(), schedule), guarantee


class PrivateTraining:
    """DP-SGD on windows of a text, or on texts.

    ``newline`` is the token before each window; the seeds are of the batches, of dropout, and of
    the noise.
    """

    def __init__(self, dp: DP, noise: NoiseSchedule, newline: int, seeds: list[int]) -> None:
        self._dp, self._noise, self._newline, self._seeds = dp, noise, newline, seeds

    def steps(self, network: Network, windows: Windows, schedule: Schedule) -> Iterator[Step]:
        """Take all steps of training, each on random windows, possibly none.

        The weights depend on what the accountant counts: the sum of clipped gradients, with noise,
        over the expected number of windows. The yielded losses are of the windows, without noise.
        """
        batch_seed, dropout_seed, noise_seed = self._seeds
        generator = np.random.default_rng(batch_seed)
        dropout = None
        if schedule.dropout:
            dropout = Dropout(schedule.dropout, generator_from(dropout_seed, "cpu"))
        max_norm, sampling = self._dp.max_grad_norm, self._dp.sampling
        noisy_step = NoisyStep(
            network.parameters(),
            schedule.descent.optimizer(network.parameters()),
            self._noise,
            max_grad_norm=max_norm,
            generator=generator_from(noise_seed, "cpu"),
        )
        for _ in range(schedule.epochs):
            for rows in draw_batches(self._noise, sampling, generator):
                total, cost, characters = noisy_step.zeros(), 0.0, 0
                for first in range(0, len(rows), _CHUNK):
                    chunk = windows[rows[first : first + _CHUNK]]
                    tokens, targets = window_inputs(chunk, self._newline)
                    parts = derivatives(
                        network, tokens, targets, dropout=dropout, dtype=schedule.dtype
                    )
                    cost += float(parts.costs.sum(dtype=torch.float64))
                    characters += int((targets != NO_TARGET).sum())
                    add_clipped(total, network, parts, max_norm)
                noisy_step(total)
                yield cost / max(characters, 1), characters
