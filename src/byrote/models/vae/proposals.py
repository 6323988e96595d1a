"""Proposals of importance sampling: the encoder, and Gaussian posteriors by Newton's method.

The encoder's normal distributions have independent coordinates and are often too narrow, so that a
few of their draws hold all of the weight. Where a decoder has cheap derivatives, every second draw
is from a normal distribution with the posterior's own mode and covariance, found from the encoder's
mean by two steps; the others keep the weights bounded wherever those steps go astray.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

WIDENING = 1.5  # of the standard deviations of q, in the proposal's defensive part
STEPS = 2  # more find no better modes

# Gradients (n, latent) of log p(x | z) at codes, and minus Hessians (n, latent, latent).
Derivatives = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Posteriors:
    """Normal approximations of p(z | x) for n records.

    ``mean`` is (n, latent); ``root``, (n, latent, latent), the lower Cholesky factor of the
    precision; ``inverse`` that of the root.
    """

    mean: Tensor
    root: Tensor
    inverse: Tensor

    @classmethod
    def near(cls, derivatives: Derivatives, mean: Tensor, deviation: Tensor) -> "Posteriors":
        """Take Newton's steps from the encoder's mean; keep the encoder where they fail."""
        encoder, code = torch.diag_embed(1 / deviation), mean
        prior = torch.eye(mean.shape[1], dtype=torch.float64)
        for _ in range(STEPS):
            gradient, curvature = derivatives(code)
            root, failed = torch.linalg.cholesky_ex(curvature.cpu().double() + prior)
            root = root.to(mean)
            step = torch.cholesky_solve((gradient - code).unsqueeze(-1), root).squeeze(-1)
            code = code + step
        inverse = torch.linalg.solve_triangular(root, prior.to(mean), upper=False)
        good = code.isfinite().all(dim=1) & root.flatten(1).isfinite().all(dim=1)
        good &= failed.to(mean.device) == 0
        chosen = good[:, None, None]
        return cls(
            torch.where(good[:, None], code, mean),
            torch.where(chosen, root, encoder),
            torch.where(chosen, inverse, torch.diag_embed(deviation)),
        )

    def codes(self, noise: Tensor, block: slice) -> Tensor:
        """Return codes of a block of records from standard normal noise, (count, n, latent)."""
        return self.mean[block] + torch.einsum("nkl,cnk->cnl", self.inverse[block], noise)

    def log_density(self, z: Tensor, block: slice) -> Tensor:
        """Compute log-densities at codes, (count, n), up to the factor of 2 pi."""
        root = self.root[block]
        noise = torch.einsum("nkl,cnk->cnl", root, z - self.mean[block])
        log_determinant = root.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
        return log_determinant - 0.5 * noise.square().sum(dim=-1)


class Proposal:
    """The proposal of a block of records: q(z | x), mixed with a widened q, and with posteriors.

    (1 - a) N(m, s^2) + a N(m, (1.5 s)^2), with a = ``defensive``, in [0, 1); mean and log-variance
    are (n, latent). No weight is larger than 1/a times its value under the widened q alone, which
    has heavier tails. Once refined, every second draw is from posteriors; ``share`` is their part
    of all draws, and the density that of the mixture.
    """

    def __init__(self, mean: Tensor, log_variance: Tensor, defensive: float) -> None:
        self.mean = mean
        self.deviation = torch.exp(0.5 * log_variance)
        self.log_deviation = 0.5 * log_variance.sum(dim=-1)
        self.defensive = defensive
        self.posteriors: Posteriors | None = None
        self.share = 0.0

    def refine(self, derivatives: Derivatives, draws: int) -> None:
        """Take every second of a number of ``draws`` from posteriors instead."""
        self.posteriors = Posteriors.near(derivatives, self.mean, self.deviation)
        self.share = draws // 2 / draws

    def draw(
        self, count: int, generator: torch.Generator, block: slice = slice(None), first: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Draw codes z, (count, n, latent), of a block, and log p(z)/proposal(z), (count, n).

        ``first``: how many of the records' codes were drawn before.
        """
        mean, deviation = self.mean[block], self.deviation[block]
        shape, device = (count, *mean.shape), mean.device
        noise = torch.randn(shape, generator=generator, device=device)
        seconds = slice((first + 1) % 2, None, 2)
        refined = None if self.posteriors is None else self.posteriors.codes(noise[seconds], block)
        if self.defensive:
            wide = torch.rand(shape[:-1], generator=generator, device=device) < self.defensive
            noise *= torch.where(wide, WIDENING, 1.0).unsqueeze(-1)
        z = noise * deviation + mean
        if refined is not None:
            z[seconds] = refined
            noise[seconds] = (refined - mean) / deviation
        log_prior = -0.5 * z.square().sum(dim=-1)  # the 2 pi cancel
        density = self._log_density(noise.square_().sum(dim=-1), self.log_deviation[block])
        if self.posteriors is not None:
            other = self.posteriors.log_density(z, block) + math.log(self.share)
            density = torch.logaddexp(density + math.log1p(-self.share), other)
        return z, log_prior - density

    def _log_density(self, squared: Tensor, log_deviation: Tensor) -> Tensor:
        """Log-density of the encoder's part at a squared distance from the mean, in deviations."""
        narrow = -0.5 * squared - log_deviation
        if not self.defensive:
            return narrow
        widened = -0.5 * squared / WIDENING**2 - log_deviation
        offset = math.log(self.defensive) - self.mean.shape[-1] * math.log(WIDENING)
        return torch.logaddexp(narrow + math.log1p(-self.defensive), widened + offset)
