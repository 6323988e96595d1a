"""log p(x) of a VAE by importance sampling from its encoder, eq. (9), in log space.

Nothing here grows with the number of records: records and draws are taken in blocks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.vae.arithmetic import PLAIN, Arithmetic, compiled
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.likelihoods import Bernoulli
from byrote.models.vae.networks import FullyConnected
from byrote.models.vae.products import BernoulliProducts
from byrote.models.vae.proposal import Proposal
from byrote.stats.psis import pareto_k

# Values of the widest layer held at a time: 4 MiB in float32, which stays near the caches.
BLOCK = 1 << 20
Decoder = Callable[[Tensor], Callable[[Tensor, slice], Tensor]]


@dataclass(frozen=True)
class ImportanceSampling:
    """Log-likelihoods with what is known of their error; every array is (n,) float64.

    Parameters
    ----------
    log_prob
        Estimated log p(x), nats.
    standard_error
        Monte Carlo standard error of ``log_prob``, nats: that of the mean weight over the mean
        weight (delta method). NaN for a single draw. Not to be trusted where ``k_hat`` is high.
    effective_sample_size
        (sum w)^2 / sum w^2, between 1 and the number of draws.
    k_hat
        Shape of the generalized Pareto distribution fitted to the largest weights (Vehtari et al.
        2024): reliable below min(1 - 1/log10 N, 0.7). -inf where all weights are equal, NaN for
        fewer than 21 draws.
    outlier
        Posterior probability that the record is of the outlier component; None without one. It has
        no part in sample size and k-hat, which are those of the weights of codes.
    """

    log_prob: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    effective_sample_size: NDArray[np.float64]
    k_hat: NDArray[np.float64]
    outlier: NDArray[np.float64] | None = None


@torch.no_grad()
def log_prob(
    model: AutoEncoder,
    x: Tensor,
    draws: int,
    generator: torch.Generator,
    *,
    defensive: float = 0.0,
    arithmetic: Arithmetic = PLAIN,
) -> ImportanceSampling:
    """Estimated log p(x), nats, of the autoencoder alone, and the estimates' reliability.

    log p(x) = logmeanexp over draws l of [log p(x | z_l) + log p(z_l) - log q(z_l | x)], z_l from
    the proposal q.

    Parameters
    ----------
    x
        (n, d) as the model sees records, in evaluation mode.
    draws
        Number of importance samples N per record.
    defensive
        Weight of a widened q in the proposal, in [0, 1).
    """
    at_once = min(draws, max(1, BLOCK // model.width))
    rows = max(1, BLOCK // (model.width * at_once))
    decoder = _decoder(model, (at_once, rows), arithmetic)
    parts = []
    for chunk in x.split(max(rows, BLOCK // max(draws, model.width))):
        weights = torch.empty(draws, len(chunk), device=x.device)
        proposal, log_likelihood = Proposal(*model.encode(chunk), defensive), decoder(chunk)
        for start in range(0, len(chunk), rows):
            block = slice(start, start + rows)
            for first in range(0, draws, at_once):
                z, log_ratio = proposal.draw(min(at_once, draws - first), generator, block)
                weights[first : first + at_once, block] = log_likelihood(z, block).add_(log_ratio)
        parts.append(summarized(weights.t().cpu().numpy()))
    return joined(parts)


def summarized(log_weights: NDArray[np.floating]) -> ImportanceSampling:
    """Estimates from (n, N) logarithms of importance weights."""
    draws = log_weights.shape[1]
    values = np.ascontiguousarray(log_weights, dtype=np.float64)
    top = values.max(axis=1)
    weights = np.exp(values - np.where(np.isfinite(top), top, 0)[:, None])
    total, squares = weights.sum(axis=1), np.square(weights).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # all weights zero; a single draw
        size = total**2 / squares
        spread = np.maximum(1 / size - 1 / draws, 0) * draws / np.float64(draws - 1)
        log_mean = np.log(total) + np.where(np.isfinite(top), top, 0) - math.log(draws)
    return ImportanceSampling(log_mean, np.sqrt(spread), size, pareto_k(values))


def joined(parts: list[ImportanceSampling]) -> ImportanceSampling:
    """The estimates of several blocks of records, in order."""
    names = ["log_prob", "standard_error", "effective_sample_size", "k_hat"]
    names += ["outlier"] if parts[0].outlier is not None else []
    return ImportanceSampling(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in names)
    )


def _decoder(model: AutoEncoder, shape: tuple[int, int], arithmetic: Arithmetic) -> Decoder:
    """Log p(x | z) as a function of records, then of codes; the quickest way that there is."""
    if isinstance(model.network, FullyConnected) and isinstance(model.likelihood, Bernoulli):
        return BernoulliProducts(model.network, shape, arithmetic).given
    name = repr(model)

    def given(x: Tensor) -> Callable[[Tensor, slice], Tensor]:
        def log_likelihood(z: Tensor, block: slice) -> Tensor:
            whole = arithmetic.compile and tuple(z.shape[:-1]) == shape  # the rest is not worth it
            function = (
                compiled(_log_likelihood, name, shape, x.device) if whole else _log_likelihood
            )
            return function(model, x[block], z)

        return log_likelihood

    return given


def _log_likelihood(model: AutoEncoder, x: Tensor, z: Tensor) -> Tensor:
    return model.log_likelihood(x, z)
