"""Training of a VAE: minibatch Adam on the evidence lower bound, eq. (5)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.vae.arithmetic import PLAIN, Arithmetic
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.private import PrivateTraining
from byrote.models.vae.spaces import Space
from byrote.models.vae.steps import CompiledStep, PlainStep, Step


@dataclass(frozen=True)
class Schedule:
    """Length and speed of training, and its variants."""

    epochs: int
    batch_size: int
    learning_rate: float
    flips: bool = (
        False  # mirror each image left to right, with probability 1/2, whenever it is seen
    )
    arithmetic: Arithmetic = PLAIN
    weight_decay: float = 0.0
    private: PrivateTraining | None = None


def train(
    model: AutoEncoder,
    x: NDArray[np.generic],
    space: Space,
    schedule: Schedule,
    generator: torch.Generator,
    after_epoch: Callable[[int, float], bool | None],
) -> None:
    """Train in place on records x, (n, *shape), which are converted batch by batch.

    Records get new noise whenever they are seen (dynamic binarization, dequantization). After each
    epoch ``after_epoch(epoch, loss)`` gets its number, from 1, and the mean negative bound on
    log p(x), nats per record, with the model in evaluation mode; a true result ends training.
    """
    step, draw_batches = (
        _make_step(model, space, schedule),
        _batches(model, schedule, len(x), generator),
    )
    latent_dim, device = model.network.latent_dim, generator.device
    for epoch in range(1, schedule.epochs + 1):
        model.train()
        total, seen = torch.zeros((), dtype=torch.float64, device=device), 0
        for rows in draw_batches():
            values = space.values(x[rows])
            if schedule.flips:
                values = random_flips(values, space.shape[1], generator)
            noise = space.noise(values.shape, generator)
            latent = torch.randn(len(rows), latent_dim, generator=generator, device=device)
            total += step(values, noise, latent)
            seen += len(rows)
        model.eval()
        if after_epoch(epoch, float(total) / seen if seen else math.nan):
            break


def _make_step(model: AutoEncoder, space: Space, schedule: Schedule) -> Step:
    if schedule.private is not None:
        return schedule.private.step(model, space, schedule.learning_rate, schedule.weight_decay)
    rate, dtype = schedule.learning_rate, schedule.arithmetic.dtype
    if schedule.arithmetic.compile and model.network.trains_compiled:
        return CompiledStep(model, space, rate, dtype, schedule.batch_size, schedule.weight_decay)
    return PlainStep(model, space, rate, dtype, schedule.weight_decay)


def _batches(
    model: AutoEncoder, schedule: Schedule, n: int, generator: torch.Generator
) -> Callable[[], list[NDArray[np.intp]]]:
    """A function that draws the batches of an epoch."""
    if schedule.private is not None:
        return schedule.private.batches()
    return partial(shuffled_batches, n, schedule.batch_size, generator, model)


def shuffled_batches(
    n: int, size: int, generator: torch.Generator, model: AutoEncoder
) -> list[NDArray[np.intp]]:
    """Row numbers of one epoch's batches, in a new order.

    Batch norm takes its statistics from the batch: there a single record that is left over joins
    the batch before it.
    """
    order = torch.randperm(n, generator=generator, device=generator.device).cpu().numpy()
    ends = list(range(size, n, size))
    if model.network.normalizes_batches and size > 1 and n - size * len(ends) == 1 and ends:
        ends.pop()
    return np.split(order, ends)


def random_flips(x: Tensor, width: int, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability 1/2.

    x is (n, d): flat images, rows of ``width`` pixels, channels first.
    """
    mirrored = x.unflatten(-1, (-1, width)).flip(-1).flatten(-2)
    flip = torch.rand(len(x), 1, generator=generator, device=x.device) < 0.5
    return torch.where(flip, mirrored, x)
