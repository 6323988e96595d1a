"""Encoders and decoders of the paper (Table 1), and auto-encoders made of them."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from byrote.models.spaces import Space
from byrote.models.torch_utils import Stream, seed_of, seeded
from byrote.models.vae.likelihoods import LIKELIHOODS, Likelihood, beta_divergence
from byrote.models.vae.mixed import Mixed, likelihood_of
from byrote.models.vae.outlier import Outlier, background

SIDE = 32  # of the images that the convolutional network takes
_SLOPE = 0.2
_GROUPS = 32


class FullyConnected(nn.Module):
    """The paper's fully connected encoder and decoder for MNIST.

    Encoder: d -> 512 -> 256 -> mean and log-variance of the latent. Decoder: latent -> 256 -> 512
    -> ``outputs`` parameters of the likelihood (default: d). ReLU between layers, none at the ends.
    """

    normalizes_batches = False
    trains_compiled = True

    def __init__(
        self,
        features: int,
        latent_dim: int,
        hidden: Sequence[int] = (512, 256),
        outputs: int | None = None,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.body = _stack([features, *hidden])
        self.mean = nn.Linear(hidden[-1], latent_dim)
        self.log_variance = nn.Linear(hidden[-1], latent_dim)
        self.trunk = _stack([latent_dim, *reversed(hidden)])
        self.head = nn.Linear(hidden[0], features if outputs is None else outputs)
        self.width = max(features, self.head.out_features, *hidden)

    def decoder_layers(self) -> list[nn.Linear]:
        """Return the decoder's linear layers in order; ReLU is between them."""
        return [layer for layer in (*self.trunk, self.head) if isinstance(layer, nn.Linear)]

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode records (n, d): mean and log-variance of q(z | x), each (n, latent)."""
        body = self.body(x.to(self.mean.weight.dtype))
        return widened(self.mean(body)), widened(self.log_variance(body))

    def decode(self, z: Tensor) -> Tensor:
        """Decode codes (..., latent): parameters of p(x | z), (..., outputs)."""
        return widened(self.head(self.trunk(z.to(self.head.weight.dtype))))


class Convolutional(nn.Module):
    """The paper's convolutional encoder and decoder for 32x32 images, like DCGAN.

    Encoder: four convolutions (kernel 4, stride 2, padding 1) with F, 2F, 4F and 8F maps, each
    followed by leaky ReLU, all but the first with batch norm before it; then mean and log-variance
    from the 32F values. Decoder: transposed convolutions with 8F maps (kernel 2, the latent as one
    pixel), 4F, 2F and F, each with batch norm and ReLU, and a last one to the outputs, without. As
    in DCGAN and the authors' code the convolutions have no bias. F is ``features``; ``outputs`` are
    the likelihood's parameters per pixel.

    "group" norm (Wu & He 2018) instead of "batch" norm keeps records separate: in 32 groups of
    maps, or the largest power of two below that divides them.
    """

    trains_compiled = False

    def __init__(
        self,
        channels: int,
        latent_dim: int,
        features: int,
        outputs: int,
        normalization: str = "batch",
    ) -> None:
        super().__init__()
        self.normalizes_batches = normalization == "batch"
        norm = NORMALIZATIONS[normalization]
        self.latent_dim = latent_dim
        self.channels = channels
        maps = [features, 2 * features, 4 * features, 8 * features]
        self.body = nn.Sequential(
            _convolution(channels, features),
            nn.LeakyReLU(_SLOPE),
            *(layer for ends in pairwise(maps) for layer in _encoding(*ends, norm)),
            nn.Flatten(),
        )
        self.mean = nn.Linear(4 * maps[-1], latent_dim)
        self.log_variance = nn.Linear(4 * maps[-1], latent_dim)
        first = nn.ConvTranspose2d(latent_dim, maps[-1], 2, stride=1, padding=0, bias=False)
        self.trunk = nn.Sequential(
            *_normalized(first, norm),
            *(layer for ends in pairwise(maps[::-1]) for layer in _decoding(*ends, norm)),
        )
        self.head = _transposed(features, outputs)
        self.width = max(outputs * SIDE**2, features * (SIDE // 2) ** 2)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the fastest layout

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (n, channels * 1024): mean and log-variance of q(z | x), each (n, latent)."""
        body = self.body(x.view(-1, self.channels, SIDE, SIDE))
        return self.mean(body), self.log_variance(body)

    def decode(self, z: Tensor) -> Tensor:
        """Decode codes (..., latent): parameters of p(x | z), (..., outputs * 1024)."""
        maps = self.head(self.trunk(z.reshape(-1, self.latent_dim, 1, 1)))
        return maps.reshape(*z.shape[:-1], -1)


