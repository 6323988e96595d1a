"""Networks of diffusion models: fully connected for rows, a small U-Net for images.

A network F(y, level, labels) maps noisy values of about unit variance, (n, d), and the noise level
in [0, 1], (n, 1), to predictions, (n, d). Its last layer begins at zero.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from byrote.models.torch_utils import Stream, seed_of, seeded

FULLY_CONNECTED, U_NET = "fully-connected", "u-net"
SIDES = 4  # a U-Net halves the sides of images twice
_COSINES = 16


class Conditions(nn.Module):
    """Vectors, (n, width), for noise levels and labels.

    Cosines of pi k level, for k = 0 to 15, are a basis of functions on [0, 1].
    """

    frequencies: Tensor

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", math.pi * torch.arange(_COSINES), persistent=False)
        self.level = nn.Linear(_COSINES, width)
        self.label = nn.Embedding(classes, width) if classes else None

    def forward(self, level: Tensor, labels: Tensor | None) -> Tensor:
        """Embed levels, (n, 1), and labels, (n,)."""
        vectors: Tensor = self.level(torch.cos(level * self.frequencies))
        if self.label is not None:
            vectors = vectors + self.label(labels)
        return functional.silu(vectors)


class FullyConnected(nn.Module):
    """Layers of the widths ``hidden``; each sees the conditions, and adds to the one before it.

    Where widths differ, a layer replaces the one before it.
    """

    def __init__(self, values: int, hidden: Sequence[int], classes: int = 0) -> None:
        super().__init__()
        self.conditions = Conditions(hidden[0], classes)
        self.first = nn.Linear(values, hidden[0])
        self.layers = nn.ModuleList(nn.Linear(*widths) for widths in pairwise(hidden))
        self.widths, self.shifts = tuple(hidden), nn.Linear(hidden[0], sum(hidden))
        self.last = zeroed(nn.Linear(hidden[-1], values))
        self.width = max(values, *hidden)

    def forward(self, y: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Predict (n, d) values; see the module."""
        first, *shifts = self.shifts(self.conditions(level, labels)).split(self.widths, dim=1)
        state = self.first(y) + first
        for layer, shift in zip(self.layers, shifts, strict=True):
            change = layer(functional.silu(state)) + shift
            state = state + change if change.shape == state.shape else change
        predicted: Tensor = self.last(functional.silu(state))
        return predicted


class MapNorm(nn.LayerNorm):
    """Layer norm over the maps of each pixel (Liu et al. 2022), several times faster in bfloat16.

    Group norm has no kernel for 16 bits and maps last.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalize (n, maps, h, w)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """A residual block: twice a norm, SiLU and a 3 x 3 convolution, conditions in between."""

    def __init__(self, maps: int, following: int, conditions: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(MapNorm(m) for m in (maps, following))
        self.convolutions = nn.ModuleList(
            [_convolution(maps, following), zeroed(_convolution(following, following))]
        )
        self.shift = nn.Linear(conditions, following)
        self.skip = nn.Conv2d(maps, following, 1) if maps != following else nn.Identity()

    def forward(self, x: Tensor, conditions: Tensor) -> Tensor:
        """Return (n, following, h, w) maps from (n, maps, h, w) and (n, conditions)."""
        change = self.convolutions[0](functional.silu(self.norms[0](x)))
        change = change + self.shift(conditions)[..., None, None]
        change = self.convolutions[1](functional.silu(self.norms[1](change)))
        result: Tensor = self.skip(x) + change
        return result


class UNet(nn.Module):
    """A U-Net (Ronneberger et al. 2015) of residual blocks on patches of 2 x 2 pixels.

    F maps at half of the image's side and 2F at a quarter; F is ``features``.
    """

    def __init__(
        self, shape: tuple[int, int], channels: int, features: int, classes: int = 0
    ) -> None:
        super().__init__()
        self.shape, self.channels = shape, channels
        self.conditions = Conditions(4 * features, classes)
        self.first = _convolution(4 * channels, features)
        self.before = Block(features, features, 4 * features)
        self.down = nn.Conv2d(features, 2 * features, 3, stride=2, padding=1)
        self.middle = nn.ModuleList(
            Block(2 * features, 2 * features, 4 * features) for _ in range(2)
        )
        self.up = _convolution(2 * features, features)
        self.after = Block(2 * features, features, 4 * features)
        self.norm = MapNorm(features)
        self.last = zeroed(_convolution(features, 4 * channels))
        self.width = features * shape[0] * shape[1] // 4
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the fastest layout

    def forward(self, y: Tensor, level: Tensor, labels: Tensor | None) -> Tensor:
        """Predict (n, d) values; see the module."""
        conditions = self.conditions(level, labels)
        images = y.view(-1, self.channels, *self.shape)
        patches = functional.pixel_unshuffle(images, 2)
        state = self.first(patches.to(memory_format=torch.channels_last))
        state = fine = self.before(state, conditions)
        state = self.down(state)
        for block in self.middle:
            state = block(state, conditions)
        state = self.up(functional.interpolate(state, scale_factor=2.0))
        state = self.after(torch.cat([fine, state], dim=1), conditions)
        predicted = self.last(functional.silu(self.norm(state)))
        return functional.pixel_shuffle(predicted, 2).flatten(1)


def zeroed(layer: Any) -> Any:
    """Set the weights and biases of a layer to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _convolution(maps: int, following: int) -> nn.Conv2d:
    return nn.Conv2d(maps, following, 3, padding=1)


def chosen_network(network: str, shape: tuple[int, ...]) -> str:
    """Resolve "auto": a U-Net for images of sides from 16 that it can halve twice.

    Examples
    --------
    >>> chosen_network("auto", (28, 28)), chosen_network("auto", (8, 8))
    ('u-net', 'fully-connected')
    """
    if network != "auto":
        return network
    fits = len(shape) > 1 and all(side >= 16 and side % SIDES == 0 for side in shape[:2])
    return U_NET if fits else FULLY_CONNECTED


def untrained(model: Any, shape: tuple[int, ...], classes: int) -> FullyConnected | UNet:
    """Make the network of a model's parameters for records of this shape, with initial weights."""
    channels = shape[-1] if len(shape) == 3 else 1
    with seeded(seed_of(model.random_state, Stream.INITIAL)):
        if chosen_network(model.network, shape) == U_NET:
            return UNet((shape[0], shape[1]), channels, model.features, classes)
        return FullyConnected(math.prod(shape), tuple(model.hidden), classes)
