"""The encoder and decoder networks of the paper (Table 1)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class FullyConnected(nn.Module):
    """The paper's fully connected encoder and decoder for MNIST.

    Encoder: d -> 512 -> 256 -> mean and log-variance of the latent. Decoder: latent -> 256 -> 512
    -> d parameters of the likelihood. ReLU between layers, none at the ends.
    """

    def __init__(self, features: int, latent_dim: int, hidden: Sequence[int] = (512, 256)) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.body = _stack([features, *hidden])
        self.mean = nn.Linear(hidden[-1], latent_dim)
        self.log_variance = nn.Linear(hidden[-1], latent_dim)
        self.trunk = _stack([latent_dim, *reversed(hidden)])
        self.head = nn.Linear(hidden[0], features)

    def decoder_layers(self) -> list[nn.Linear]:
        """The decoder's linear layers in order; ReLU stands between them."""
        return [layer for layer in (*self.trunk, self.head) if isinstance(layer, nn.Linear)]

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, d) -> mean and log-variance of q(z | x), each (n, latent)."""
        body = self.body(x)
        return self.mean(body), self.log_variance(body)

    def decode(self, z: Tensor) -> Tensor:
        """(..., latent) -> (..., d) parameters of p(x | z)."""
        output: Tensor = self.head(self.trunk(z))
        return output


def _stack(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width, following in pairwise(widths):
        layers += [nn.Linear(width, following), nn.ReLU()]
    return nn.Sequential(*layers)


def kl_from_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, I)), summed over the last axis, nats."""
    return 0.5 * (torch.exp(log_variance) + mean**2 - 1 - log_variance).sum(dim=-1)
