"""Norms of single records' gradients, layer by layer, from inputs and output gradients.

Ghost clipping (Goodfellow 2015; Li et al. 2022): the norm follows from a layer's inputs and the
gradient of its output, without a gradient for each record. Plain linear layers, convolutions and
group normalization have norms here, others in Opacus or registered with it by the user
(``opacus.grad_sample.register_norm_sampler``, ``register_grad_sampler``): functions of the layer,
its inputs and the gradient of its output that return (n,) norms, or (n, ...) gradients, of each
parameter.

Opacus makes the gradients of convolutions themselves, those of transposed ones by differentiating
again for each record. But the gradient of a kernel is U'A, summed over q positions: A (q, a) values
on one side, U (q, u) patches on the other. Its squared norm is also the sum of (A A') * (U U') over
pairs of positions, less work for few positions and many maps (Bu et al. 2022).

docs/privacy.md compares the time of a step with that of Opacus' own ghost clipping.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from byrote.errors import InvalidInput
from byrote.models.extras import import_extra

Sampler = Callable[[Any, list[Tensor], Tensor], Mapping[Any, Tensor]]
Norms = dict[Tensor, Tensor]  # by parameter

_ROUNDING = 2.0**-14  # of the square of the terms' lengths: many times what float32 rounds off


class Layers:
    """The layers of a module that have parameters, with their inputs and outputs in a pass.

    Each layer must treat records separately, along the first axis of its inputs and of its single
    output. Statistics of batches and shared parameters are refused.
    """

    def __init__(self, module: nn.Module) -> None:
        hooks = import_extra("opacus.grad_sample").GradSampleHooksFastGradientClipping
        self._norm_samplers: dict[type[nn.Module], Sampler] = hooks.NORM_SAMPLERS
        self._gradient_samplers: dict[type[nn.Module], Sampler] = hooks.GRAD_SAMPLERS
        _check_buffers(module)
        self.layers = list(self._within(module))
        _check_shared(self.layers)
        self._calls: list[tuple[nn.Module, list[Tensor], Tensor]] = []
        self._repeated: dict[nn.Module, list[tuple[nn.Parameter, Tensor]]] = {}

    @property
    def gradients(self) -> str:
        """Kind of norms: "ghost", without gradients of single records, or "per-example"."""
        return "ghost" if all(map(self._ghost, self.layers)) else "per-example"

    def outputs(self, run: Callable[[], Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Run a function that calls the module; return its result and the layers' outputs in it."""
        self._calls.clear()
        handles = [layer.register_forward_hook(self._record) for layer in self.layers]
        try:
            result = run()
        finally:
            for handle in handles:
                handle.remove()
        called = {layer for layer, _, _ in self._calls}
        for layer in self.layers:
            if layer not in called:
                raise _unsupported(layer, "its parameters are used outside its forward pass")
        return result, [output for _, _, output in self._calls]

    def norms(self, gradients: Sequence[Tensor]) -> Tensor:
        """Compute (n,) norms of the records' gradients from gradients of the layers' outputs."""
        self._repeated.clear()
        calls: dict[nn.Module, list[tuple[list[Tensor], Tensor]]] = {}
        for (layer, inputs, _), gradient in zip(self._calls, gradients, strict=True):
            calls.setdefault(layer, []).append((inputs, gradient))
        parts = [part for layer, all_ in calls.items() for part in self._layer_norms(layer, all_)]
        return torch.stack(parts).norm(dim=0)

    def sums(
        self, weights: Tensor, gradients: Sequence[Tensor]
    ) -> list[tuple[nn.Parameter, Tensor]]:
        """Return gradients of the trained parameters, with records weighted by (n,)."""
        sums: list[tuple[nn.Parameter, Tensor]] = []
        for each in self._repeated.values():
            sums += [(p, torch.tensordot(weights, total, 1)) for p, total in each]
        for (layer, inputs, output), gradient in zip(self._calls, gradients, strict=True):
            if layer in self._repeated:
                continue
            weighted = gradient * weights.view(-1, *[1] * (gradient.dim() - 1))
            if isinstance(layer, nn.GroupNorm):  # PyTorch 2.13 crashes, asked for these alone
                by_parameter = summed_of_group_norm(layer, inputs, weighted)
                sums += [(p, by_parameter[p]) for p in trained(layer)]
            else:
                parts = torch.autograd.grad(output, trained(layer), weighted, retain_graph=True)
                sums += zip(trained(layer), parts, strict=True)
        self._calls.clear()
        self._repeated.clear()
        return sums

    def _within(self, module: nn.Module) -> Iterator[nn.Module]:
        """Yield trained layers: those with a sampler, whole, and others with direct parameters."""
        known = type(module) in self._norm_samplers or type(module) in self._gradient_samplers
        if known or any(p.requires_grad for p in module.parameters(recurse=False)):
            if trained(module):
                yield module
            return
        for child in module.children():
            yield from self._within(child)

    def _ghost(self, layer: nn.Module) -> Sampler | None:
        return norm_sampler(layer) or self._norm_samplers.get(type(layer))

    def _record(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        if not isinstance(output, Tensor):
            raise _unsupported(layer, "it returns more than one tensor")
        self._calls.append((layer, [value.detach() for value in inputs], output))

    def _layer_norms(
        self, layer: nn.Module, calls: list[tuple[list[Tensor], Tensor]]
    ) -> list[Tensor]:
        """Return (n,) for each trained parameter; gradients of several calls are added first."""
        parameters, (inputs, gradient) = trained(layer), calls[0]
        ghost = self._ghost(layer) if len(calls) == 1 else None
        if type(layer) is nn.Linear and gradient.dim() > 2:  # rows of positions: Opacus' own
            ghost = ghost and self._norm_samplers[nn.Linear]
        if ghost is not None:
            norms = ghost(layer, inputs, gradient)
            if any(p not in norms for p in parameters):
                shape = tuple(inputs[0].shape[1:])
                raise _unsupported(layer, f"norms are not known for inputs of shape {shape}")
            return [norms[p] for p in parameters]
        sampler = self._gradient_samplers.get(type(layer), _gradients_by_vmap)
        # contiguous: Opacus misreads the channels-last layout, with norms too small by half
        each = [
            sampler(layer, [value.contiguous() for value in inputs], gradient.contiguous())
            for inputs, gradient in calls
        ]
        sums = [torch.stack([gradients[p] for gradients in each]).sum(dim=0) for p in parameters]
        if len(calls) > 1:  # the graph of one call may lead through another's
            self._repeated[layer] = list(zip(parameters, sums, strict=True))
        return [total.reshape(len(total), -1).norm(dim=1) for total in sums]


def trained(layer: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that require gradients."""
    return [p for p in layer.parameters() if p.requires_grad]


def norm_sampler(layer: nn.Module) -> Sampler | None:
    """Return the layer's sampler here; None for grouped or non-zero padded convolutions."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        plain = layer.groups == 1 and layer.padding_mode == "zeros"
        if not plain or isinstance(layer.padding, str):
            return None
    return _NORM_SAMPLERS.get(type(layer))


def of_linear(layer: nn.Linear, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """Compute (n,) norms for rows (n, d): the gradient is an outer product."""
    length = gradient.norm(dim=1)
    norms: Norms = {layer.weight: length * inputs[0].norm(dim=1)}
    return norms if layer.bias is None else {**norms, layer.bias: length}


def of_convolution(layer: nn.Conv2d, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """Compute (n,) norms from patches of the inputs and the gradient of the outputs."""
    return _kernel_norms(layer, _patches(layer, inputs[0]), gradient.flatten(2), gradient)


def of_transposed(layer: nn.ConvTranspose2d, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """Compute (n,) norms from the inputs and patches of the gradient of the outputs."""
    return _kernel_norms(layer, inputs[0].flatten(2), _patches(layer, gradient), gradient)


def of_group_norm(layer: nn.GroupNorm, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """Compute (n,) norms from the gradients themselves, which are small."""
    return {p: each.norm(dim=1) for p, each in _gradients_of_group_norm(layer, inputs, gradient)}


def summed_of_group_norm(layer: nn.GroupNorm, inputs: list[Tensor], gradient: Tensor) -> Norms:
    """Compute (maps,) gradients, summed over records."""
    return {p: each.sum(dim=0) for p, each in _gradients_of_group_norm(layer, inputs, gradient)}


def _gradients_of_group_norm(
    layer: nn.GroupNorm, inputs: list[Tensor], gradient: Tensor
) -> list[tuple[Tensor, Tensor]]:
    """(n, maps) each: sums over positions of normalized inputs times gradient, and of it."""
    normalized = functional.group_norm(inputs[0], layer.num_groups, eps=layer.eps)
    by_weight = (normalized * gradient).flatten(2).sum(dim=2)
    return [(layer.weight, by_weight), (layer.bias, gradient.flatten(2).sum(dim=2))]


def _kernel_norms(
    layer: nn.Conv2d | nn.ConvTranspose2d, a: Tensor, u: Tensor, gradient: Tensor
) -> Norms:
    norms: Norms = {layer.weight: _norm_of_product(a, u)}
    if layer.bias is not None:
        norms[layer.bias] = gradient.flatten(2).sum(dim=2).norm(dim=1)
    return norms


def _patches(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """(n, maps * kernel, positions)."""
    window: Any = (layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return functional.unfold(x, *window)


def _norm_of_product(a: Tensor, u: Tensor) -> Tensor:
    """(n,) Frobenius norms of a u', (n, rows, q) and (n, columns, q), by the cheaper way."""
    (rows, positions), columns = a.shape[1:], u.shape[1]
    if positions * (rows + columns) < rows * columns:
        return squared_norm((a.mT @ a) * (u.mT @ u)).sqrt()
    return (a @ u.mT).flatten(1).norm(dim=1)


def squared_norm(pairs: Tensor) -> Tensor:
    """Compute (n,) squared norms of sums from the scalar products of their terms, (n, q, q).

    Where long terms cancel, rounding hides what is left of the sum, and a gradient would be clipped
    too little: there the square is the most that rounding may hide.
    """
    lengths = pairs.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt().sum(dim=1)
    return torch.maximum(pairs.sum(dim=(1, 2)), _ROUNDING * lengths.square())


_NORM_SAMPLERS: dict[type[nn.Module], Sampler] = {
    nn.Linear: of_linear,
    nn.Conv2d: of_convolution,
    nn.ConvTranspose2d: of_transposed,
    nn.GroupNorm: of_group_norm,
}


def _gradients_by_vmap(
    layer: nn.Module, inputs: list[Tensor], gradient: Tensor
) -> dict[nn.Parameter, Tensor]:
    """(n, ...) gradients of single records, of any layer."""
    weights = {name: p.detach() for name, p in layer.named_parameters()}

    def matched(weights: dict[str, Tensor], gradient: Tensor, *record: Tensor) -> Tensor:
        output = functional_call(layer, weights, tuple(value[None] for value in record))
        return (output[0] * gradient).sum()

    axes = (None, 0, *[0] * len(inputs))
    each = vmap(grad(matched), in_dims=axes)(weights, gradient, *inputs)
    return {p: each[name] for name, p in layer.named_parameters()}


def _check_buffers(module: nn.Module) -> None:
    """Refuse statistics of batches: they mix records and reveal them without noise.

    Boolean buffers, which mask weights or values, are none.
    """
    for layer in module.modules():
        batches = isinstance(layer, nn.modules.batchnorm._BatchNorm)
        buffers = layer.buffers(recurse=False)
        if batches or any(buffer.dtype != torch.bool for buffer in buffers):
            raise _unsupported(layer, "it has buffers, like statistics of batches")


def _check_shared(layers: Sequence[nn.Module]) -> None:
    """Refuse a parameter of two layers, which would be clipped before its gradients are added."""
    seen: set[nn.Parameter] = set()
    for layer in layers:
        if not seen.isdisjoint(trained(layer)):
            raise _unsupported(layer, "it shares a parameter with another")
        seen.update(trained(layer))


def _unsupported(layer: nn.Module, reason: str) -> InvalidInput:
    return InvalidInput(
        f"dp must be None with a layer whose gradients cannot be had record by record; got"
        f" {type(layer).__name__}, for {reason}"
    )
