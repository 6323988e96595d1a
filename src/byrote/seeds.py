"""Every random number in a run comes from one root seed, keyed by what it is for.

A key, not a position in a stream, identifies a draw: a fit's seeds depend on its repeat and fold
alone, never on which fits ran before it, so a resumed or a distributed run repeats the numbers of
an uninterrupted one.
"""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream of random numbers is for. The values are part of the run format."""

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


def sequence(root: int, purpose: Purpose, repeat: int = 0, fold: int = 0) -> np.random.SeedSequence:
    """The seed sequence of one purpose in one fit."""
    return np.random.SeedSequence(root, spawn_key=(int(purpose), repeat, fold))


def generator(root: int, purpose: Purpose, repeat: int = 0, fold: int = 0) -> np.random.Generator:
    """A NumPy generator for one purpose in one fit."""
    return np.random.default_rng(sequence(root, purpose, repeat, fold))


def integer(root: int, purpose: Purpose, repeat: int = 0, fold: int = 0) -> int:
    """A 32-bit integer seed, the form that scikit-learn's ``random_state`` takes."""
    return int(sequence(root, purpose, repeat, fold).generate_state(1)[0])