def widened(values: Tensor) -> Tensor:
    """Convert values computed in 16 bits to float32; return others unchanged."""
    return values.float() if values.dtype.itemsize < 4 else values


def kl_from_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute KL(N(mean, exp(log_variance)) || N(0, I)), summed over the last axis, nats."""
    return 0.5 * (torch.exp(log_variance) + mean**2 - 1 - log_variance).sum(dim=-1)


def _stack(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width, following in pairwise(widths):
        layers += [nn.Linear(width, following), nn.ReLU()]
    return nn.Sequential(*layers)


def _convolution(maps: int, following: int) -> nn.Conv2d:
    return nn.Conv2d(maps, following, 4, stride=2, padding=1, bias=False)


def _transposed(maps: int, following: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(maps, following, 4, stride=2, padding=1, bias=False)


def _group_norm(maps: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(maps, _GROUPS), maps)


Norm = Callable[[int], nn.Module]  # from the number of maps
NORMALIZATIONS: dict[str, Norm] = {"batch": nn.BatchNorm2d, "group": _group_norm}


def _encoding(maps: int, following: int, norm: Norm) -> list[nn.Module]:
    return [_convolution(maps, following), norm(following), nn.LeakyReLU(_SLOPE)]


def _decoding(maps: int, following: int, norm: Norm) -> list[nn.Module]:
    return _normalized(_transposed(maps, following), norm)


def _normalized(layer: nn.ConvTranspose2d, norm: Norm) -> list[nn.Module]:
    return [layer, norm(layer.out_channels), nn.ReLU()]


NETWORKS = ("fully-connected", "convolutional")
_PARTS = ("network", "latent_dim", "hidden", "features", "normalization")
# Of q(z | x): a deviation of 150, the prior's being 1. Without it large values of records make
# codes whose squares overflow before the first step of training.
LOG_VARIANCE_CEILING = 10.0


class AutoEncoder(nn.Module):
    """Encoder, decoder and likelihood over flat records, (n, channels * pixels), channels first.

    ``robust`` is beta of the divergence that training minimizes instead of minus log p(x | z), or
    0; ``outlier`` is the component mixed with the likelihood, or None.
    """

    robust = 0.0

    def __init__(self, network: FullyConnected | Convolutional, likelihood: Likelihood) -> None:
        super().__init__()
        self.network = network
        self.likelihood = likelihood
        self.outlier: Outlier | None = None

    def extra_repr(self) -> str:
        """Return options that distinguish configurations, in addition to the parts."""
        return f"robust={self.robust}" if self.robust else ""

    @property
    def width(self) -> int:
        """Number of activations in the widest layer, per record."""
        return self.network.width

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode records (n, d): mean and log-variance of q(z | x), each (n, latent).

        The log-variance is at most 10, with the gradient of one that is 10.
        """
        mean, log_variance = self.network.encode(x)
        ceiling = LOG_VARIANCE_CEILING + (log_variance - log_variance.detach())
        return mean, torch.where(log_variance > LOG_VARIANCE_CEILING, ceiling, log_variance)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Compute log p(x | z), (..., n) nats, of records (n, d) at codes (..., n, latent).

        Without the outlier component.
        """
        channels = (self.likelihood.channels, -1)
        return self.likelihood.log_prob(x.unflatten(-1, channels), self._decode(z))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Compute minus the evidence lower bound of eq. (5), (n,) nats; in training, the cost.

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
    """Make the auto-encoder of a VAE's parameters with initial weights, in evaluation mode."""
    parts = {name: getattr(vae, name) for name in _PARTS}
    with seeded(seed_of(vae.random_state, Stream.INITIAL)):
        model = build(
            **parts,
            likelihood=likelihood_of(vae),
            columns=vae.columns,
            channels=space.channels,
            pixels=space.pixels,
        )
    model.robust = float(vae.robust)
    if vae.outlier is not None:
        values = space.channels * space.pixels
        alike = not type(space).has_units
        model.outlier = Outlier(background(likelihood_of(vae), values, alike=alike), vae.outlier)
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
    columns: Sequence[str | int] | None = None,
) -> AutoEncoder:
    """Make an auto-encoder by the names of its parts, with weights from PyTorch's generator."""
    part = LIKELIHOODS[likelihood](channels) if columns is None else Mixed(columns)
    if network == "convolutional":
        convolutional = Convolutional(channels, latent_dim, features, part.outputs, normalization)
        return AutoEncoder(convolutional, part)
    outputs = part.outputs * pixels
    return AutoEncoder(FullyConnected(channels * pixels, latent_dim, tuple(hidden), outputs), part)
