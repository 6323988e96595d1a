"""A network and a likelihood together: what is trained and scored."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from byrote.models.vae.likelihoods import (
    Bernoulli,
    DiagonalGaussian,
    Likelihood,
    LogisticMixture,
    SharedGaussian,
)
from byrote.models.vae.networks import Convolutional, FullyConnected, kl_from_standard_normal
from byrote.models.vae.outlier import Outlier
from byrote.models.vae.robust import beta_divergence

LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": DiagonalGaussian,
    "shared-gaussian": SharedGaussian,
    "logistic-mixture": LogisticMixture,
}
NETWORKS = ("fully-connected", "convolutional")
# Of q(z | x): a deviation of 150, where that of the prior is 1. Without it large values of records
# make codes whose squares overflow before the first step of training.
LOG_VARIANCE_CEILING = 10.0


class AutoEncoder(nn.Module):
    """Encoder, decoder and likelihood over flat records, (n, channels * pixels), channels first.

    Attributes
    ----------
    robust
        Beta of the divergence that training minimises in place of minus log p(x | z); 0 for that.
    outlier
        The component that is mixed with the likelihood, if there is one.
    """

    robust = 0.0

    def __init__(self, network: FullyConnected | Convolutional, likelihood: Likelihood) -> None:
        super().__init__()
        self.network = network
        self.likelihood = likelihood
        self.outlier: Outlier | None = None

    def extra_repr(self) -> str:
        """What tells configurations apart, beside the parts."""
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
        return self.likelihood.log_prob(x.unflatten(-1, channels), self._decoded(z))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """(n,) minus the evidence lower bound of eq. (5), nats; in training, what is minimised.

        One latent draw each, made from standard normal ``noise``, (n, latent). The two differ by
        ``robust``, and by the head start that the decoder has before the outlier component.
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
        """(n, d) values drawn at codes (n, latent)."""
        drawn = self.likelihood.sample(self._decoded(z), generator).flatten(-2)
        return drawn if self.outlier is None else self.outlier.sample(drawn, generator)

    def _divergence(self, x: Tensor, z: Tensor) -> Tensor:
        """(n,) the robust cost of records at codes."""
        parameters = self._decoded(z)
        log_prob = self.likelihood.log_prob(
            x.unflatten(-1, (self.likelihood.channels, -1)), parameters
        )
        return beta_divergence(
            log_prob, self.likelihood.log_power(parameters, 1 + self.robust), self.robust
        )

    def _decoded(self, z: Tensor) -> Tensor:
        return self.network.decode(z).unflatten(-1, (self.likelihood.outputs, -1))


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
    """An autoencoder by the names of its parts, its weights drawn from PyTorch's generator."""
    part = LIKELIHOODS[likelihood](channels)
    if network == "convolutional":
        convolutional = Convolutional(channels, latent_dim, features, part.outputs, normalization)
        return AutoEncoder(convolutional, part)
    outputs = part.outputs * pixels
    return AutoEncoder(FullyConnected(channels * pixels, latent_dim, tuple(hidden), outputs), part)
