"""The probability-flow ODE of a diffusion model: log p(x) by its divergence, and samples.

In log sigma, dx / d log sigma = x - D(x, sigma) carries the density of records with noise sigma_min
to that of records with noise sigma_max, nearly normal (Song et al. 2021; Karras et al. 2022), and

    log p(x) = log p_max(x_max) + integral of (d - tr J) d log sigma,   J = dD/dx along the path.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.diffusion.denoiser import Denoise

Array = NDArray[np.float64]
EXACT_TRACE = 8  # dimensions up to which the trace is exact, by as many products as there are


@dataclass(frozen=True)
class Prior:
    """The normal distribution of records with noise sigma_max: mean (d,) and deviation."""

    mean: Tensor
    deviation: float

    def log_prob(self, x: Tensor) -> Tensor:
        """Compute log-densities, (n,) nats, of (n, d)."""
        squared = ((x - self.mean) / self.deviation).square().sum(dim=-1)
        return -0.5 * squared - x.shape[1] * math.log(math.sqrt(2 * math.pi) * self.deviation)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, d) records."""
        noise = torch.randn(n, len(self.mean), generator=generator, device=generator.device)
        return self.mean + self.deviation * noise


def log_prob(
    denoise: Denoise,
    x: Tensor,
    sigmas: Array,
    prior: Prior,
    probe: Tensor | None,
    labels: Tensor | None = None,
) -> Array:
    """Compute log p(x), (n,) nats, of records with noise ``sigmas[0]``, at x, (n, d).

    ``sigmas`` are the increasing points of Heun's method. The trace is exact for ``probe`` None, at
    the cost of d products a point, and otherwise estimated with the same probe, (n, d) signs, at
    all of them (Hutchinson 1989; Grathwohl et al. 2019).

    Examples
    --------
    >>> denoise = lambda z, sigma, labels: z / (1 + sigma[:, None] ** 2)  # of N(0, 1)
    >>> sigmas, x = np.geomspace(1, 100, 64), torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    >>> log_prob(denoise, x, sigmas, Prior(torch.zeros(1), math.sqrt(1 + 100**2)), None).round(1)
    array([-1.3, -2.3])
    """

    def slope(x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        level = torch.full((len(x),), sigma, dtype=x.dtype, device=x.device)
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            denoised = denoise(at, level, labels)
            trace = _trace(denoised, at, probe)
        return x - denoised.detach(), x.shape[1] - trace.double()

    end, expansion = heun(slope, x, sigmas)
    return np.asarray((prior.log_prob(end).double() + expansion).cpu().numpy())


@torch.no_grad()
def sample(denoise: Denoise, x: Tensor, sigmas: Array, labels: Tensor | None = None) -> Tensor:
    """Carry draws of the prior, (n, d), to samples, (n, d), along increasing ``sigmas`` backwards.

    At the lowest level the noise is taken away in one step.
    """

    def slope(x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        level = torch.full((len(x),), sigma, dtype=x.dtype, device=x.device)
        return x - denoise(x, level, labels), x.new_zeros(())

    end, _ = heun(slope, x, sigmas[::-1])
    return denoise(end, end.new_full((len(end),), float(sigmas[0])), labels)


Slope = Callable[[Tensor, float], tuple[Tensor, Tensor]]


def heun(slope: Slope, x: Tensor, sigmas: Array) -> tuple[Tensor, Tensor]:
    """Integrate dx / d log sigma by Heun's method at the points ``sigmas``.

    ``slope(x, sigma)`` returns the derivative and another quantity, which is integrated along the
    path; returned are the end of the path and that integral.
    """
    total: Any = 0.0
    for sigma, following in pairwise(sigmas):
        step = math.log(following / sigma)
        first, quantity = slope(x, float(sigma))
        second, next_quantity = slope(x + step * first, float(following))
        x = x + 0.5 * step * (first + second)
        total = total + 0.5 * step * (quantity + next_quantity)
    return x, total


def _trace(denoised: Tensor, at: Tensor, probe: Tensor | None) -> Tensor:
    """Return the trace, (n,), of the Jacobian of each record, or its estimate."""
    if not denoised.requires_grad:  # a constant
        return at.new_zeros(len(at))
    if probe is not None:
        (product,) = torch.autograd.grad(denoised, at, probe)
        return (product * probe).sum(dim=-1)
    d = at.shape[1]
    columns = [
        torch.autograd.grad(denoised[:, k].sum(), at, retain_graph=k < d - 1)[0][:, k]
        for k in range(d)
    ]
    return torch.stack(columns).sum(dim=0)
