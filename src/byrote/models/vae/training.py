"""Training of a VAE: minibatch Adam on the evidence lower bound, eq. (5)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from byrote.models.vae.networks import FullyConnected, kl_from_standard_normal


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    epochs: int
    batch_size: int
    learning_rate: float


def train(
    network: FullyConnected,
    x: Tensor,
    schedule: Schedule,
    generator: torch.Generator,
    after_epoch: Callable[[int, float], None],
) -> None:
    """Train in place on x, (n, d) probabilities in [0, 1].

    Records are made binary anew each time they are seen (dynamic binarization). After each epoch
    ``after_epoch(epoch, loss)`` gets its number, from 1, and the mean negative bound, nats per
    record.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate, fused=True)
    n = len(x)
    for epoch in range(1, schedule.epochs + 1):
        order = torch.randperm(n, generator=generator, device=x.device)
        total = torch.zeros((), dtype=torch.float64)
        for start in range(0, n, schedule.batch_size):
            batch = x[order[start : start + schedule.batch_size]]
            loss = negative_bound(network, batch, generator)
            optimizer.zero_grad(set_to_none=True)
            (loss / len(batch)).backward()
            optimizer.step()
            total += loss.detach().double().cpu()
        after_epoch(epoch, float(total) / n)


def negative_bound(network: FullyConnected, batch: Tensor, generator: torch.Generator) -> Tensor:
    """Minus the evidence lower bound of a batch with one latent draw each, summed, nats."""
    uniform = torch.rand(batch.shape, generator=generator, device=batch.device)
    binary = (uniform < batch).to(batch.dtype)
    mean, log_variance = network.encode(binary)
    noise = torch.randn(mean.shape, generator=generator, device=batch.device)
    logits = network.decode(mean + torch.exp(0.5 * log_variance) * noise)
    reconstruction = functional.binary_cross_entropy_with_logits(logits, binary, reduction="sum")
    return reconstruction + kl_from_standard_normal(mean, log_variance).sum()
