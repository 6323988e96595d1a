"""Norms of the gradients of single records, layer by layer, from what went in and what came back.

A layer of whose inputs and output gradients the norm follows needs no gradient of its own for each
record: "ghost" clipping (Goodfellow 2015; Li et al. 2022). Which layers those are, and how others
make gradients record by record, Opacus knows, and whoever registers a layer with it
(``opacus.grad_sample.register_norm_sampler``, ``register_grad_sampler``).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from byrote.errors import InvalidInput
from byrote.models.privacy.library import load


class Layers:
    """The layers of a module that have parameters, with hooks that keep what went through them.

    Parameters
    ----------
    module
        Each layer must treat records apart, along the first axis of its inputs and its output, and
        be called once for a loss.

    Raises
    ------
    InvalidInput
        If a layer has statistics of batches, or is one that Opacus cannot handle.
    """

    def __init__(self, module: nn.Module) -> None:
        self._hooks = load("opacus.grad_sample").GradSampleHooksFastGradientClipping
        _check_buffers(module)
        self.layers = list(self._within(module))
        self._prepare()
        self._handles = [layer.register_forward_hook(self._keep) for layer in self.layers]
        self._seen: dict[nn.Module, tuple[Sequence[Tensor], Tensor]] = {}
        self._active = False

    @property
    def gradients(self) -> str:
        """How norms are had: "ghost", without gradients of single records, or "per-example"."""
        ghost = all(type(layer) in self._hooks.NORM_SAMPLERS for layer in self.layers)
        return "ghost" if ghost else "per-example"

    def parameters(self) -> list[list[nn.Parameter]]:
        """Those of each layer that are trained."""
        return [[p for p in layer.parameters() if p.requires_grad] for layer in self.layers]

    def start(self) -> None:
        """Keep what goes through from now on."""
        self._seen.clear()
        self._active = True

    def outputs(self) -> list[Tensor]:
        """Of the layers, in their order; no more is kept.

        Raises
        ------
        InvalidInput
            If a layer was not called.
        """
        self._active = False
        for layer in self.layers:
            if layer not in self._seen:
                raise _unable(layer, "its parameters are used without a call of it")
        return [self._seen[layer][1] for layer in self.layers]

    def norms(self, gradients: Sequence[Tensor]) -> Tensor:
        """(n,) norms of the records' gradients, from those of the layers' outputs."""
        parts = []
        for layer, gradient in zip(self.layers, gradients, strict=True):
            parts += self._norms(layer, list(self._seen[layer][0]), gradient)
        return torch.stack(parts).norm(dim=0)

    def forget(self) -> None:
        """Let go of what went through."""
        self._seen.clear()

    def remove(self) -> None:
        """Leave the module as it was."""
        self.forget()
        for handle in self._handles:
            handle.remove()
        for layer in self.layers:
            if hasattr(layer, "ft_compute_sample_grad"):
                del layer.ft_compute_sample_grad

    def _within(self, module: nn.Module) -> Iterator[nn.Module]:
        """Layers known to Opacus, whole, and others with parameters of their own."""
        known = (
            type(module) in self._hooks.NORM_SAMPLERS or type(module) in self._hooks.GRAD_SAMPLERS
        )
        if known or any(p.requires_grad for p in module.parameters(recurse=False)):
            if any(p.requires_grad for p in module.parameters()):
                yield module
            return
        for child in module.children():
            yield from self._within(child)

    def _prepare(self) -> None:
        """Before hooks are set: Opacus copies a layer without a sampler to differentiate it."""
        functorch = load("opacus.grad_sample.functorch")
        for layer in self.layers:
            if type(layer) not in self._hooks.GRAD_SAMPLERS:
                functorch.prepare_layer(layer)

    def _keep(self, layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if not (self._active and torch.is_grad_enabled()):
            return
        if layer in self._seen:
            raise _unable(layer, "it is called twice")
        if not isinstance(output, Tensor):
            raise _unable(layer, "it gives more than one tensor")
        self._seen[layer] = ([value.detach() for value in inputs], output)

    def _norms(self, layer: nn.Module, inputs: list[Tensor], gradient: Tensor) -> list[Tensor]:
        """(n,) for each parameter that is trained."""
        n, known = len(gradient), self._hooks.NORM_SAMPLERS.get(type(layer))
        trained = [p for p in layer.parameters() if p.requires_grad]
        found: Mapping[nn.Parameter, Tensor]
        if known is not None:
            found = known(layer, inputs, gradient)
        else:
            fallback = load("opacus.grad_sample.functorch").ft_compute_per_sample_gradient
            found = self._hooks.GRAD_SAMPLERS.get(type(layer), fallback)(layer, inputs, gradient)
        if any(p not in found for p in trained):
            raise _unable(layer, f"Opacus has no norms for inputs of shape {inputs[0].shape[1:]}")
        each = [found[p] for p in trained]
        return each if known is not None else [g.reshape(n, -1).norm(dim=1) for g in each]


def _check_buffers(module: nn.Module) -> None:
    """Statistics of batches would join what was kept apart, and tell of records without noise."""
    for layer in module.modules():
        batches = isinstance(layer, nn.modules.batchnorm._BatchNorm)
        if batches or any(True for _ in layer.buffers(recurse=False)):
            raise _unable(layer, "it has buffers, like statistics of batches")


def _unable(layer: nn.Module, why: str) -> InvalidInput:
    return InvalidInput(
        f"dp must be None with a layer whose gradients cannot be had record by record; got"
        f" {type(layer).__name__}, for {why}"
    )
