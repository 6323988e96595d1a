"""Scoring of a trained VAE: log p(x) by importance sampling, evidence lower bounds, samples.

log p(x) is estimated by importance sampling, eq. (9), in log space, from the encoder or better
proposals. Memory does not grow with the number of records: records and draws are taken in blocks.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.arithmetic import PLAIN, Arithmetic, compiled
from byrote.models.spaces import Space
from byrote.models.vae.autoencoder import AutoEncoder, FullyConnected
from byrote.models.vae.bernoulli_decoder import BernoulliDecoder, ConditionalDecoder
from byrote.models.vae.likelihoods import Bernoulli
from byrote.models.vae.proposals import Proposal
from byrote.stats.psis import log_mean_error, pareto_k

# Values of the widest layer held at a time: 4 MiB in float32, which stays near the caches.
BLOCK = 1 << 20
_CHUNK_VALUES = 1 << 22  # of records converted and scored together, to bound memory

Decoder = Callable[[Tensor], Callable[[Tensor, slice], Tensor]]


@dataclass(frozen=True)
class ImportanceSampling:
    """Log-likelihoods with estimates of their error; every array is (n,) float64.

    Parameters
    ----------
    log_prob
        Estimated log p(x), nats.
    standard_error
        Monte Carlo standard error of ``log_prob``, nats, by jackknife over the draws. Its root mean
        square over records is not too small, a single one may be if ``k_hat`` is high; a bias is
        not in it. NaN for a single draw, and where all weights but one are zero.
    effective_sample_size
        (sum w)^2 / sum w^2, between 1 and the number of draws.
    k_hat
        Shape of the generalized Pareto distribution fitted to the largest weights (Vehtari et al.
        2024): reliable below min(1 - 1/log10 N, 0.7). -inf if all weights are equal, NaN for
        fewer than 21 draws.
    outlier
        Posterior probability that the record is of the outlier component; None if the model has
        none. Effective sample size and k-hat, those of the weights of codes, ignore it.
    changes
        (n, m), nats: how ``log_prob`` would change with only the first draws, for m numbers of
        them; None unless asked for.
    """

    log_prob: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    effective_sample_size: NDArray[np.float64]
    k_hat: NDArray[np.float64]
    outlier: NDArray[np.float64] | None = None
    changes: NDArray[np.float64] | None = None


def importance_sample(
    model: AutoEncoder,
    space: Space,
    x: NDArray[Any],
    noise_seed: int,
    draws: int,
    generator: torch.Generator,
    *,
    defensive: float,
    arithmetic: Arithmetic,
    fewer: Sequence[int] = (),
) -> ImportanceSampling:
    """Estimate log p of records x, (n, *shape), with ``draws`` importance samples each, nats.

    ``fewer``: numbers of draws for which ``changes`` are computed.
    """
    arithmetic.check(space.device)
    parts = []
    for inputs, log_determinant in input_blocks(model, space, x, noise_seed):
        part = estimate_log_prob(
            model,
            inputs,
            draws,
            generator,
            defensive=defensive,
            arithmetic=arithmetic,
            fewer=fewer,
        )
        part = _with_outlier(model, part, inputs)
        change = log_determinant.double().cpu().numpy()
        parts.append(replace(part, log_prob=part.log_prob + change))
    return concatenate(parts)


def _with_outlier(
    model: AutoEncoder, estimates: ImportanceSampling, inputs: Tensor
) -> ImportanceSampling:
    """Mix in the outlier component, which is exact: errors shrink by the auto-encoder's share."""
    if model.outlier is None:
        return estimates
    log_prob, responsibility = model.outlier.log_prob(estimates.log_prob, inputs)
    share = 1 - responsibility
    changes = None if estimates.changes is None else estimates.changes * share[:, None]
    return replace(
        estimates,
        log_prob=log_prob,
        standard_error=estimates.standard_error * share,
        outlier=responsibility,
        changes=changes,
    )


