"""DP-SGD (Abadi et al. 2016): random batches, clipped gradients, noise, an optimizer's step."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from byrote.models.privacy.accountants import NoiseSchedule, calibrate, guarantee_of
from byrote.models.privacy.dp import DP, DPGuarantee
from byrote.models.privacy.gradient_norms import Layers, trained
from byrote.models.torch_utils import Stream, generator_from, seed_of

_CHUNK = 512  # records that go through the module together, to bound memory


def draw_batches(
    schedule: NoiseSchedule, sampling: str, generator: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Draw the row numbers of one epoch's batches; some batches may be empty.

    "poisson": each record is in each batch with probability ``schedule.sample_rate``,
    independently. "shuffled": each record is in one batch, drawn independently of the others, so
    that one more record changes that batch alone; batches cut from a permutation would all change.

    Examples
    --------
    >>> schedule = NoiseSchedule(1.0, 0.25, 4, 10, 1)
    >>> batches = draw_batches(schedule, "shuffled", np.random.default_rng(0))
    >>> len(batches), sorted(np.concatenate(batches).tolist())
    (4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    n, count = schedule.records, schedule.steps_per_epoch
    if sampling == "shuffled":
        batch = generator.integers(count, size=n)
        order = np.argsort(batch, kind="stable")
        return np.split(order, np.cumsum(np.bincount(batch, minlength=count))[:-1])
    sizes = generator.binomial(n, schedule.sample_rate, size=count)  # then which: the same law
    return [generator.choice(n, size, replace=False, shuffle=False) for size in sizes]


class NoisyStep:
    """Adds noise to a sum of gradients, clipped to ``max_grad_norm``, and steps along the mean.

    The optimizer, of any kind, gets the noisy sum divided by the expected number of records;
    whatever it does is post-processing. The noise comes from ``generator``, on the parameters'
    device.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        optimizer: torch.optim.Optimizer,
        schedule: NoiseSchedule,
        *,
        max_grad_norm: float,
        generator: torch.Generator,
    ) -> None:
        self.parameters = list(parameters)
        self._optimizer, self._generator = optimizer, generator
        self._expected_batch = schedule.expected_batch
        self._deviation = schedule.noise_multiplier * max_grad_norm
        values = sum(p.numel() for p in self.parameters)
        self._noise = torch.empty(values, device=self.parameters[0].device)  # reused at every step

    def zeros(self) -> list[Tensor]:
        """Return an empty sum of gradients, one tensor per parameter."""
        return [torch.zeros_like(p) for p in self.parameters]

    @torch.no_grad()
    def __call__(self, total: Sequence[Tensor]) -> None:
        """Take a step on the sums of clipped gradients."""
        if self._deviation > 0:
            self._noise.normal_(0, self._deviation, generator=self._generator)
        else:
            self._noise.zero_()
        parts = self._noise.split([p.numel() for p in self.parameters])
        for p, gradient, noise in zip(self.parameters, total, parts, strict=True):
            p.grad = noise.as_strided(p.size(), p.stride()).add_(gradient)
        self._noise.div_(self._expected_batch)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)


class PrivateStep:
    """A step of DP-SGD for any module, by book-keeping (Bu et al. 2023).

    Forward; gradients of the layers' outputs; from these the norm of each record's gradient; then
    the gradients of the parameters, with each record weighted so that its norm is at most
    ``max_grad_norm``. Except for the norms, "ghost" or "per-example" (``gradients``), that costs as
    much as a plain step. A module that Opacus cannot handle is refused.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: NoiseSchedule,
        *,
        max_grad_norm: float,
        generator: torch.Generator,
    ) -> None:
        self._layers = Layers(module)
        self._norm = max_grad_norm
        self._noisy_step = NoisyStep(
            trained(module), optimizer, schedule, max_grad_norm=max_grad_norm, generator=generator
        )
        self.gradients = self._layers.gradients

    def __call__(self, losses: Callable[..., Tensor], *batch: Tensor) -> Tensor:
        """Take a step on a batch, and return the losses before it, summed.

        An empty batch is noise alone. ``losses(*batch)`` returns (n,) values, one per record, from
        its own values alone, by one call of the module; it is called with parts of a large batch.
        The batch's tensors have records along the first axis.
        """
        sums: dict[nn.Parameter, Tensor] = {}
        parameters = self._noisy_step.parameters
        total_loss = torch.zeros((), device=parameters[0].device)
        parts = [tensor.split(_CHUNK) for tensor in batch] if len(batch[0]) else []
        for part in zip(*parts, strict=True):
            loss, gradients = self._clipped(losses, part)
            total_loss = total_loss + loss
            for p, gradient in gradients:
                sums[p] = sums[p] + gradient if p in sums else gradient
        self._noisy_step([sums[p] if p in sums else torch.zeros_like(p) for p in parameters])
        return total_loss

    def _clipped(
        self, losses: Callable[..., Tensor], batch: Sequence[Tensor]
    ) -> tuple[Tensor, list[tuple[nn.Parameter, Tensor]]]:
        """Return the sum of losses, and for each parameter that of clipped gradients."""
        loss, outputs = self._layers.outputs(lambda: losses(*batch))
        backward = torch.autograd.grad(
            loss.sum(), outputs, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        norms = self._layers.norms(backward)
        finite = norms.isfinite()
        if not bool(finite.all()):  # such a gradient cannot be clipped; its record is left out
            rest = [tensor[finite] for tensor in batch]
            gradients = self._clipped(losses, rest)[1] if bool(finite.any()) else []
            return loss.detach().sum(), gradients
        weights = self._norm / norms.clamp(min=self._norm)
        return loss.detach().sum(), self._layers.sums(weights, backward)


@dataclass(frozen=True)
class PrivateTraining:
    """DP-SGD of a model for a number of records, with seeds of the batches and of the noise."""

    dp: DP
    schedule: NoiseSchedule
    seeds: tuple[int, int] = field(repr=False)

    def batches(self) -> Callable[[], list[NDArray[np.intp]]]:
        """Return a function that draws the batches of an epoch, some of them possibly empty."""
        generator = np.random.default_rng(self.seeds[0])
        return partial(draw_batches, self.schedule, self.dp.sampling, generator)

    def step(self, module: nn.Module, optimizer: torch.optim.Optimizer, device: str) -> PrivateStep:
        """Return a step of the optimizer on clipped gradients with noise."""
        return PrivateStep(
            module,
            optimizer,
            self.schedule,
            max_grad_norm=self.dp.max_grad_norm,
            generator=generator_from(self.seeds[1], device),
        )

    def guarantee(self, module: nn.Module) -> DPGuarantee:
        """Return the guarantee about a record."""
        return guarantee_of(self.dp, self.schedule, gradients=Layers(module).gradients)


def private_training(model: Any, records: int) -> PrivateTraining | None:
    """Return the private training of a model with ``dp``, calibrated for the number of records."""
    if model.dp is None:
        return None
    schedule = calibrate(model.dp, records, model.batch_size, model.epochs)
    streams = (Stream.SAMPLING, Stream.PRIVACY)
    sampling, noise = (seed_of(model.random_state, stream) for stream in streams)
    return PrivateTraining(model.dp, schedule, (sampling, noise))
