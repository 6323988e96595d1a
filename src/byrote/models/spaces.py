"""Spaces: the form in which a model sees its records, and the inverse.

A space turns the values of records, images in [0, 1] or rows of numbers, into flat tensors with the
channels first, adds the noise that makes them binary or continuous, and computes the
log-determinant that turns the model's density into one of the records.

A density over pixels is per step of 1/255, so that -log p / (D ln 2) is bits per dimension.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

from byrote.data.records import as_values, is_pixels
from byrote.errors import InvalidInput
from byrote.seeds import mix

SQUEEZE = 0.05  # lambda: keeps the logit finite (Dinh et al. 2017; the authors' value)
STEPS = 256  # of a pixel

# A network begins near mean 0 and variance 1, and Adam moves each weight by at most the learning
# rate a step. Of standard normal columns moved and stretched, a VAE of the default size loses 0.02
# nats per value to the true density at mean 10 and 0.01 at standard deviation 10, 2 at mean 30, 40
# at standard deviation 100 after 30 epochs of 400 records; beyond, its weights become NaN.
FARTHEST = 10.0

_WHITE = STEPS - 1
_OFF_LEVEL = 1e-3  # of a step: more than rounding to float32 leaves
_CHECKED_VALUES = 1 << 22  # checked together, to bound memory
_HASHED_VALUES = 1 << 15  # whose integers stay in the caches
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Space:
    """Records in the units of the data: ``space="real"``.

    Parameters
    ----------
    shape
        Shape of one record: (d,), (h, w) or (h, w, channels).
    device
        Device of the tensors.
    """

    noisy = False  # whether records get noise
    has_units = True  # whether each value may have a unit of its own

    def __init__(self, shape: tuple[int, ...], device: str = "cpu") -> None:
        self.shape = shape
        self.device = device
        self.channels = shape[-1] if len(shape) == 3 else 1
        self.pixels = math.prod(shape) // self.channels

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values outside the space."""

    def numbers(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the values of records that have units."""
        return x

    def values(self, rows: NDArray[np.generic]) -> Tensor:
        """Convert records (n, *shape) to (n, d) float32, channels first; uint8 stands for x/255."""
        raw = torch.from_numpy(np.require(rows, requirements=["C", "W"])).to(self.device)
        values = raw.float().div_(_WHITE) if raw.dtype == torch.uint8 else raw.float()
        last = values.view(len(rows), self.pixels, self.channels)
        return last.transpose(1, 2).flatten(1)

    def records(self, values: Tensor) -> NDArray[np.float32]:
        """Convert ``values``, (n, d), back to records, (n, *shape)."""
        last = values.view(len(values), self.channels, self.pixels).transpose(1, 2)
        return np.ascontiguousarray(last.cpu().numpy().reshape(-1, *self.shape))

    def noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """Draw uniforms for values of this shape; empty if the space has no noise."""
        noise_shape = shape if self.noisy else (0,)
        return torch.rand(noise_shape, generator=generator, device=generator.device)

    def fixed(self, rows: NDArray[np.generic], seed: int) -> tuple[Tensor, Tensor]:
        """Apply ``enter`` to records, (n, *shape), with noise from seed and record alone."""
        floats = as_single(rows)
        values = self.values(floats)
        if not self.noisy:
            return self.enter(values, values)
        noise = content_uniforms(floats.reshape(len(floats), -1), seed)
        return self.enter(values, self.values(noise.reshape(floats.shape)))

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return model inputs from values and noise, and their log-determinants."""
        del noise
        return values, values.new_zeros(len(values))

    def leave(self, x: Tensor) -> Tensor:
        """Return values of records from model inputs or samples."""
        return x


class Binary(Space):
    """Zeros and ones, with the values as probabilities: ``space="binary"``."""

    noisy = True
    has_units = False

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values outside [0, 1]."""
        check_unit_interval(x, "a Bernoulli decoder")

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return ones where the noise is below the value; the log-determinant is 0."""
        return (noise < values).to(values.dtype), values.new_zeros(len(values))


class Logit(Space):
    """Dequantized pixels in logit space: ``space="logit"``."""

    noisy = True
    has_units = False

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values outside [0, 1]."""
        check_unit_interval(x, "a model in logit space (space='real' takes any numbers)")

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits, with the determinant relative to steps of 1/255."""
        y = to_logit(dequantize(values, noise))
        return y, logit_log_determinant(y)

    def leave(self, x: Tensor) -> Tensor:
        """Return pixels, multiples of 1/255."""
        return quantize(from_logit(x))


class Levels(Space):
    """The 256 levels of a pixel, scaled to [-1, 1]: ``space="levels"``."""

    has_units = False

    def check(self, x: NDArray[Any]) -> None:
        """Refuse values that are not multiples of 1/255 in [0, 1]."""
        check_unit_interval(x, "256 levels")
        if x.dtype == np.uint8:
            return
        flat = x.reshape(-1)
        for start in range(0, flat.size, _CHECKED_VALUES):
            steps = flat[start : start + _CHECKED_VALUES] * _WHITE
            if np.abs(steps - np.rint(steps)).max() > _OFF_LEVEL:
                raise InvalidInput(
                    "X must hold multiples of 1/255 for 256 levels; got values between them"
                    " (np.round(255 * X) / 255 makes them levels)"
                )

    def enter(self, values: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return levels from -1 to 1; the log-determinant of a mass is 0."""
        del noise
        return (values * _WHITE).round() * 2 / _WHITE - 1, values.new_zeros(len(values))

    def leave(self, x: Tensor) -> Tensor:
        """Return pixels, multiples of 1/255."""
        return ((x + 1) * _WHITE / 2).round() / _WHITE


SPACES: dict[str, type[Space]] = {"binary": Binary, "logit": Logit, "real": Space, "levels": Levels}


def as_records(X: ArrayLike) -> NDArray[Any]:
    """Return records of an argument: uint8 images unchanged, anything else as floats."""
    if isinstance(X, np.ndarray) and X.dtype == np.uint8 and X.ndim > 2:
        as_values("X", X[:1])  # refuses wrong shapes
        return X
    return as_values("X", X)


def as_single(rows: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return values in float32; uint8 becomes x/255, the same bits on every device."""
    values = rows.astype(np.float32, copy=False)
    return values / np.float32(_WHITE) if rows.dtype == np.uint8 else values


def dequantize(x: Tensor, uniform: Tensor, levels: int = STEPS) -> Tensor:
    """Spread L levels in [0, 1] over their steps (Theis et al. 2016): u = ((L - 1) x + U) / L."""
    return ((levels - 1) * x + uniform) / levels


def quantize(u: Tensor, levels: int = STEPS) -> Tensor:
    """Invert ``dequantize``, for any noise."""
    return (u * levels).floor().clamp(0, levels - 1) / (levels - 1)


def to_logit(u: Tensor) -> Tensor:
    """Compute the logit y = logit(lambda + (1 - 2 lambda) u)."""
    return torch.logit(SQUEEZE + (1 - 2 * SQUEEZE) * u)


def from_logit(y: Tensor) -> Tensor:
    """Invert ``to_logit``."""
    return (torch.sigmoid(y) - SQUEEZE) / (1 - 2 * SQUEEZE)


def logit_log_determinant(y: Tensor, levels: int = STEPS) -> Tensor:
    """Log |dy / d step|, summed over the last axis, to be added to log p(y), nats.

    With s the sigmoid, dy/du = (1 - 2 lambda) / (s(y) s(-y)), log s(y) s(-y) = y - 2 softplus(y),
    and a step is 1/L of u.
    """
    constant = math.log(1 - 2 * SQUEEZE) - math.log(levels)
    return (constant - y + 2 * functional.softplus(y)).sum(dim=-1)


def content_uniforms(x: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Draw one uniform in [0, 1) per value, with 24 bits, from ``seed`` and ``x[i]`` alone.

    A score compares fits, so a record that is made binary must be the same binary record in all of
    them. A draw keyed by content instead of position is the same whichever rows a fit scores, in
    any order, on any machine. Identical records get the same draw.

    Examples
    --------
    >>> x = np.zeros((2, 3), dtype=np.float32)
    >>> bool((content_uniforms(x, seed=3)[0] == content_uniforms(x[:1], seed=3)).all())
    True
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    d = x.shape[1]
    weights = np.random.default_rng(seed).integers(0, 2**64, size=d + 1, dtype=np.uint64)
    uniforms = np.empty_like(x)
    chunk = max(1, _HASHED_VALUES // d)
    for start in range(0, len(x), chunk):
        rows = slice(start, start + chunk)
        uniforms[rows] = _hash_uniforms(x[rows] + np.float32(0), weights)  # -0.0 becomes 0.0
    return uniforms


def _hash_uniforms(x: NDArray[np.float32], weights: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Uniforms from a counter per value, started at the record's hash."""
    d = x.shape[1]
    bits = x.view(np.uint32).astype(np.uint64)
    content = (bits * (weights[:d] | np.uint64(1))).sum(axis=1, dtype=np.uint64)
    offsets: NDArray[np.uint64] = _GOLDEN * np.arange(1, d + 1, dtype=np.uint64)
    counters = mix(content + weights[d])[:, None] + offsets
    return (mix(counters) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def check_unit_interval(x: NDArray[Any], reason: str) -> None:
    """Refuse values outside [0, 1], which the reason needs."""
    if x.dtype == np.uint8:  # pixels
        return
    outside = np.count_nonzero(x < 0) + np.count_nonzero(x > 1)
    if outside:
        raise InvalidInput(
            f"X must lie in [0, 1] for {reason}; got {outside} of {x.size} values outside"
        )


def scale_problem(space: Space, x: NDArray[Any]) -> str | None:
    """Describe columns of ``space="real"`` far from mean 0 and standard deviation 1, if any."""
    numbers = space.numbers(x)
    if not type(space).has_units or not numbers.size:
        return None
    mean, deviation = _moments(numbers)
    far = (np.abs(mean) > FARTHEST) | (deviation > FARTHEST)
    if not far.any():
        return None
    return (
        "X must have columns near mean 0 and standard deviation 1, neither beyond"
        f" {FARTHEST:g}; {far.sum()} of {far.size} are further off, up to a mean of"
        f" {mean[np.argmax(np.abs(mean))]:.2g} and a standard deviation of {deviation.max():.2g}:"
        " standardize columns first (--standardize)"
    )


def _moments(x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    flat = x.reshape(len(x), -1)
    chunk = max(1, _CHECKED_VALUES // flat.shape[1])
    blocks = [slice(start, start + chunk) for start in range(0, len(flat), chunk)]
    white = 255 if is_pixels(x) else 1
    with np.errstate(over="ignore"):  # what overflows is far enough
        mean = sum(flat[block].sum(axis=0, dtype=np.float64) for block in blocks) / len(x)
        squares = (((flat[block] - mean) ** 2).sum(axis=0) for block in blocks)
        return mean / white, np.sqrt(sum(squares) / len(x)) / white
