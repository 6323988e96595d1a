"""log p(x) of a VAE by importance sampling from its encoder, eq. (9), in log space.

Nothing here grows with the number of records or of draws: both are taken in blocks, and every block
uses the same memory. (A version that allocated its blocks anew once grew without bound; the cause
was not proven, but glibc before 2.38 is known not to reuse aligned memory well.)
"""

import math

import torch
from torch import Tensor

from byrote.models.vae.networks import FullyConnected

# Values of the widest layer held at a time: 4 MiB in float32, which stays near the caches.
BLOCK = 1 << 20
_HALVINGS = 6  # of a product of factors in (1, 2]: at most 2^64, far from overflow


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
    width = max(x.shape[1], *(layer.out_features for layer in network.decoder_layers()))
    at_once = min(draws, max(1, BLOCK // width))
    rows = min(len(x), max(1, BLOCK // (width * at_once)))
    decoder = _Decoder(network, at_once * rows)
    total = torch.full((len(x),), -torch.inf, dtype=torch.float64, device=x.device)
    for start in range(0, len(x), rows):
        block = slice(start, start + rows)
        posterior = _Posterior(network, x[block])
        for first in range(0, draws, at_once):
            weights = posterior.log_weights(min(at_once, draws - first), decoder, generator)
            total[block] = torch.logaddexp(total[block], weights.double().logsumexp(dim=0))
    return total - math.log(draws)


class _Decoder:
    """The decoder's layers, each with the memory for its output."""

    def __init__(self, network: FullyConnected, rows: int) -> None:
        layers = network.decoder_layers()
        device = layers[0].weight.device
        self.latent = torch.empty(rows, network.latent_dim, device=device)
        self._layers = [
            (layer.weight.t(), layer.bias, torch.empty(rows, layer.out_features, device=device))
            for layer in layers
        ]
        self._scratch = torch.empty(rows, layers[-1].out_features, device=device)

    def hidden(self, rows: int) -> Tensor:
        """(rows, h) input of the last layer, for the first ``rows`` of ``latent``."""
        values = self.latent[:rows]
        for weight, bias, memory in self._layers[:-1]:
            values = torch.addmm(bias, values, weight, out=memory[:rows]).relu_()
        return values

    def normalizer(self, hidden: Tensor) -> Tensor:
        """(rows,) sum over d of softplus(a_d), a the logits.

        softplus(a) = max(a, 0) + log(1 + exp(-|a|)); the factors 1 + exp(-|a|) lie in (1, 2], so
        many are multiplied before one logarithm is taken.
        """
        weight, bias, memory = self._layers[-1]
        logits = torch.addmm(bias, hidden, weight, out=memory[: len(hidden)])
        positive = torch.clamp_min(logits, 0, out=self._scratch[: len(hidden)]).sum(dim=-1)
        factors = logits.abs_().neg_().exp_().add_(1)
        for _ in range(_HALVINGS):
            half, odd = divmod(factors.shape[1], 2)
            if odd:
                break
            factors = factors[:, :half].mul_(factors[:, half:])
        return positive + factors.log_().sum(dim=-1)


class _Posterior:
    """q(z | x) of a block of records, with everything that does not depend on the latent draw."""

    def __init__(self, network: FullyConnected, x: Tensor) -> None:
        self.mean, log_variance = network.encode(x)
        self.deviation = torch.exp(0.5 * log_variance)
        self.log_deviation = 0.5 * log_variance.sum(dim=-1)
        # sum_d x_d a_d = (W'x)'h + b'x for the last layer a = Wh + b: no product with x per draw.
        self.projected = x @ network.head.weight
        self.offset = x @ network.head.bias

    def log_weights(self, count: int, decoder: _Decoder, generator: torch.Generator) -> Tensor:
        """(count, n) values of log p(x | z) + log p(z) - log q(z | x); the 2 pi cancel."""
        n = len(self.mean)
        noise = torch.randn((count, *self.mean.shape), generator=generator, device=self.mean.device)
        z = decoder.latent[: count * n].view(count, n, -1)
        torch.mul(noise, self.deviation, out=z).add_(self.mean)
        log_ratio = 0.5 * (noise.square_() - z.square()).sum(dim=-1) + self.log_deviation
        hidden = decoder.hidden(count * n)
        matched = torch.einsum("lnh,nh->ln", hidden.view(count, n, -1), self.projected)
        normalizer = decoder.normalizer(hidden).view(count, n)
        return matched + self.offset - normalizer + log_ratio
