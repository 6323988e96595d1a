"""Spaces: in what form a model sees its records, and how to come back.

A space turns the values of records, images in [0, 1] or rows of numbers, into flat tensors with the
channels first, adds the noise that makes them binary or continuous, and knows the log-determinant
that turns the model's density into one of the records.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from byrote.data.records import as_values
from byrote.errors import InvalidInput
from byrote.models.noise import uniforms
from byrote.models.vae import transforms

_TOP = transforms.STEPS - 1
_OFF_LEVEL = 1e-3  # of a step: more than rounding to float32 leaves
_VALUES_AT_A_TIME = 1 << 22  # checked together, to bound memory


class Space:
    """Records as they are, in the units of the data: ``space="real"``.

    Parameters
    ----------
    shape
        Of one record: (d,), (h, w) or (h, w, channels).
    device
        Where tensors are made.
    """

    noisy = False  # whether records get noise
    has_units = True  # whether each value may have a unit of its own

    def __init__(self, shape: tuple[int, ...], device: str = "cpu") -> None:
        self.shape = shape
        self.device = device
        self.channels = shape[-1] if len(shape) == 3 else 1
        self.pixels = math.prod(shape) // self.channels

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values that cannot be had in this space."""

    def values(self, rows: NDArray[np.generic]) -> Tensor:
        """(n, *shape) records -> (n, d) float32, channels first; bytes stand for 255ths."""
        given = torch.from_numpy(np.require(rows, requirements=["C", "W"])).to(self.device)
        values = given.float().div_(_TOP) if given.dtype == torch.uint8 else given.float()
        last = values.view(len(rows), self.pixels, self.channels)
        return last.transpose(1, 2).flatten(1)

    def records(self, values: Tensor) -> NDArray[np.float32]:
        """The inverse of ``values``."""
        last = values.view(len(values), self.channels, self.pixels).transpose(1, 2)
        return np.ascontiguousarray(last.cpu().numpy().reshape(-1, *self.shape))

    def noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """Uniforms for values of this shape; empty where the space has no noise."""
        wanted = shape if self.noisy else (0,)
        return torch.rand(wanted, generator=generator, device=generator.device)

    def fixed(self, rows: NDArray[np.generic], seed: int) -> tuple[Tensor, Tensor]:
        """The same from records, (n, *shape), with noise that is a function of seed and record."""
        given = single(rows)
        values = self.values(given)
        if not self.noisy:
            return self.enter(values, values)
        noise = uniforms(given.reshape(len(given), -1), seed)
        return self.enter(values, self.values(noise.reshape(given.shape)))

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """What the model sees of values with this noise, and the log-determinants."""
        del noise
        return values, values.new_zeros(len(values))

    def leave(self, x: Tensor) -> Tensor:
        """Values of records from what the model sees or draws."""
        return x


class Binary(Space):
    """Zeros and ones, with the values as probabilities: ``space="binary"``."""

    noisy = True
    has_units = False

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values outside [0, 1]."""
        _check_unit_interval(x, "a Bernoulli decoder")

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Ones where the noise is below the value; no determinant."""
        return (noise < values).to(values.dtype), values.new_zeros(len(values))


class Logit(Space):
    """Dequantized pixels in logit space: ``space="logit"``."""

    noisy = True
    has_units = False

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values outside [0, 1]."""
        _check_unit_interval(x, "a model in logit space (space='real' takes any numbers)")

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The logits, with the determinant against steps of 1/255."""
        y = transforms.to_logit(transforms.dequantized(values, noise))
        return y, transforms.log_determinant(y)

    def leave(self, x: Tensor) -> Tensor:
        """Pixels, multiples of 1/255."""
        return transforms.quantized(transforms.from_logit(x))


class Levels(Space):
    """The 256 levels of a pixel, scaled to [-1, 1]: ``space="levels"``."""

    has_units = False

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values that are no multiples of 1/255 in [0, 1]."""
        _check_unit_interval(x, "256 levels")
        if x.dtype == np.uint8:
            return
        flat = x.reshape(-1)
        for start in range(0, flat.size, _VALUES_AT_A_TIME):
            steps = flat[start : start + _VALUES_AT_A_TIME] * _TOP
            if np.abs(steps - np.rint(steps)).max() > _OFF_LEVEL:
                raise InvalidInput(
                    "X must hold multiples of 1/255 for 256 levels; got values between them"
                    " (np.round(255 * X) / 255 makes them levels)"
                )

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Levels from -1 to 1; a mass needs no determinant."""
        del noise
        return (values * _TOP).round() * 2 / _TOP - 1, values.new_zeros(len(values))

    def leave(self, x: Tensor) -> Tensor:
        """Pixels, multiples of 1/255."""
        return ((x + 1) * _TOP / 2).round() / _TOP


SPACES: dict[str, type[Space]] = {"binary": Binary, "logit": Logit, "real": Space, "levels": Levels}


def as_given(X: ArrayLike) -> NDArray[Any]:
    """Records as they come: images of bytes as they are, or else floating values."""
    if isinstance(X, np.ndarray) and X.dtype == np.uint8 and X.ndim > 2:
        as_values("X", X[:1])  # refuses wrong shapes
        return X
    return as_values("X", X)


def single(rows: NDArray[np.generic]) -> NDArray[np.float32]:
    """Values in float32; bytes become 255ths, the same bits on every device."""
    values = rows.astype(np.float32, copy=False)
    return values / np.float32(_TOP) if rows.dtype == np.uint8 else values


def _check_unit_interval(x: NDArray[Any], reason: str) -> None:
    if x.dtype == np.uint8:  # pixels
        return
    outside = np.count_nonzero(x < 0) + np.count_nonzero(x > 1)
    if outside:
        raise InvalidInput(
            f"X must lie in [0, 1] for {reason}; got {outside} of {x.size} values outside"
        )
