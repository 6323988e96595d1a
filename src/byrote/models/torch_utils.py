"""PyTorch: seeds and process-wide switches, and checks for training that diverged."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import numpy as np
import torch
from torch import nn

from byrote.errors import TrainingDiverged


class Stream(IntEnum):
    """Purposes that get independent seeds from one ``random_state``."""

    INITIAL = 0
    TRAINING = 1
    REDRAW = 2
    LATENT = 3
    SAMPLE = 4
    LOSS = 5
    SAMPLING = 6
    PRIVACY = 7


def seed_of(random_state: int | None, stream: Stream) -> int:
    """The stream's seed; a new one at each call if ``random_state`` is None."""
    return int(np.random.SeedSequence(random_state).generate_state(len(Stream))[stream])


def generator_from(seed: int, device: str) -> torch.Generator:
    """A seeded generator on the device."""
    return torch.Generator(device=device).manual_seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's global CPU generator, which initializes layers, and restore it after."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treat numbers below 1e-38 as zero on this thread.

    After a few epochs Adam's moments of weights that hardly move become denormal, and arithmetic on
    them makes a step several times slower.
    """
    before = denormals_are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def denormals_are_flushed() -> bool:
    """Whether this thread flushes denormals; PyTorch can set the switch but not read it."""
    tiny = np.full(1, np.finfo(np.float64).tiny)
    return bool((tiny / 2)[0] == 0)


def check_loss(loss: float, when: str, remedy: str) -> None:
    """Stop after a training loss that is not finite, with the remedy, an imperative."""
    if not math.isfinite(loss):
        raise TrainingDiverged(f"training diverged: the loss of {when} is {loss}; {remedy}")


def check_weights(network: nn.Module, remedy: str) -> None:
    """Refuse a network with weights that are not finite, counting them."""
    weights = list(network.parameters())
    infinite = sum(weight.numel() - int(torch.isfinite(weight).sum()) for weight in weights)
    if infinite:
        total = sum(weight.numel() for weight in weights)
        raise TrainingDiverged(
            f"training diverged: {infinite:,} of {total:,} weights are not finite; {remedy}"
        )
