"""Training of a flow by minibatch Adam on minus log p, and log-densities in blocks."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.contract import OnEpoch
from byrote.models.early_stopping import AfterEpoch, EarlyStopping, validation_records
from byrote.models.flows.networks import Density
from byrote.models.flows.spaces import fixed
from byrote.models.privacy.dp_sgd import PrivateTraining
from byrote.models.torch_utils import loss_recorder

_BLOCK = 1 << 20  # values of the widest layer held at a time: 4 MiB in float32


def train(
    flow: Any,
    x: NDArray[Any],
    generator: torch.Generator,
    private: PrivateTraining | None,
    after_epoch: Callable[[int, float], bool | None],
) -> None:
    """Train the network of a flow in place on records x, (n, *shape), with new noise at each step.

    After each epoch ``after_epoch(epoch, loss)`` gets its number, from 1, and the mean of minus
    log p(x), nats per record, with the network in evaluation mode; a true result ends training.
    """
    network, space = flow.network_, flow.space_
    values = space.values(x).to(generator.device)
    step = _private_step(flow, private) if private is not None else _plain_step(flow)
    shuffled = partial(_shuffled, len(x), flow.batch_size, generator)
    draw_batches = private.batches() if private is not None else shuffled
    for epoch in range(1, flow.epochs + 1):
        network.train()
        total, seen = torch.zeros((), dtype=torch.float64, device=generator.device), 0
        for rows in draw_batches():
            batch = values[rows]
            noise = torch.rand(batch.shape, generator=generator, device=generator.device)
            inputs, log_determinant = space.enter(batch, noise)
            total += step(inputs) - log_determinant.sum()
            seen += len(batch)
        network.eval()
        if after_epoch(epoch, float(total) / max(seen, 1)):
            break


Step = Callable[[Tensor], Tensor]  # of inputs, (n, d); returns the losses before it, summed


def _plain_step(flow: Any) -> Step:
    """Return a step of Adam."""
    network, optimizer = flow.network_, _adam(flow)

    def step(inputs: Tensor) -> Tensor:
        loss = -network(inputs).sum()
        optimizer.zero_grad(set_to_none=True)
        (loss / len(inputs)).backward()
        optimizer.step()
        return loss.detach()

    return step


def _private_step(flow: Any, private: PrivateTraining) -> Step:
    """Return a step of Adam on clipped gradients with noise."""
    network = flow.network_
    step = private.step(network, _adam(flow), flow.device)
    return partial(step, lambda inputs: -network(inputs))


def _adam(flow: Any) -> torch.optim.Optimizer:
    weights, rate = flow.network_.parameters(), flow.learning_rate
    if flow.weight_decay:
        return torch.optim.AdamW(weights, rate, weight_decay=flow.weight_decay, fused=True)
    return torch.optim.Adam(weights, rate, fused=True)


def _shuffled(n: int, size: int, generator: torch.Generator) -> list[NDArray[np.intp]]:
    """Return row numbers of one epoch's batches, in a new order."""
    order = torch.randperm(n, generator=generator, device=generator.device).cpu().numpy()
    return np.split(order, range(size, n, size))


def after_epoch_of(flow: Any, on_epoch: OnEpoch | None) -> AfterEpoch:
    """Return what is called after each epoch of a flow's training."""
    stops, may_recover = flow.patience is not None, flow.dp is not None
    advice = None if stops or may_recover else remedy(flow)
    report = loss_recorder(flow.losses_, on_epoch, report="epoch", remedy=advice)
    return AfterEpoch(report, _early_stopping(flow) if stops else None)


def _early_stopping(flow: Any) -> EarlyStopping:
    """Stop by the loss of the validation records, with the same noise after each epoch."""
    x = validation_records(flow.validation)
    return EarlyStopping(flow.network_, lambda: -float(log_prob(flow, x).mean()), flow.patience)


def remedy(flow: Any) -> str:
    """Return the remedy for a training that diverged."""
    return f"lower learning_rate={flow.learning_rate}"


@torch.no_grad()
def log_prob(flow: Any, x: NDArray[Any]) -> NDArray[np.float64]:
    """Compute log p(x), (n,) nats, of records (n, *shape), with their fixed noise, in blocks."""
    network, size = flow.network_, max(1, _BLOCK // flow.network_.width)
    parts = []
    for inputs, log_determinant in fixed(flow.space_, x, flow.noise_seed):
        blocks = inputs.to(flow.device).split(size)
        density = torch.cat([network(block).double() for block in blocks])
        parts.append((density.cpu() + log_determinant.double()).numpy())
    return np.concatenate(parts)


@torch.no_grad()
def draw_inputs(network: Density, n: int, generator: torch.Generator) -> Tensor:
    """Draw inputs, (n, d), from the network's density."""
    z = torch.randn((n, network.values), generator=generator, device=generator.device)
    blocks = z.split(max(1, _BLOCK // network.width))
    return torch.cat([network.inverse(block) for block in blocks]).cpu()
