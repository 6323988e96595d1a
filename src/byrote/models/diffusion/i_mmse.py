"""log p(x) of a diffusion model from its denoising errors, by the I-MMSE relation.

With gamma = 1 / sigma^2 and mmse(x, gamma) = E ||x - D(x + sigma eps, sigma)||^2,

    E log p(x + sigma_min eps) = -(d/2) log(2 pi e sigma_min^2) - 1/2 integral of mmse d gamma

over gamma from 0 to 1 / sigma_min^2 (Guo, Shamai & Verdu 2005; Kong, Brekelmans & Ver Steeg 2023),
where p is the density of noisy records. It is exact for the best denoiser, and a lower bound on
average for any other. A memorization score is half the integrated gap of the errors.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.diffusion.denoiser import Denoise, log_noise

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """Log-densities of noisy records, (n,) nats, with Monte Carlo standard errors, (n,).

    The errors are those of the noise alone, and NaN for a single draw.
    """

    log_prob: Array
    standard_error: Array


@torch.no_grad()
def estimate_log_prob(
    denoise: Denoise,
    x: Tensor,
    noise: Tensor,
    sigmas: Array,
    labels: Tensor | None = None,
    *,
    at_once: int = 1 << 12,
) -> Estimates:
    """Estimate E log p(x + sigma_min eps) of records x, (n, d), nats.

    Parameters
    ----------
    denoise
        The denoiser.
    noise
        (n, levels, draws, d) standard normal noise.
    sigmas
        (levels,) levels of noise, increasing. Integration is by the trapezoid in log sigma, with
        the last error below the first gamma.
    labels
        (n,) conditions.
    at_once
        Number of rows denoised at a time.

    Examples
    --------
    The denoiser of the standard normal distribution, whose noisy records have variance 2:

    >>> sigmas, x = np.geomspace(1, 100, 64), torch.zeros(1, 1)
    >>> noise = torch.randn(1, 64, 500, 1, generator=torch.Generator().manual_seed(0))
    >>> denoise = lambda z, sigma, labels: z / (1 + sigma[:, None] ** 2)
    >>> found = estimate_log_prob(denoise, x, noise, sigmas)
    >>> exact = -0.5 * np.log(2 * np.pi * 2) - 1 / 4
    >>> bool(abs(found.log_prob[0] - exact) < 0.01)
    True
    """
    n, levels, draws, d = noise.shape
    deviations = torch.as_tensor(sigmas, dtype=x.dtype, device=x.device)
    sigma = deviations.repeat_interleave(draws).repeat(n)
    record = torch.arange(n, device=x.device).repeat_interleave(levels * draws)
    flat, errors = noise.reshape(-1, d), torch.empty(len(sigma), device=x.device)
    for start in range(0, len(sigma), at_once):
        rows = slice(start, start + at_once)
        level, clean = sigma[rows], x[record[rows]]
        condition = None if labels is None else labels[record[rows]]
        found = denoise(clean + level[:, None] * flat[rows], level, condition)
        errors[rows] = ((clean - found) / level[:, None]).square().sum(dim=-1)
    return integrated(errors.view(n, levels, draws).double().cpu().numpy(), sigmas, d)


def integrated(errors: Array, sigmas: Array, d: int) -> Estimates:
    """Integrate squared errors over sigma^2, (n, levels, draws), to log-densities, (n,) nats."""
    weights = trapezoid_weights(np.log(sigmas))
    weights[-1] += 0.5  # d gamma / 2 from 0 to 1 / sigma_max^2, with the error of sigma_max
    draws = errors.shape[2]
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = errors.var(axis=2, ddof=1) / draws if draws > 1 else np.full((), np.nan)
    return Estimates(
        -log_noise(d, float(sigmas[0])) - errors.mean(axis=2) @ weights,
        np.sqrt(np.broadcast_to(variance, errors.shape[:2]) @ weights**2),
    )


def trapezoid_weights(points: Array) -> Array:
    """Return the weights, (k,), of values at increasing points in the trapezoidal rule.

    Examples
    --------
    >>> trapezoid_weights(np.array([0.0, 1.0, 3.0])).tolist()
    [0.5, 1.5, 1.0]
    """
    steps = np.diff(points) / 2
    return np.asarray(np.append(steps, 0) + np.append(0, steps))
