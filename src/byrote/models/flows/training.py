"""Training of a flow by minibatch Adam on minus log p, and log-densities in blocks."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.contract import OnEpoch
from byrote.models.early_stopping import EarlyStopping
from byrote.models.flows.networks import Density
from byrote.models.privacy.dp_sgd import PrivateStep
from byrote.models.torch_utils import generator_from, loss_recorder
from byrote.models.vae.parameters import validation_records
from byrote.models.vae.steps import PrivateTraining

_BLOCK = 1 << 20  # values of the widest layer held at a time: 4 MiB in float32


def train(
    network: Density,
    y: Tensor,
    flow: Any,
    generator: torch.Generator,
    private: PrivateTraining | None,
    after_epoch: Callable[[int, float], bool | None],
) -> None:
    """Train in place on inputs y, (n, d).

    After each epoch ``after_epoch(epoch, loss)`` gets its number, from 1, and the mean of minus
    log p(y), nats per record, with the network in evaluation mode; a true result ends training.
    """
    make = torch.optim.AdamW if flow.weight_decay else torch.optim.Adam
    decay = {"weight_decay": flow.weight_decay} if flow.weight_decay else {}
    optimizer = make(network.parameters(), lr=flow.learning_rate, fused=True, **decay)
    step, draw_batches = _plain_step(network, optimizer), _shuffled(y, flow.batch_size, generator)
    if private is not None:
        step, draw_batches = _private_step(network, optimizer, private), _drawn(y, private)
    for epoch in range(1, flow.epochs + 1):
        network.train()
        total, seen = torch.zeros((), dtype=torch.float64, device=y.device), 0
        for batch in draw_batches():
            total += step(batch)
            seen += len(batch)
        network.eval()
        if after_epoch(epoch, float(total) / max(seen, 1)):
            break


Step = Callable[[Tensor], Tensor]
Batches = Callable[[], Iterator[Tensor]]


def _plain_step(network: Density, optimizer: torch.optim.Optimizer) -> Step:
    """Return a step of Adam, which returns the losses before it, summed."""

    def step(batch: Tensor) -> Tensor:
        loss = -network(batch).sum()
        optimizer.zero_grad(set_to_none=True)
        (loss / len(batch)).backward()
        optimizer.step()
        return loss.detach()

    return step


def _private_step(
    network: Density, optimizer: torch.optim.Optimizer, private: PrivateTraining
) -> Step:
    """Return a step of Adam on clipped gradients with noise."""
    step = PrivateStep(
        network,
        optimizer,
        private.schedule,
        max_grad_norm=private.dp.max_grad_norm,
        generator=generator_from(private.seeds[1], str(next(network.parameters()).device)),
    )
    return partial(step, lambda batch: -network(batch))


def _shuffled(y: Tensor, size: int, generator: torch.Generator) -> Batches:
    def draw() -> Iterator[Tensor]:
        order = torch.randperm(len(y), generator=generator, device=generator.device)
        return (y[rows] for rows in order.split(size))

    return draw


def _drawn(y: Tensor, private: PrivateTraining) -> Batches:
    draw_rows = private.batches()
    return lambda: (y[torch.from_numpy(np.ascontiguousarray(rows))] for rows in draw_rows())


class AfterEpoch:
    """Called after each epoch: reports its loss, and stops training early if the flow asks for it.

    ``log_determinant`` is the mean of what turns the log-densities of inputs into those of records.
    """

    def __init__(self, flow: Any, log_determinant: float, on_epoch: OnEpoch | None) -> None:
        self._log_determinant = log_determinant
        stops, may_recover = flow.patience is not None, flow.dp is not None
        self._report = loss_recorder(
            flow.losses_,
            on_epoch,
            report="epoch",
            remedy=None if stops or may_recover else remedy(flow),
        )
        self._stopping = _early_stopping(flow) if stops else None

    def __call__(self, epoch: int, loss: float) -> bool:
        """Return whether training stops here."""
        self._report(epoch, loss - self._log_determinant)
        return self._stopping is not None and self._stopping.stops()

    def finish(self) -> dict[str, Any]:
        """Restore the best weights if training may stop early, and return facts."""
        if self._stopping is None:
            return {}
        self._stopping.restore()
        return {"stopped": self._stopping.facts()}


def _early_stopping(flow: Any) -> EarlyStopping:
    x = validation_records(flow.validation)
    inputs, log_determinant = flow.space_.inputs(x, flow.noise_seed)
    inputs, change = inputs.to(flow.device), float(log_determinant.mean())

    def loss() -> float:
        return -float(log_prob(flow.network_, inputs).mean()) - change

    return EarlyStopping(flow.network_, loss, flow.patience)


def remedy(flow: Any) -> str:
    """Return the remedy for a training that diverged."""
    return f"lower learning_rate={flow.learning_rate}"


@torch.no_grad()
def log_prob(network: Density, y: Tensor) -> NDArray[np.float64]:
    """Compute log p(y), (n,) nats, of inputs (n, d) in blocks."""
    blocks = y.split(max(1, _BLOCK // network.width))
    return torch.cat([network(block).double() for block in blocks]).cpu().numpy()


@torch.no_grad()
def draw_inputs(network: Density, n: int, generator: torch.Generator) -> Tensor:
    """Draw inputs, (n, d), from the network's density."""
    z = torch.randn((n, network.values), generator=generator, device=generator.device)
    blocks = z.split(max(1, _BLOCK // network.width))
    return torch.cat([network.inverse(block) for block in blocks]).cpu()
