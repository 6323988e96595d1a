"""Where importance sampling draws its codes: the encoder's q(z | x), or a defensive mixture."""

import math

import torch
from torch import Tensor

WIDENING = 1.5  # of the standard deviations of q, in the proposal's defensive part


class Proposal:
    """q(z | x) of a block of records, mixed with a widened q.

    The proposal is (1 - a) N(m, s^2) + a N(m, (1.5 s)^2), a being ``defensive``. No weight is then
    larger than 1/a times what it would be with the widened q alone, whose tails are heavier.

    Parameters
    ----------
    mean, log_variance
        (n, latent) of q.
    defensive
        Weight of the widened part, in [0, 1).
    """

    def __init__(self, mean: Tensor, log_variance: Tensor, defensive: float) -> None:
        self.mean = mean
        self.deviation = torch.exp(0.5 * log_variance)
        self.log_deviation = 0.5 * log_variance.sum(dim=-1)
        self.defensive = defensive

    def draw(
        self, count: int, generator: torch.Generator, block: slice = slice(None)
    ) -> tuple[Tensor, Tensor]:
        """(count, n, latent) codes z, and (count, n) log p(z) - log proposal(z), nats.

        Only for the records in the block, where one is given.
        """
        mean = self.mean[block]
        shape, device = (count, *mean.shape), mean.device
        noise = torch.randn(shape, generator=generator, device=device)
        if self.defensive:
            wide = torch.rand(shape[:-1], generator=generator, device=device) < self.defensive
            noise *= torch.where(wide, WIDENING, 1.0).unsqueeze(-1)
        z = noise * self.deviation[block] + mean
        log_prior = -0.5 * z.square().sum(dim=-1)  # the 2 pi cancel
        return z, log_prior - self._log_density(
            noise.square_().sum(dim=-1), self.log_deviation[block]
        )

    def _log_density(self, squared: Tensor, log_deviation: Tensor) -> Tensor:
        """Log-density of the mixture at a squared distance from the mean, in deviations."""
        narrow = -0.5 * squared - log_deviation
        if not self.defensive:
            return narrow
        widened = -0.5 * squared / WIDENING**2 - log_deviation
        offset = math.log(self.defensive) - self.mean.shape[-1] * math.log(WIDENING)
        return torch.logaddexp(narrow + math.log1p(-self.defensive), widened + offset)
