"""What is asked of a trained model: log-likelihoods, bounds and samples, block by block."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.vae.arithmetic import Arithmetic
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.importance import BLOCK, ImportanceSampling, joined, log_prob
from byrote.models.vae.spaces import Space

_VALUES_AT_A_TIME = 1 << 22  # of records converted and scored together, to bound memory


def importance(
    model: AutoEncoder,
    space: Space,
    x: NDArray[Any],
    noise_seed: int,
    draws: int,
    generator: torch.Generator,
    *,
    defensive: float,
    arithmetic: Arithmetic,
) -> ImportanceSampling:
    """Log p of records x, (n, *shape), with ``draws`` importance samples each, nats."""
    arithmetic.check(space.device)
    parts = []
    for seen, log_determinant in seen_blocks(model, space, x, noise_seed):
        found = log_prob(model, seen, draws, generator, defensive=defensive, arithmetic=arithmetic)
        found = _mixed(model, found, seen)
        change = log_determinant.double().cpu().numpy()
        parts.append(replace(found, log_prob=found.log_prob + change))
    return joined(parts)


def _mixed(model: AutoEncoder, found: ImportanceSampling, seen: Tensor) -> ImportanceSampling:
    """With the outlier component, whose part is exact: errors shrink by the autoencoder's share."""
    if model.outlier is None:
        return found
    log_prob, taken = model.outlier.log_prob(found.log_prob, seen)
    error = found.standard_error * (1 - taken)
    return replace(found, log_prob=log_prob, standard_error=error, outlier=taken)


@torch.no_grad()
def mean_bound(
    model: AutoEncoder,
    space: Space,
    x: NDArray[Any],
    noise_seed: int,
    generator: torch.Generator,
) -> float:
    """Mean negative evidence lower bound on log p of records, one latent draw each, nats."""
    total = 0.0
    for seen, log_determinant in seen_blocks(model, space, x, noise_seed):
        for block in seen.split(max(1, BLOCK // model.width)):
            shape = (len(block), model.network.latent_dim)
            latent = torch.randn(shape, generator=generator, device=generator.device)
            total += float(model(block, latent).double().sum())
        total -= float(log_determinant.double().sum())
    return total / len(x)


@torch.no_grad()
def drawn(
    model: AutoEncoder, space: Space, n: int, generator: torch.Generator
) -> NDArray[np.float32]:
    """Samples, (n, *shape), as records are given."""
    shape = (n, model.network.latent_dim)
    z = torch.randn(shape, generator=generator, device=generator.device)
    model.eval()
    return np.concatenate(
        [
            space.records(space.leave(model.sample(block, generator)))
            for block in z.split(max(1, BLOCK // model.width))
        ]
    )


def seen_blocks(
    model: AutoEncoder, space: Space, x: NDArray[Any], seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Records as the model sees them when it scores, and log-determinants, in blocks."""
    model.eval()
    at_once = max(1, _VALUES_AT_A_TIME // x[0].size)
    for start in range(0, len(x), at_once):
        yield space.fixed(x[start : start + at_once], seed)
