"""PyTorch's process-wide settings, set for the length of a block and put back."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


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


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's global CPU generator, which initialises layers, and restore it after."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
