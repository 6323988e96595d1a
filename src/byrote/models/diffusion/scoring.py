"""Scoring of a diffusion model: log p(x) by I-MMSE and by the probability-flow ODE, samples.

Memory does not grow with the number of records: they are taken in blocks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byrote.models.diffusion import i_mmse, probability_flow
from byrote.models.diffusion.denoiser import Denoiser
from byrote.models.diffusion.i_mmse import Array, Estimates
from byrote.models.diffusion.noise import record_noise
from byrote.models.diffusion.pretrained import PretrainedDenoiser
from byrote.models.diffusion.probability_flow import EXACT_TRACE, Prior
from byrote.models.diffusion.training import reduced
from byrote.models.spaces import Space

_BLOCK = 1 << 20  # values of the widest layer held at a time, which stay near the caches
_NOISE_VALUES = 1 << 22  # drawn at a time
_PROBES = 1  # the purpose of noise whose signs are probes of the trace
_DIFFERING = 4.0  # Monte Carlo errors that two estimates of one record differ by, by chance


@dataclass(frozen=True)
class Scorer:
    """Scores records with one denoiser.

    Attributes
    ----------
    denoiser, space
        The denoiser, and the form in which it sees records.
    noise_seed
        Seed of the records' noise and probes, the same in all fits.
    dtype
        Type of the factors of matrix products in I-MMSE; the ODE is in float32.
    rows
        Rows denoised at a time.
    """

    denoiser: Denoiser | PretrainedDenoiser
    space: Space
    noise_seed: int
    dtype: torch.dtype
    rows: int

    def by_i_mmse(
        self, x: NDArray[Any], labels: Tensor | None, levels: int, draws: int
    ) -> Estimates:
        """Estimate E log p(x + sigma_min eps), nats, with ``draws`` of noise at each level."""
        sigmas = self.denoiser.levels(levels)
        count = len(sigmas) * draws
        parts = []
        for rows in _blocks(len(x), _NOISE_VALUES // (count * x[0].size)):
            inputs, change = self._entered(x[rows])
            drawn = self._noise(x[rows], count).view(len(inputs), len(sigmas), draws, -1)
            given = None if labels is None else labels[rows]
            with reduced(inputs.device, self.dtype):
                part = i_mmse.estimate_log_prob(
                    self.denoiser, inputs, drawn, sigmas, given, at_once=self.rows
                )
            parts.append((part.log_prob + change, part.standard_error))
        log_prob, error = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Estimates(log_prob, error)

    def by_flow(self, x: NDArray[Any], labels: Tensor | None, steps: int) -> Array:
        """Compute log p(x), (n,) nats, by the probability-flow ODE in ``steps`` steps of Heun."""
        sigmas, parts = self.denoiser.levels(steps + 1), []
        for rows in _blocks(len(x), self.rows):
            inputs, change = self._entered(x[rows])
            probe = None
            if inputs.shape[1] > EXACT_TRACE:
                probe = self._noise(x[rows], 1, _PROBES)[:, 0].sign()
            given = None if labels is None else labels[rows]
            found = probability_flow.log_prob(
                self.denoiser, inputs, sigmas, self._prior(), probe, given
            )
            parts.append(found + change)
        return np.concatenate(parts)

    def sample(
        self, n: int, labels: Tensor | None, steps: int, generator: torch.Generator
    ) -> NDArray[np.float32]:
        """Draw samples, (n, *shape), in the form of records."""
        sigmas, parts = self.denoiser.levels(steps + 1), []
        for rows in _blocks(n, self.rows):
            start = self._prior().sample(len(range(n)[rows]), generator)
            given = None if labels is None else labels[rows]
            found = probability_flow.sample(self.denoiser, start, sigmas, given)
            parts.append(self.space.records(self.space.leave(found)))
        return np.concatenate(parts)

    def _entered(self, rows: NDArray[Any]) -> tuple[Tensor, Array]:
        inputs, change = self.space.fixed(rows, self.noise_seed)
        return inputs, change.double().cpu().numpy()

    def _noise(self, rows: NDArray[Any], count: int, purpose: int = 0) -> Tensor:
        drawn = record_noise(rows, self.noise_seed, count, purpose)
        return torch.from_numpy(drawn).to(self.denoiser.mean.device)

    def _prior(self) -> Prior:
        deviation = math.hypot(self.denoiser.sigma_max, float(self.denoiser.deviation))
        return Prior(self.denoiser.mean, deviation)


def differing(estimates: Estimates, by_flow: Array, d: int) -> NDArray[np.bool_]:
    """Whether two estimates of log p differ by more than they may, (n,).

    The ODE gives log p(x), I-MMSE the mean of log p around x. Where p is that of noisy records, the
    first exceeds the second by at most d/2 nats, for log p(x) + x^2 / (2 sigma^2) is convex; the
    same is allowed below, and four Monte Carlo errors.
    """
    error = np.nan_to_num(estimates.standard_error)
    gap = np.abs(by_flow - estimates.log_prob)
    return np.asarray(~(gap <= d / 2 + _DIFFERING * error))


def rows_at_once(width: int) -> int:
    """Return the number of rows to denoise at a time, for the width of the widest layer."""
    return max(1, _BLOCK // width)


def _blocks(n: int, size: int) -> Iterator[slice]:
    for start in range(0, n, max(1, size)):
        yield slice(start, start + max(1, size))
