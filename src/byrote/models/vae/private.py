"""Differentially private training of a VAE: what goes with it, its batches, its step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from byrote.errors import InvalidInput
from byrote.models.privacy import DP
from byrote.models.privacy.accounting import Account, noise_for, spent
from byrote.models.privacy.dp import check_parameter
from byrote.models.privacy.layers import Layers
from byrote.models.privacy.sampling import batches
from byrote.models.privacy.step import PrivateStep
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.spaces import Space
from byrote.models.vae.steps import Step, adam
from byrote.models.vae.streams import Stream, generator_from, seed_of


@dataclass(frozen=True)
class Private:
    """What makes training private.

    Attributes
    ----------
    dp, account
        What is asked for, and the noise and the batches that follow.
    seeds
        Of the batches, and of the noise.
    """

    dp: DP
    account: Account
    seeds: tuple[int, int] = field(repr=False)

    def batches(self) -> Callable[[], list[NDArray[np.intp]]]:
        """What draws the batches of an epoch; some may be empty."""
        generator = np.random.default_rng(self.seeds[0])
        return partial(batches, self.account, self.dp.sampling, generator)

    def step(self, model: AutoEncoder, space: Space, learning_rate: float, decay: float) -> Step:
        """Adam on noisy gradients; a record has one draw of noise and one of the code."""
        step = PrivateStep(
            model,
            adam(model, learning_rate, decay),
            self.account,
            max_grad_norm=self.dp.max_grad_norm,
            generator=generator_from(self.seeds[1], space.device),
        )

        def take(values: Tensor, noise: Tensor, latent: Tensor) -> Tensor:
            seen, log_determinant = space.enter(values, noise)
            return step(model, seen, latent) - log_determinant.sum()

        return take


def check(vae: Any) -> None:
    """Refuse a ``dp`` that cannot be kept, and parameters that do not go with it.

    Raises
    ------
    InvalidInput
        Of the first that does not.
    """
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


def private_of(vae: Any, records: int) -> Private | None:
    """Of a VAE with ``dp``, for so many records.

    Raises
    ------
    InvalidInput
        If ``dp`` does not go with the other parameters, or no noise keeps the promise.
    MissingExtra
        If Opacus or dp-accounting is not installed.
    """
    check(vae)
    if vae.dp is None:
        return None
    account = noise_for(vae.dp, records, vae.batch_size, vae.epochs)
    seeds = (seed_of(vae.random_state, Stream.SAMPLING), seed_of(vae.random_state, Stream.PRIVACY))
    return Private(vae.dp, account, seeds)


def facts(private: Private | None, model: AutoEncoder) -> dict[str, Any]:
    """What was promised, under "privacy"."""
    if private is None:
        return {}
    gradients = Layers(model).gradients
    return {"privacy": spent(private.dp, private.account, gradients=gradients)}