@torch.no_grad()
def estimate_log_prob(
    model: AutoEncoder,
    x: Tensor,
    draws: int,
    generator: torch.Generator,
    *,
    defensive: float = 0.0,
    arithmetic: Arithmetic = PLAIN,
    fewer: Sequence[int] = (),
) -> ImportanceSampling:
    """Estimate log p(x), nats, of the auto-encoder alone, for model inputs (n, d).

    log p(x) = logmeanexp over draws l of [log p(x | z_l) + log p(z_l) - log q(z_l | x)], z_l from
    the proposal q, in whose part from the encoder ``defensive`` is the weight of a widened one.
    """
    at_once = min(draws, max(1, BLOCK // model.width))
    rows = max(1, BLOCK // (model.width * at_once))
    decoder = _decoder(model, (at_once, rows), arithmetic)
    parts = []
    for chunk in x.split(max(rows, BLOCK // max(draws, model.width))):
        weights = torch.empty(draws, len(chunk), device=x.device)
        (mean, log_variance), log_likelihood = model.encode(chunk), decoder(chunk)
        proposal = Proposal(mean, log_variance, defensive)
        if draws > 1 and isinstance(log_likelihood, ConditionalDecoder):
            proposal.refine(log_likelihood.derivatives, draws)
        for start in range(0, len(chunk), rows):
            block = slice(start, start + rows)
            for first in range(0, draws, at_once):
                count = min(at_once, draws - first)
                z, log_ratio = proposal.draw(count, generator, block, first)
                weights[first : first + at_once, block] = log_likelihood(z, block).add_(log_ratio)
        parts.append(summarize_weights(weights.t().cpu().numpy(), fewer))
    return concatenate(parts)


def summarize_weights(
    log_weights: NDArray[np.floating], fewer: Sequence[int] = ()
) -> ImportanceSampling:
    """Compute estimates from (n, N) logarithms of importance weights."""
    draws = log_weights.shape[1]
    values = np.ascontiguousarray(log_weights, dtype=np.float64)
    top = values.max(axis=1)
    weights = np.exp(values - np.where(np.isfinite(top), top, 0)[:, None])
    total, squares = weights.sum(axis=1), np.square(weights).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # all weights zero
        size = total**2 / squares
        log_mean = np.log(total) + np.where(np.isfinite(top), top, 0) - math.log(draws)
        parts = [np.log(weights[:, :n].mean(axis=1) * draws / total) for n in fewer]
    changes = np.stack(parts, axis=1) if parts else None
    error, shape = log_mean_error(weights), pareto_k(values)
    return ImportanceSampling(log_mean, error, size, shape, changes=changes)


def concatenate(parts: list[ImportanceSampling]) -> ImportanceSampling:
    """Concatenate the estimates of several blocks of records."""
    names = [field.name for field in fields(ImportanceSampling)]
    present = [name for name in names if getattr(parts[0], name) is not None]
    return ImportanceSampling(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in present}
    )


def _decoder(model: AutoEncoder, shape: tuple[int, int], arithmetic: Arithmetic) -> Decoder:
    """Return log p(x | z) as a function of records, then of codes, by the fastest way available."""
    if isinstance(model.network, FullyConnected) and isinstance(model.likelihood, Bernoulli):
        return BernoulliDecoder(model.network, shape, arithmetic).for_records
    name = repr(model)

    def for_records(x: Tensor) -> Callable[[Tensor, slice], Tensor]:
        def log_likelihood(z: Tensor, block: slice) -> Tensor:
            compile_ = arithmetic.compile and tuple(z.shape[:-1]) == shape  # not the remainder
            function = (
                compiled(_log_likelihood, name, shape, x.device) if compile_ else _log_likelihood
            )
            return function(model, x[block], z)

        return log_likelihood

    return for_records


def _log_likelihood(model: AutoEncoder, x: Tensor, z: Tensor) -> Tensor:
    return model.log_likelihood(x, z)


@torch.no_grad()
def mean_bound(
    model: AutoEncoder, space: Space, x: NDArray[Any], noise_seed: int, generator: torch.Generator
) -> float:
    """Estimate the mean negative evidence lower bound on log p, in nats, by one draw per record."""
    total = 0.0
    for inputs, log_determinant in input_blocks(model, space, x, noise_seed):
        for block in inputs.split(max(1, BLOCK // model.width)):
            shape = (len(block), model.network.latent_dim)
            latent = torch.randn(shape, generator=generator, device=generator.device)
            total += float(model(block, latent).double().sum())
        total -= float(log_determinant.double().sum())
    return total / len(x)


@torch.no_grad()
def draw_samples(
    model: AutoEncoder, space: Space, n: int, generator: torch.Generator
) -> NDArray[np.float32]:
    """Draw samples, (n, *shape), in the form of records."""
    shape = (n, model.network.latent_dim)
    z = torch.randn(shape, generator=generator, device=generator.device)
    model.eval()
    return np.concatenate(
        [
            space.records(space.leave(model.sample(block, generator)))
            for block in z.split(max(1, BLOCK // model.width))
        ]
    )


def input_blocks(
    model: AutoEncoder, space: Space, x: NDArray[Any], seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield model inputs of records with fixed noise, and log-determinants, in blocks."""
    model.eval()
    chunk = max(1, _CHUNK_VALUES // x[0].size)
    for start in range(0, len(x), chunk):
        yield space.fixed(x[start : start + chunk], seed)
