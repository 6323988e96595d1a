"""Training of a diffusion model: minibatch Adam on the bound on log p."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.diffusion.denoiser import Denoiser
from byrote.models.spaces import Space

_VALUES_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Schedule:
    """Length of training, and the precision of matrix products."""

    epochs: int
    batch_size: int
    learning_rate: float
    dtype: torch.dtype = torch.float32


class TrainingStep:
    """One step of Adam (Kingma & Ba 2015) on the mean cost of a batch.

    Products are in ``dtype``, weights and sums in float32.
    """

    def __init__(self, denoiser: Denoiser, learning_rate: float, dtype: torch.dtype) -> None:
        self._denoiser, self._dtype = denoiser, dtype
        self._optimizer = torch.optim.Adam(denoiser.parameters(), lr=learning_rate, fused=True)

    def __call__(self, x: Tensor, labels: Tensor | None, noise: Tensor, uniform: Tensor) -> Tensor:
        """Take the step, and return the costs of the batch before it, (n,).

        ``noise``, (n, d), is standard normal; ``uniform``, (n,), chooses the levels.
        """
        sigma = self._denoiser.sigmas(uniform)
        with reduced(x.device, self._dtype):
            cost = self._denoiser.cost(x, noise, sigma, labels)
        self._optimizer.zero_grad(set_to_none=True)
        cost.mean().backward()
        self._optimizer.step()
        return cost.detach()


def reduced(device: torch.device, dtype: torch.dtype) -> Any:
    """Return a context in which matrix products are in this precision."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def train(
    denoiser: Denoiser,
    x: NDArray[np.generic],
    labels: Tensor | None,
    space: Space,
    schedule: Schedule,
    generator: torch.Generator,
    after_epoch: Callable[[int, float], bool | None],
) -> None:
    """Train in place on records x, (n, *shape), which are converted batch by batch.

    After each epoch ``after_epoch(epoch, loss)`` gets its number, from 1, and the mean bound on
    minus log p, nats per record, with the network in evaluation mode; a true result ends training.
    """
    step = TrainingStep(denoiser, schedule.learning_rate, schedule.dtype)
    device = generator.device
    for epoch in range(1, schedule.epochs + 1):
        denoiser.train()
        total = torch.zeros((), dtype=torch.float64, device=device)
        order = torch.randperm(len(x), generator=generator, device=device)
        for rows in order.split(schedule.batch_size):
            values, log_determinant = _entered(space, x[rows.cpu().numpy()])
            noise = torch.randn(values.shape, generator=generator, device=device)
            given = None if labels is None else labels[rows]
            cost = step(values, given, noise, stratified(len(rows), generator))
            total += (denoiser.bound(cost) - log_determinant).sum()
        denoiser.eval()
        if after_epoch(epoch, float(total) / len(x) if len(x) else math.nan):
            break


@torch.no_grad()
def mean_bound(
    denoiser: Denoiser,
    x: NDArray[np.generic],
    labels: Tensor | None,
    space: Space,
    generator: torch.Generator,
    rows_at_once: int,
) -> float:
    """Estimate the mean bound on minus log p, nats per record, by one level of noise each."""
    total, uniform = 0.0, stratified(len(x), generator)
    mixed = uniform[torch.randperm(len(x), generator=generator, device=generator.device)]
    for start in range(0, len(x), rows_at_once):
        rows = slice(start, start + rows_at_once)
        values, log_determinant = _entered(space, x[rows])
        noise = torch.randn(values.shape, generator=generator, device=generator.device)
        given = None if labels is None else labels[rows]
        cost = denoiser.cost(values, noise, denoiser.sigmas(mixed[rows]), given)
        total += float((denoiser.bound(cost) - log_determinant).double().sum())
    return total / len(x)


def stratified(n: int, generator: torch.Generator) -> Tensor:
    """Draw n numbers, the k-th uniform in [k / n, (k + 1) / n): all levels are in every batch.

    Examples
    --------
    >>> drawn = stratified(4, torch.Generator().manual_seed(0))
    >>> (drawn * 4).int().tolist()
    [0, 1, 2, 3]
    """
    device = generator.device
    uniform = torch.rand(n, generator=generator, device=device)
    return (torch.arange(n, device=device) + uniform) / n


def input_blocks(space: Space, x: NDArray[np.generic]) -> Iterator[Tensor]:
    """Yield records as the network sees them, (n, d), in blocks."""
    size = max(1, _VALUES_AT_ONCE // x[0].size)
    for start in range(0, len(x), size):
        yield _entered(space, x[start : start + size])[0]


def _entered(space: Space, rows: NDArray[np.generic]) -> tuple[Tensor, Tensor]:
    values = space.values(rows)
    return space.enter(values, values)
