"""One step of training: the bound of a batch, its gradient, and Adam (Kingma & Ba 2015).

Two ways to the same numbers, up to rounding: PyTorch's autograd and optimizer, for any network;
and the whole step as one compiled function, for networks without state. Also, steps of DP-SGD.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value

from byrote.models.arithmetic import compiled
from byrote.models.privacy.dp_sgd import PrivateTraining
from byrote.models.spaces import Space
from byrote.models.vae.autoencoder import AutoEncoder

_DECAY, _SQUARED_DECAY, _EPSILON = 0.9, 0.999, 1e-8  # PyTorch's defaults, as in the paper


class Step(Protocol):
    """Trains a model on one batch at a time."""

    def __call__(self, values: Tensor, noise: Tensor, latent: Tensor) -> Tensor:
        """Return minus the bounds on log p, or another cost, summed before the step, nats.

        ``values`` (n, d) are the space's; ``noise`` (n, d) uniforms make them binary or continuous,
        if the space has noise; ``latent`` (n, latent) are standard normal draws.
        """


def decays(name: str) -> bool:
    """Whether weight decay shrinks a parameter: the network's, not those of densities."""
    return name.startswith("network.")


def adam(model: AutoEncoder, learning_rate: float, decay: float) -> torch.optim.Optimizer:
    """Make PyTorch's Adam; with weight decay, AdamW (Loshchilov & Hutter 2019)."""
    if not decay:
        return torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    named = list(model.named_parameters())
    groups = [
        {"params": [p for name, p in named if decays(name)], "weight_decay": decay},
        {"params": [p for name, p in named if not decays(name)], "weight_decay": 0.0},
    ]
    used = [group for group in groups if group["params"]]
    return torch.optim.AdamW(used, lr=learning_rate, fused=True)


class PlainStep:
    """Autograd and PyTorch's Adam."""

    def __init__(
        self,
        model: AutoEncoder,
        space: Space,
        learning_rate: float,
        dtype: torch.dtype,
        decay: float = 0.0,
    ) -> None:
        self._model, self._space, self._dtype = model, space, dtype
        self._optimizer = adam(model, learning_rate, decay)

    def __call__(self, values: Tensor, noise: Tensor, latent: Tensor) -> Tensor:
        """Take the step; see ``Step``."""
        inputs, log_determinant = self._space.enter(values, noise)
        reduced = self._dtype != torch.float32
        with torch.autocast(values.device.type, self._dtype, enabled=reduced):
            loss = self._model(inputs, latent).sum() - log_determinant.sum()
            self._optimizer.zero_grad(set_to_none=True)
            (loss / len(values)).backward()
        self._optimizer.step()
        return loss.detach()


class CompiledStep:
    """One compiled function; products are in ``dtype``, sums and weights in float32.

    The model must have no buffers: its step must be a function of its parameters. A batch of
    another size than ``batch``, at the end of an epoch, is not worth compiling for and runs
    uncompiled.
    """

    def __init__(
        self,
        model: AutoEncoder,
        space: Space,
        learning_rate: float,
        dtype: torch.dtype,
        batch: int,
        decay: float = 0.0,
    ) -> None:
        self._model, self._space = model, space
        self._rate, self._batch = learning_rate, batch
        self._shrinkage = [1 - learning_rate * decay] if decay else []
        self._steps = 0
        self._names = [name for name, _ in model.named_parameters()]
        self._weights = [weight.detach() for weight in model.parameters()]
        self._moments = [torch.zeros_like(weight) for weight in self._weights]
        self._squares = [torch.zeros_like(weight) for weight in self._weights]
        self._working = [
            weight.to(dtype if name.startswith("network.") else weight.dtype)  # in float32 the same
            for name, weight in zip(self._names, self._weights, strict=True)
        ]
        device = self._weights[0].device
        configuration = (type(space).__name__, space.shape, batch, dtype, device, decay > 0)
        self._compiled = compiled(_adam_step, repr(model), *configuration)

    @torch.no_grad()
    def __call__(self, values: Tensor, noise: Tensor, latent: Tensor) -> Tensor:
        """Take the step; see ``Step``."""
        self._steps += 1
        rate = self._rate / (1 - _DECAY**self._steps)
        correction = 1 / math.sqrt(1 - _SQUARED_DECAY**self._steps)
        factors = torch.tensor([rate, correction, *self._shrinkage], device=values.device)
        state = (self._weights, self._moments, self._squares, self._working)
        step = self._compiled if len(values) == self._batch else _adam_step
        batch = (values, noise, latent)
        return step(self._model, self._space, self._names, state, batch, factors)


State = tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]


def _adam_step(
    model: AutoEncoder,
    space: Space,
    names: Sequence[str],
    state: State,
    batch: tuple[Tensor, Tensor, Tensor],
    factors: Tensor,
) -> Tensor:
    values, noise, latent = batch
    n = len(values)

    def mean_bound(working: Sequence[Tensor]) -> Tensor:
        weights = dict(zip(names, working, strict=True))
        inputs, log_determinant = space.enter(values, noise)
        bound = functional_call(model, weights, (inputs, latent)).sum() - log_determinant.sum()
        return bound / n

    gradients, mean = grad_and_value(mean_bound)(state[3])
    for name, weight, moment, square, working, gradient in zip(
        names, *state, gradients, strict=True
    ):
        g = gradient.float()
        moment.copy_(moment + (1 - _DECAY) * (g - moment))
        square.copy_(_SQUARED_DECAY * square + (1 - _SQUARED_DECAY) * g * g)
        change = factors[0] * moment / (square.sqrt() * factors[1] + _EPSILON)
        shrunk = weight * factors[2] if len(factors) > 2 and decays(name) else weight
        weight.copy_(shrunk - change)
        if working is not weight:
            working.copy_(weight)
    return mean * n


def private_step(
    private: PrivateTraining, model: AutoEncoder, space: Space, learning_rate: float, decay: float
) -> Step:
    """Return a step of Adam on noisy gradients, with one draw of noise and code per record."""
    step = private.step(model, adam(model, learning_rate, decay), space.device)

    def step_of_batch(values: Tensor, noise: Tensor, latent: Tensor) -> Tensor:
        inputs, log_determinant = space.enter(values, noise)
        return step(model, inputs, latent) - log_determinant.sum()

    return step_of_batch
