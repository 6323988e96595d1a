"""Independent seeds made from one ``random_state``."""

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """What a seed is for."""

    INITIAL = 0
    TRAINING = 1
    REDRAW = 2
    LATENT = 3
    SAMPLE = 4
    LOSS = 5
    SAMPLING = 6
    PRIVACY = 7


def seed_of(random_state: int | None, stream: Stream) -> int:
    """The stream's seed; another one at each call if ``random_state`` is None."""
    return int(np.random.SeedSequence(random_state).generate_state(len(Stream))[stream])


def generator_from(seed: int, device: str) -> torch.Generator:
    """A generator on the device."""
    return torch.Generator(device=device).manual_seed(seed)
