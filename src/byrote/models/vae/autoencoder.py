"""A network and a likelihood together: the model that is trained and scored."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from byrote.models.torch_utils import Stream, seed_of, seeded
from byrote.models.vae.likelihoods import (
    LIKELIHOODS,
    Likelihood,
    beta_divergence,
)
from byrote.models.vae.networks import Convolutional, FullyConnected, kl_from_standard_normal
from byrote.models.vae.outlier import Outlier, background
from byrote.models.vae.spaces import Space

NETWORKS = ("fully-connected", "convolutional")
_PARTS = ("network", "likelihood", "latent_dim", "hidden", "features", "normalization")
# Of q(z | x): a deviation of 150, the prior's being 1. Without it large values of records make
# codes whose squares overflow before the first step of training.
LOG_VARIANCE_CEILING = 10.0


class AutoEncoder(nn.Module):
    """Encoder, decoder and likelihood over flat records, (n, channels * pixels), channels first.

    ``robust`` is beta of the divergence that training minimizes instead of minus log p(x | z), or
    0; ``outlier`` the component that is mixed with the likelihood, or None.
    """

    robust = 0.0

    def __init__(self, network: FullyConnected | Convolutional, likelihood: Likelihood) -> None:
        super().__init__()
        self.network = network
        self.likelihood = likelihood
        self.outlier: Outlier | None = None

    def extra_repr(self) -> str:
        """Options that distinguish configurations, besides the parts."""
        return f"robust={self.robust}" if self.robust else ""

    @property
    def width(self) -> int:
        """Values of the widest layer, for one record."""
        return self.network.width

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, d) -> mean and log-variance of q(z | x), each (n, latent).

        The log-variance is at most 10, with the gradient of one that is 10.
        """
        mean, log_variance = self.network.encode(x)
        ceiling = LOG_VARIANCE_CEILING + (log_variance - log_variance.detach())
        return mean, torch.where(log_variance > LOG_VARIANCE_CEILING, ceiling, log_variance)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """(..., n) log p(x | z), nats, of records (n, d) at codes (..., n, latent).

        The decoder's, without the outlier component.
        """
        channels = (self.likelihood.channels, -1)
        return self.likelihood.log_prob(x.unflatten(-1, channels), self._decode(z))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """(n,) minus the evidence lower bound of eq. (5), nats; in training, the cost.

        One latent draw each, made from standard normal ``noise``, (n, latent). The cost differs
        from the bound by ``robust``, and by the head start of the decoder over the outlier
        component.
        """
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(0.5 * log_variance) * noise
        kl = kl_from_standard_normal(mean, log_variance)
        if self.robust and self.training:
            return kl + self._divergence(x, z)
        log_likelihood = self.log_likelihood(x, z)
        if self.outlier is not None:
            log_likelihood = self.outlier.mixed(log_likelihood, x, training=self.training)
        return kl - log_likelihood

    def sample(self, z: Tensor, generator: torch.Generator) -> Tensor:
        """Draw (n, d) values at codes (n, latent)."""
        samples = self.likelihood.sample(self._decode(z), generator).flatten(-2)
        return samples if self.outlier is None else self.outlier.sample(samples, generator)

    def _divergence(self, x: Tensor, z: Tensor) -> Tensor:
        """(n,) the robust cost of records at codes."""
        parameters = self._decode(z)
        log_prob = self.likelihood.log_prob(
            x.unflatten(-1, (self.likelihood.channels, -1)), parameters
        )
        return beta_divergence(
            log_prob, self.likelihood.log_power(parameters, 1 + self.robust), self.robust
        )

    def _decode(self, z: Tensor) -> Tensor:
        return self.network.decode(z).unflatten(-1, (self.likelihood.outputs, -1))


def untrained(vae: Any, space: Space) -> AutoEncoder:
    """The autoencoder of a VAE's parameters with initial weights, in evaluation mode."""
    parts = {name: getattr(vae, name) for name in _PARTS}
    with seeded(seed_of(vae.random_state, Stream.INITIAL)):
        model = build(**parts, channels=space.channels, pixels=space.pixels)
    model.robust = float(vae.robust)
    if vae.outlier is not None:
        values = space.channels * space.pixels
        alike = not type(space).has_units
        model.outlier = Outlier(background(vae.likelihood, values, alike=alike), vae.outlier)
    return model.to(vae.device).eval()


def build(
    network: str,
    likelihood: str,
    *,
    channels: int,
    pixels: int,
    latent_dim: int,
    hidden: Sequence[int],
    features: int,
    normalization: str = "batch",
) -> AutoEncoder:
    """Make an autoencoder by the names of its parts, with weights from PyTorch's generator."""
    part = LIKELIHOODS[likelihood](channels)
    if network == "convolutional":
        convolutional = Convolutional(channels, latent_dim, features, part.outputs, normalization)
        return AutoEncoder(convolutional, part)
    outputs = part.outputs * pixels
    return AutoEncoder(FullyConnected(channels * pixels, latent_dim, tuple(hidden), outputs), part)
