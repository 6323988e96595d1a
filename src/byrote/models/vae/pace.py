"""Whether a VAE trains and scores clearly faster in bfloat16 on the processor at hand."""

from collections.abc import Callable
from functools import cache

import torch

from byrote.models.precision import bfloat16_pays
from byrote.models.torch_state import seeded
from byrote.models.vae.arithmetic import Arithmetic
from byrote.models.vae.autoencoder import AutoEncoder
from byrote.models.vae.likelihoods import Bernoulli
from byrote.models.vae.networks import FullyConnected
from byrote.models.vae.products import BernoulliProducts
from byrote.models.vae.spaces import Binary
from byrote.models.vae.steps import PlainStep

_WIDEST = 1024  # beyond that the ratio of the two is what it is there
_DRAWS = 256


@cache
def in_bfloat16(values: int, hidden: tuple[int, ...], latent_dim: int, batch_size: int) -> bool:
    """Whether a step of training and 256 draws of a record are so together; timed once a process.

    Parameters
    ----------
    values, hidden, latent_dim, batch_size
        Of a record, of the layers, of the latent space, and records of a step.
    """
    values, latent_dim, batch_size = (min(n, _WIDEST) for n in (values, latent_dim, batch_size))
    with seeded(0):
        network = FullyConnected(values, latent_dim, [min(width, _WIDEST) for width in hidden])
    model = AutoEncoder(network, Bernoulli())
    generator = torch.Generator().manual_seed(0)
    x, noise = (torch.rand(batch_size, values, generator=generator) for _ in range(2))
    latent = torch.randn(batch_size, latent_dim, generator=generator)
    z = torch.randn(_DRAWS, 1, latent_dim, generator=generator)

    def work(dtype: torch.dtype) -> Callable[[], object]:
        step = PlainStep(model, Binary((values,)), 1e-3, dtype)
        decoder = BernoulliProducts(network, (_DRAWS, 1), Arithmetic(dtype)).given(x[:1])

        def do() -> None:
            step(x, noise, latent)
            with torch.no_grad():
                decoder(z, slice(0, 1))

        return do

    return bfloat16_pays(work)
