"""A network as a denoiser, in the preconditioning of Karras et al. (2022), and its training loss.

With z = x + sigma eps, a denoiser D(z, sigma) estimates E[x | z]. A diffusion model is one.
"""

import math
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from byrote.models.diffusion.networks import FullyConnected, UNet

Network = FullyConnected | UNet


class Denoise(Protocol):
    """A denoiser of flat records; ``labels``, (n,) int64, are conditions, or None."""

    def __call__(self, z: Tensor, sigma: Tensor, labels: Tensor | None, /) -> Tensor:
        """Estimate records, (n, d), from noisy ones, (n, d), with noise of deviations (n,)."""


class Denoiser(nn.Module):
    """The denoiser of a network F, which sees and predicts values of about unit variance.

    D(z, sigma) = m + (s^2 y + sigma s r F(y / r, log sigma)) / r^2 with y = z - m and
    r^2 = sigma^2 + s^2 (Karras et al. 2022, table 1). The mean m, (d,), and the deviation s of the
    training records make F = 0 the best denoiser of a normal distribution with both. The network
    sees log sigma scaled to [0, 1].
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: Network, values: int, sigma_min: float, sigma_max: float) -> None:
        super().__init__()
        self.network, self.width = network, network.width
        self.sigma_min, self.sigma_max = sigma_min, sigma_max
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("deviation", torch.ones(()))

    def learn_moments(self, mean: NDArray[np.float64], deviation: float) -> None:
        """Set the mean, (d,), and the deviation of the training records."""
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.fill_(max(deviation, self.sigma_min))  # of equal records, that of the noise

    def forward(self, z: Tensor, sigma: Tensor, labels: Tensor | None = None) -> Tensor:
        """Estimate records, (n, d); see ``Denoise``."""
        sigma = sigma.unsqueeze(-1)
        variance = sigma.square() + self.deviation.square()
        y = z - self.mean
        predicted = self._predict(y * variance.rsqrt(), sigma, labels)
        kept = self.deviation.square() / variance
        return self.mean + kept * y + sigma * self.deviation * variance.rsqrt() * predicted

    def cost(self, x: Tensor, noise: Tensor, sigma: Tensor, labels: Tensor | None = None) -> Tensor:
        """Compute the squared error of F, (n,), on records with standard normal noise, (n, d) both.

        It is the denoiser's squared error times r^2 / (sigma s)^2.
        """
        sigma = sigma.unsqueeze(-1)
        scale = (sigma.square() + self.deviation.square()).rsqrt()
        centred = x - self.mean
        target = (centred * (sigma / self.deviation) - noise * self.deviation) * scale
        predicted = self._predict((centred + sigma * noise) * scale, sigma, labels)
        return (predicted - target).square().sum(dim=-1)

    def sigmas(self, uniform: Tensor) -> Tensor:
        """Map uniforms to levels of noise: then the mean ``cost`` is the bound, up to constants.

        The bound's integrand over log sigma is the cost times s^2 / (sigma^2 + s^2), which
        integrates to -log(1 + s^2 / sigma^2) / 2 and is inverted here.
        """
        low, high = (self._place(sigma) for sigma in (self.sigma_min, self.sigma_max))
        place = low + (high - low) * uniform
        return self.deviation * torch.expm1(-2 * place).rsqrt()

    def bound(self, cost: Tensor) -> Tensor:
        """Turn costs at levels from ``sigmas`` into minus log p, in expectation a bound, nats.

        The I-MMSE relation of ``i_mmse``; beyond sigma_max the cost is that of the network 0.
        """
        low, high = (self._place(sigma) for sigma in (self.sigma_min, self.sigma_max))
        d = self.mean.numel()
        return log_noise(d, self.sigma_min) + (high - low) * cost - high * d

    def levels(self, count: int) -> NDArray[np.float64]:
        """Return increasing levels of noise, evenly spaced in log sigma."""
        return np.geomspace(self.sigma_min, self.sigma_max, count)

    def _predict(self, inputs: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        log_range = math.log(self.sigma_max / self.sigma_min)
        level = (sigma / self.sigma_min).log() / log_range
        predicted: Tensor = self.network(inputs, level, labels)
        return predicted.float()

    def _place(self, sigma: float) -> float:
        return -0.5 * math.log1p((float(self.deviation) / sigma) ** 2)


def log_noise(d: int, sigma: float) -> float:
    """Compute the entropy of noise of deviation sigma in d dimensions, nats."""
    return 0.5 * d * math.log(2 * math.pi * math.e * sigma**2)


def moments(blocks: Any) -> tuple[NDArray[np.float64], float]:
    """Compute the mean, (d,), and the root mean square deviation of blocks (n, d) of records."""
    count, total, squares = 0, np.zeros(()), np.zeros(())
    for block in blocks:
        values = block.double().cpu().numpy()
        count, total = count + len(values), total + values.sum(axis=0)
        squares = squares + (values**2).sum(axis=0)
    mean = total / count
    return mean, math.sqrt(max(0.0, float((squares / count - mean**2).mean())))
