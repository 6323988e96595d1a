"""Norms of single records' gradients where Opacus has none without the gradients, or slow ones.

For convolutions it makes the gradients themselves, the transposed one's by differentiating it again
for each record. But the gradient of a kernel is U'A, summed over q positions: A (q, a) values on
the one side, U (q, u) patches on the other. Its squared norm is also the sum of (A A') * (U U')
over pairs of positions, less work where positions are few and maps many (Bu et al. 2022).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Norms = dict[Tensor, Tensor]  # by parameter
Sampler = Callable[[Any, list[Tensor], Tensor], Norms]

_HIDDEN = 2.0**-14  # of the square of the terms' lengths: many times what float32 rounds off


def sampler_of(layer: nn.Module) -> Sampler | None:
    """Of the layers here; none for convolutions in groups or padded with other than zeros."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        plain = layer.groups == 1 and layer.padding_mode == "zeros"
        if not plain or isinstance(layer.padding, str):
            return None
    return _SAMPLERS.get(type(layer))


def of_linear(layer: nn.Linear, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """(n,) each, of rows (n, d): the gradient is an outer product."""
    length = gradient.norm(dim=1)
    found: Norms = {layer.weight: length * inputs[0].norm(dim=1)}
    return found if layer.bias is None else {**found, layer.bias: length}


def of_convolution(layer: nn.Conv2d, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """(n,) each: patches of the inputs, against the gradient of the outputs."""
    return _both(layer, _patches(layer, inputs[0]), gradient.flatten(2), gradient)


def of_transposed(layer: nn.ConvTranspose2d, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """(n,) each: the inputs, against patches of the gradient of the outputs."""
    return _both(layer, inputs[0].flatten(2), _patches(layer, gradient), gradient)


def of_group_norm(layer: nn.GroupNorm, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """(n,) each, from the gradients themselves, which are small."""
    return {p: each.norm(dim=1) for p, each in _gradients_of_group_norm(layer, inputs, gradient)}


def summed_of_group_norm(layer: nn.GroupNorm, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """(maps,) each: the gradients, summed over records."""
    return {p: each.sum(dim=0) for p, each in _gradients_of_group_norm(layer, inputs, gradient)}


def _gradients_of_group_norm(
    layer: nn.GroupNorm, inputs: list[Tensor], gradient: Tensor
) -> list[tuple[Tensor, Tensor]]:
    """(n, maps) each: over positions, the sum of normalized inputs times gradient, and of it."""
    normalized = functional.group_norm(inputs[0], layer.num_groups, eps=layer.eps)
    one = (normalized * gradient).flatten(2).sum(dim=2)
    return [(layer.weight, one), (layer.bias, gradient.flatten(2).sum(dim=2))]


def _both(
    layer: nn.Conv2d | nn.ConvTranspose2d, one: Tensor, other: Tensor, gradient: Tensor
) -> Norms:
    found: Norms = {layer.weight: _norm_of_product(one, other)}
    if layer.bias is not None:
        found[layer.bias] = gradient.flatten(2).sum(dim=2).norm(dim=1)
    return found


def _patches(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """(n, maps * kernel, positions)."""
    window: Any = (layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return functional.unfold(x, *window)


def _norm_of_product(one: Tensor, other: Tensor) -> Tensor:
    """(n,) Frobenius norms of one other', (n, a, q) and (n, u, q), by the shorter way."""
    (a, positions), u = one.shape[1:], other.shape[1]
    if positions * (a + u) < a * u:
        return squared_norm((one.mT @ one) * (other.mT @ other)).sqrt()
    return (one @ other.mT).flatten(1).norm(dim=1)


def squared_norm(pairs: Tensor) -> Tensor:
    """(n,) squared norms of sums, from the scalar products of their terms, (n, q, q).

    Where long terms cancel, what is left of the sum is lost in rounding, and a gradient would be
    clipped too little. There the square is what rounding may hide at most.
    """
    lengths = pairs.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt().sum(dim=1)
    return torch.maximum(pairs.sum(dim=(1, 2)), _HIDDEN * lengths.square())


_SAMPLERS: dict[type[nn.Module], Sampler] = {
    nn.Linear: of_linear,
    nn.Conv2d: of_convolution,
    nn.ConvTranspose2d: of_transposed,
    nn.GroupNorm: of_group_norm,
}
