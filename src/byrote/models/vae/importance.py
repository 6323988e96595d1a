"""log p(x) of a VAE by importance sampling from its encoder, eq. (9), in log space.

Nothing here grows with the number of records or of draws: both are taken in blocks.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from byrote.models.vae.networks import FullyConnected

# Values of the widest layer held at a time: 16 MiB in float32, which stays near the caches.
BLOCK = 1 << 22


@torch.no_grad()
def log_prob(network: FullyConnected, x: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    """Estimated log p(x) under a Bernoulli decoder, nats.

    log p(x) = logmeanexp over draws l of [log p(x | z_l) + log p(z_l) - log q(z_l | x)], z_l ~ q.

    Parameters
    ----------
    x
        (n, d) zeros and ones.
    draws
        Number of importance samples N per record.

    Returns
    -------
    (n,) float64.
    """
    width = max(x.shape[1], network.head.in_features)
    at_once = min(draws, max(1, BLOCK // width))
    rows = max(1, BLOCK // (width * at_once))
    parts = []
    for records in x.split(rows):
        encoded = _Encoded(network, records)
        total = torch.full((len(records),), -torch.inf, dtype=torch.float64, device=x.device)
        for count in _blocks(draws, at_once):
            weights = encoded.log_weights(count, generator).double()
            total = torch.logaddexp(total, weights.logsumexp(dim=0))
        parts.append(total - math.log(draws))
    return torch.cat(parts)


def _blocks(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)


class _Encoded:
    """A block of records with everything that does not depend on the latent draw."""

    def __init__(self, network: FullyConnected, x: Tensor) -> None:
        self.network = network
        self.mean, log_variance = network.encode(x)
        self.deviation = torch.exp(0.5 * log_variance)
        self.log_deviation = 0.5 * log_variance.sum(dim=-1)
        # sum_d x_d a_d = (W'x)'h + b'x for the last layer a = Wh + b: no product with x per draw.
        self.projected = x @ network.head.weight
        self.offset = x @ network.head.bias

    def log_weights(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, rows) values of log p(x | z) + log p(z) - log q(z | x); the 2 pi cancel."""
        shape = (count, *self.mean.shape)
        noise = torch.randn(shape, generator=generator, device=self.mean.device)
        z = self.mean + self.deviation * noise
        hidden = self.network.trunk(z)
        matched = (hidden * self.projected).sum(dim=-1) + self.offset
        log_likelihood = matched - functional.softplus(self.network.head(hidden)).sum(dim=-1)
        log_ratio = 0.5 * (noise**2 - z**2).sum(dim=-1) + self.log_deviation
        return log_likelihood + log_ratio
