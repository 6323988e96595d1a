"""Differentially private training of a VAE: its parameters, batches and step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from byrote.errors import InvalidInput
from byrote.models.privacy import DP
from byrote.models.privacy.calibration import NoiseSchedule, calibrate, guarantee_of
from byrote.models.privacy.dp import check_parameter
from byrote.models.privacy.dp_sgd import PrivateStep, draw_batches
from byrote.models.privacy.gradient_norms import Layers
from byrote.models.privacy.guarantee import DPGuarantee
from byrote.models.torch_utils import Stream, generator_from, seed_of
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.spaces import Space
from byrote.models.vae.steps import Step, adam


@dataclass(frozen=True)
class PrivateTraining:
    """DP-SGD for a VAE and a number of records, with seeds of the batches and of the noise."""

    dp: DP
    schedule: NoiseSchedule
    seeds: tuple[int, int] = field(repr=False)

    def batches(self) -> Callable[[], list[NDArray[np.intp]]]:
        """A function that draws the batches of an epoch, some of which may be empty."""
        generator = np.random.default_rng(self.seeds[0])
        return partial(draw_batches, self.schedule, self.dp.sampling, generator)

    def step(self, model: AutoEncoder, space: Space, learning_rate: float, decay: float) -> Step:
        """Adam on noisy gradients; a record has one draw of noise and one of the code."""
        step = PrivateStep(
            model,
            adam(model, learning_rate, decay),
            self.schedule,
            max_grad_norm=self.dp.max_grad_norm,
            generator=generator_from(self.seeds[1], space.device),
        )

        def private_step(values: Tensor, noise: Tensor, latent: Tensor) -> Tensor:
            inputs, log_determinant = space.enter(values, noise)
            return step(model, inputs, latent) - log_determinant.sum()

        return private_step

    def guarantee(self, model: AutoEncoder) -> DPGuarantee:
        """The guarantee about a record."""
        return guarantee_of(self.dp, self.schedule, gradients=Layers(model).gradients)


def check_private(vae: Any) -> None:
    """Refuse an unusable ``dp``, and parameters that exclude it."""
    check_parameter(vae.dp)
    if vae.dp is None:
        return
    if vae.network == "convolutional" and vae.normalization == "batch":
        raise InvalidInput(
            "normalization must be 'group' with dp and network='convolutional', for batch"
            " normalization mixes records; got 'batch'"
        )
    if vae.precision == "bfloat16":
        raise InvalidInput("precision must be float32 or auto with dp; got 'bfloat16'")
    if vae.compile is True:
        raise InvalidInput("compile must be False or auto with dp; got True")


def private_training(vae: Any, records: int) -> PrivateTraining | None:
    """The private training of a VAE with ``dp``, calibrated for the number of records."""
    check_private(vae)
    if vae.dp is None:
        return None
    schedule = calibrate(vae.dp, records, vae.batch_size, vae.epochs)
    seeds = (seed_of(vae.random_state, Stream.SAMPLING), seed_of(vae.random_state, Stream.PRIVACY))
    return PrivateTraining(vae.dp, schedule, seeds)
