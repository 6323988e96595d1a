"""Random numbers of a run, all derived from one root seed by key.

A draw is identified by a key, not by its position in a stream: a fit's seeds depend on its repeat
and fold alone, never on which fits ran before it, so a resumed or distributed run repeats the
numbers of an uninterrupted one.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """Purpose of a stream of random numbers. The values are part of the run format."""

    PLAN = 0
    TRAINING = 1
    NOISE = 2
    EVALUATION = 3
    REHEARSAL = 4
    RELEASE = 5
    EXAMPLES = 6
    CHOICE = 7
    SECRET = 8
    REFERENCE = 9
    INSERTION = 10
    ATTACK = 11
    CONTROL = 12


def sequence(root: int, purpose: Purpose, repeat: int = 0, fold: int = 0) -> np.random.SeedSequence:
    """Return the seed sequence for a purpose in a fit."""
    return np.random.SeedSequence(root, spawn_key=(int(purpose), repeat, fold))


def generator(root: int, purpose: Purpose, repeat: int = 0, fold: int = 0) -> np.random.Generator:
    """Return the NumPy generator for a purpose in a fit."""
    return np.random.default_rng(sequence(root, purpose, repeat, fold))


def integer(root: int, purpose: Purpose, repeat: int = 0, fold: int = 0) -> int:
    """Return a 32-bit integer seed, as for scikit-learn's ``random_state``."""
    return int(sequence(root, purpose, repeat, fold).generate_state(1)[0])


def mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Turn counters into random bits: the output function of SplitMix64 (Steele et al. 2014).

    Examples
    --------
    >>> hex(mix(np.array([0x9E3779B97F4A7C15], np.uint64))[0])
    '0xe220a8397b1dcdaf'
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
