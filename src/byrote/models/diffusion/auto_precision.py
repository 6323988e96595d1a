"""Resolve a diffusion model's precision "auto" on the current machine."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from byrote.models.arithmetic import PRECISIONS, bfloat16_is_faster, resolve_precision
from byrote.models.diffusion.denoiser import Denoiser
from byrote.models.diffusion.networks import chosen_network, untrained
from byrote.models.diffusion.training import TrainingStep, reduced, stratified

_BATCHES_SCORED = 4  # as many as score a batch while one trains on it
_MOST_VALUES = 1 << 18  # of a timed batch


def precision_of(model: Any, shape: tuple[int, ...]) -> str:
    """Return the precision of a model for records of this shape, "auto" resolved."""
    if model.precision != "auto":
        return str(model.precision)

    def is_faster() -> bool:
        kind = chosen_network(model.network, shape)
        return _is_faster(kind, shape, tuple(model.hidden), model.features, model.batch_size)

    return resolve_precision(model.device, tolerant=True, is_faster=is_faster)


def dtype_of(model: Any, shape: tuple[int, ...]) -> torch.dtype:
    """Return the type of the factors of matrix products."""
    return PRECISIONS[precision_of(model, shape)]


@cache
def _is_faster(
    kind: str, shape: tuple[int, ...], hidden: tuple[int, ...], features: int, batch_size: int
) -> bool:
    """Time a step of training and the denoising of some batches, once per process."""
    denoiser = _Timed(kind, shape, hidden, features).denoiser
    values = denoiser.mean.numel()
    generator = torch.Generator().manual_seed(0)
    n = max(1, min(batch_size, _MOST_VALUES // values))
    x, noise = (torch.randn(n, values, generator=generator) for _ in range(2))
    uniform = stratified(n, generator)

    def work(dtype: torch.dtype) -> Callable[[], object]:
        step = TrainingStep(denoiser, 1e-3, dtype)

        def train_and_denoise() -> None:
            step(x, None, noise, uniform)
            with torch.no_grad(), reduced(x.device, dtype):
                for _ in range(_BATCHES_SCORED):
                    denoiser(x, denoiser.sigmas(uniform))

        return train_and_denoise

    return bfloat16_is_faster(work)


class _Timed:
    """A model of these sizes, with what ``untrained`` reads."""

    random_state = 0

    def __init__(
        self, network: str, shape: tuple[int, ...], hidden: tuple[int, ...], features: int
    ) -> None:
        self.network, self.hidden, self.features = network, hidden, features
        self.denoiser = Denoiser(untrained(self, shape, 0), math.prod(shape), 0.02, 80.0)
