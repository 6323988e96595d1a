"""Norms of the gradients of single records, layer by layer, from what went in and what came back.

A layer of whose inputs and output gradients the norm follows needs no gradient of its own for each
record: "ghost" clipping (Goodfellow 2015; Li et al. 2022). Which layers those are, and how others
make gradients record by record, Opacus knows, and whoever registers a layer with it
(``opacus.grad_sample.register_norm_sampler``, ``register_grad_sampler``): functions of the layer,
its inputs and the gradient of its output that give (n,) norms, or (n, ...) gradients, of each
parameter. Plain linear layers, convolutions and group
normalization have theirs here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from byrote.errors import InvalidInput
from byrote.models.privacy import norms
from byrote.models.privacy.library import load

Sampler = Callable[[Any, list[Tensor], Tensor], Mapping[Any, Tensor]]


class Layers:
    """The layers of a module that have parameters, and what went through them.

    Parameters
    ----------
    module
        Each layer must treat records apart, along the first axis of its inputs and of its output,
        one tensor.

    Raises
    ------
    InvalidInput
        If a layer has statistics of batches, or two layers share a parameter.
    """

    def __init__(self, module: nn.Module) -> None:
        hooks = load("opacus.grad_sample").GradSampleHooksFastGradientClipping
        self._norms: dict[type[nn.Module], Sampler] = hooks.NORM_SAMPLERS
        self._gradients: dict[type[nn.Module], Sampler] = hooks.GRAD_SAMPLERS
        _check_buffers(module)
        self.layers = list(self._within(module))
        _check_shared(self.layers)
        self._calls: list[tuple[nn.Module, list[Tensor], Tensor]] = []
        self._repeated: dict[nn.Module, list[tuple[nn.Parameter, Tensor]]] = {}

    @property
    def gradients(self) -> str:
        """How norms are had: "ghost", without gradients of single records, or "per-example"."""
        return "ghost" if all(map(self._ghost, self.layers)) else "per-example"

    def outputs(self, run: Callable[[], Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What a call gives that goes through the module, and what the layers give in it.

        Raises
        ------
        InvalidInput
            If a layer is not called.
        """
        self._calls.clear()
        handles = [layer.register_forward_hook(self._keep) for layer in self.layers]
        try:
            result = run()
        finally:
            for handle in handles:
                handle.remove()
        called = {layer for layer, _, _ in self._calls}
        for layer in self.layers:
            if layer not in called:
                raise _unable(layer, "its parameters are used without a call of it")
        return result, [output for _, _, output in self._calls]

    def norms(self, gradients: Sequence[Tensor]) -> Tensor:
        """(n,) norms of the records' gradients, from those of the layers' outputs."""
        self._repeated.clear()
        calls: dict[nn.Module, list[tuple[list[Tensor], Tensor]]] = {}
        for (layer, inputs, _), gradient in zip(self._calls, gradients, strict=True):
            calls.setdefault(layer, []).append((inputs, gradient))
        parts = [part for layer, all_ in calls.items() for part in self._of(layer, all_)]
        return torch.stack(parts).norm(dim=0)

    def sums(
        self, weights: Tensor, gradients: Sequence[Tensor]
    ) -> list[tuple[nn.Parameter, Tensor]]:
        """Gradients of the trained parameters, records weighted by (n,), from the same."""
        found: list[tuple[nn.Parameter, Tensor]] = []
        for each in self._repeated.values():
            found += [(p, torch.tensordot(weights, total, 1)) for p, total in each]
        for (layer, inputs, output), gradient in zip(self._calls, gradients, strict=True):
            if layer in self._repeated:
                continue
            weighted = gradient * weights.view(-1, *[1] * (gradient.dim() - 1))
            if isinstance(layer, nn.GroupNorm):  # PyTorch 2.13 crashes, asked for these alone
                sums = norms.summed_of_group_norm(layer, inputs, weighted)
                found += [(p, sums[p]) for p in trained(layer)]
            else:
                parts = torch.autograd.grad(output, trained(layer), weighted, retain_graph=True)
                found += zip(trained(layer), parts, strict=True)
        self._calls.clear()
        self._repeated.clear()
        return found

    def _within(self, module: nn.Module) -> Iterator[nn.Module]:
        """Layers with a sampler, whole, and others with parameters of their own."""
        known = type(module) in self._norms or type(module) in self._gradients
        if known or any(p.requires_grad for p in module.parameters(recurse=False)):
            if trained(module):
                yield module
            return
        for child in module.children():
            yield from self._within(child)

    def _ghost(self, layer: nn.Module) -> Sampler | None:
        return norms.sampler_of(layer) or self._norms.get(type(layer))

    def _keep(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        if not isinstance(output, Tensor):
            raise _unable(layer, "it gives more than one tensor")
        self._calls.append((layer, [value.detach() for value in inputs], output))

    def _of(self, layer: nn.Module, calls: list[tuple[list[Tensor], Tensor]]) -> list[Tensor]:
        """(n,) for each parameter that is trained; gradients of several calls are added first."""
        parameters, (inputs, gradient) = trained(layer), calls[0]
        ghost = self._ghost(layer) if len(calls) == 1 else None
        if type(layer) is nn.Linear and gradient.dim() > 2:  # rows of positions: Opacus' own
            ghost = ghost and self._norms[nn.Linear]
        if ghost is not None:
            found = ghost(layer, inputs, gradient)
            if any(p not in found for p in parameters):
                raise _unable(layer, f"no norms are known for inputs {tuple(inputs[0].shape[1:])}")
            return [found[p] for p in parameters]
        sampler = self._gradients.get(type(layer), _one_by_one)
        each = [sampler(layer, inputs, gradient) for inputs, gradient in calls]
        sums = [torch.stack([found[p] for found in each]).sum(dim=0) for p in parameters]
        if len(calls) > 1:  # the graph of one call may lead through another's
            self._repeated[layer] = list(zip(parameters, sums, strict=True))
        return [total.reshape(len(total), -1).norm(dim=1) for total in sums]


def trained(layer: nn.Module) -> list[nn.Parameter]:
    """The parameters that are not fixed."""
    return [p for p in layer.parameters() if p.requires_grad]


def _one_by_one(
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
    """Statistics of batches would join what was kept apart, and tell of records without noise."""
    for layer in module.modules():
        batches = isinstance(layer, nn.modules.batchnorm._BatchNorm)
        if batches or any(True for _ in layer.buffers(recurse=False)):
            raise _unable(layer, "it has buffers, like statistics of batches")


def _check_shared(layers: Sequence[nn.Module]) -> None:
    """Gradients of a parameter from two layers would have to be added before they are clipped."""
    seen: set[nn.Parameter] = set()
    for layer in layers:
        if not seen.isdisjoint(trained(layer)):
            raise _unable(layer, "it shares a parameter with another")
        seen.update(trained(layer))


def _unable(layer: nn.Module, why: str) -> InvalidInput:
    return InvalidInput(
        f"dp must be None with a layer whose gradients cannot be had record by record; got"
        f" {type(layer).__name__}, for {why}"
    )
