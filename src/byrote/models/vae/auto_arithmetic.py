"""Resolve a VAE's "auto" as far as the current machine and the size of a run decide it."""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import nn

from byrote.models.arithmetic import (
    Arithmetic,
    arithmetic_of,
    bfloat16_is_faster,
    resolve_compile,
    resolve_precision,
)
from byrote.models.spaces import Binary
from byrote.models.torch_utils import seeded
from byrote.models.vae.auto_draws import AUTO, FEWER, MOST, number_of
from byrote.models.vae.autoencoder import AutoEncoder, FullyConnected
from byrote.models.vae.bernoulli_decoder import BernoulliDecoder
from byrote.models.vae.likelihoods import Bernoulli
from byrote.models.vae.parameters import check_parameters, tolerates_bfloat16
from byrote.models.vae.steps import PlainStep

# Seconds of one core, uncompiled, for a value of a record: in an epoch of training, and for a draw
# in scoring. Measured on the paper's networks; with batch norm a step is never compiled.
_SECONDS = {"fully-connected": (8e-8, 3e-9), "convolutional": (0.0, 1e-7)}

_WIDEST = 1024  # of the layers timed; wider ones have the same ratio
_DRAWS = 256


def resolve_auto(vae: Any, shape: tuple[int, ...], fits: int = 1) -> dict[str, str | bool | int]:
    """Return values of parameters "auto" for fits to records of shape (n, ...).

    Draws remain "auto", for two more fits to decide, only where fewer of them may save more time.
    """
    check_parameters(vae)
    values: dict[str, str | bool | int] = {}
    training, scoring = _SECONDS[vae.network]
    spared = fits * (MOST - FEWER[0]) * scoring
    if vae.draws == AUTO and spared < 2 * vae.epochs * training:
        values["draws"] = MOST
    if vae.compile == "auto" and vae.dp is not None:
        values["compile"] = False
    elif vae.compile == "auto":
        total = fits * math.prod(shape)
        seconds = total * (vae.epochs * training + number_of(vae.draws) * scoring)
        values["compile"] = resolve_compile(vae.device, seconds=seconds)
    if vae.precision == "auto":
        tolerant = tolerates_bfloat16(vae) and vae.dp is None
        sizes = (math.prod(shape[1:]), tuple(vae.hidden), vae.latent_dim, vae.batch_size)
        is_compiled = bool(values.get("compile", vae.compile))
        values["precision"] = resolve_precision(
            vae.device,
            tolerant=tolerant,
            is_faster=lambda: vae_is_faster_in_bfloat16(*sizes, is_compiled=is_compiled),
        )
    return values


def arithmetic_for(vae: Any, shape: tuple[int, ...]) -> Arithmetic:
    """Return the arithmetic of a VAE for records of shape (n, ...)."""
    values = resolve_auto(vae, shape)
    precision, compile_ = values.get("precision", vae.precision), values.get("compile", vae.compile)
    return arithmetic_of(str(precision), compile_=bool(compile_))


@cache
def vae_is_faster_in_bfloat16(
    values: int, hidden: tuple[int, ...], latent_dim: int, batch_size: int, *, is_compiled: bool
) -> bool:
    """Time a step of training and 256 draws of a record of these sizes, once per process.

    Of compiled functions only the products are timed: the conversions of weights, which may cost
    more than a faster product saves, are then part of other loops.
    """
    values, latent_dim, batch_size = (min(n, _WIDEST) for n in (values, latent_dim, batch_size))
    with seeded(0):
        network = FullyConnected(values, latent_dim, [min(width, _WIDEST) for width in hidden])
    work = _products if is_compiled else _steps
    return bfloat16_is_faster(partial(work, network, batch_size))


def _steps(network: FullyConnected, batch_size: int, dtype: torch.dtype) -> Callable[[], None]:
    values, latent_dim = network.head.out_features, network.latent_dim
    model = AutoEncoder(network, Bernoulli())
    generator = torch.Generator().manual_seed(0)
    x, noise = (torch.rand(batch_size, values, generator=generator) for _ in range(2))
    latent = torch.randn(batch_size, latent_dim, generator=generator)
    z = torch.randn(_DRAWS, 1, latent_dim, generator=generator)
    step = PlainStep(model, Binary((values,)), 1e-3, dtype)
    decoder = BernoulliDecoder(network, (_DRAWS, 1), Arithmetic(dtype)).for_records(x[:1])

    def train_and_decode() -> None:
        step(x, noise, latent)
        with torch.no_grad():
            decoder(z, slice(0, 1))

    return train_and_decode


def _products(network: FullyConnected, batch_size: int, dtype: torch.dtype) -> Callable[[], None]:
    """Prepare the products with each layer's weights: its values, both gradients, and decoding."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    trained, decoding = (
        [layer.weight.detach().to(dtype) for layer in some]
        for some in (layers, network.decoder_layers())
    )
    ones = torch.ones(max(batch_size, _DRAWS), network.width, dtype=dtype)

    def multiply() -> None:
        for weight in trained:
            gradient, x = (ones[:batch_size, :width] for width in weight.shape)
            for factors in ((x, weight.t()), (gradient, weight), (gradient.t(), x)):
                torch.mm(*factors)
        for weight in decoding:
            torch.mm(ones[:_DRAWS, : weight.shape[1]], weight.t())

    return multiply
