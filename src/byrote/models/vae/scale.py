"""Whether numbers taken as they are lie where a network can learn them."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.records import is_pixels
from byrote.errors import InvalidInput
from byrote.models.vae.spaces import SPACES, Space

# A network begins near mean 0 and variance 1, and Adam moves each weight by at most the learning
# rate a step. Of standard normal columns moved and stretched, a VAE of the default size loses 0.02
# nats per value to the true density at mean 10 and 0.01 at standard deviation 10, 2 at mean 30, 40
# at standard deviation 100 after 30 epochs of 400 records; beyond, its weights become NaN.
FARTHEST = 10.0

_VALUES_AT_A_TIME = 1 << 22


def refuse(space: Space, x: NDArray[Any]) -> None:
    """Refuse columns that are far from mean 0 and standard deviation 1, if taken as they are.

    Raises
    ------
    InvalidInput
        If some are.
    """
    problem = _problem(space, x)
    if problem is not None:
        raise InvalidInput(problem)


def warn(space: Space, x: NDArray[Any]) -> None:
    """Warn of the same: training goes on, on a part of records that were checked as a whole."""
    problem = _problem(space, x)
    if problem is not None:
        warnings.warn(problem, stacklevel=3)


def _problem(space: Space, x: NDArray[Any]) -> str | None:
    if type(space) is not SPACES["real"]:
        return None
    mean, deviation = _moments(x)
    far = (np.abs(mean) > FARTHEST) | (deviation > FARTHEST)
    if not far.any():
        return None
    return (
        f"X must have columns near mean 0 and standard deviation 1 for space='real', neither beyond"
        f" {FARTHEST:g}; {far.sum()} of {far.size} are further off, up to a mean of"
        f" {mean[np.argmax(np.abs(mean))]:.2g} and a standard deviation of {deviation.max():.2g}:"
        " standardize columns to mean 0 and standard deviation 1 first"
    )


def _moments(x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each value over the records."""
    flat = x.reshape(len(x), -1)
    at_once = max(1, _VALUES_AT_A_TIME // flat.shape[1])
    blocks = [slice(start, start + at_once) for start in range(0, len(flat), at_once)]
    white = 255 if is_pixels(x) else 1
    with np.errstate(over="ignore"):  # what overflows is far enough
        mean = sum(flat[block].sum(axis=0, dtype=np.float64) for block in blocks) / len(x)
        squares = (((flat[block] - mean) ** 2).sum(axis=0) for block in blocks)
        return mean / white, np.sqrt(sum(squares) / len(x)) / white
