"""A fitted VAE's weights as plain arrays, for files, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.models import network_weights
from byrote.models.vae.autoencoder import AutoEncoder

SHAPE = "record_shape"  # the entry that says for what records the weights are


def to_arrays(model: AutoEncoder, shape: tuple[int, ...]) -> dict[str, NDArray[np.generic]]:
    """Copies of all parameters and buffers by name, and the shape of a record."""
    arrays = {name: value.cpu().numpy().copy() for name, value in model.state_dict().items()}
    return {SHAPE: np.array(shape, dtype=np.int64), **arrays}


def record_shape(weights: Mapping[str, ArrayLike]) -> tuple[int, ...]:
    """The shape of a record that the weights are for.

    Raises
    ------
    InvalidInput
        If there is no such entry, or it is no shape.
    """
    if SHAPE not in weights:
        raise InvalidInput(f"weights must come from get_weights; there is no entry {SHAPE!r}")
    shape = np.asarray(weights[SHAPE])
    if shape.ndim != 1 or len(shape) not in (1, 2, 3) or shape.dtype.kind not in "iu":
        raise InvalidInput(
            f"weights[{SHAPE!r}] must be one to three integers; got {shape.tolist()}"
        )
    if shape.min() < 1:
        raise InvalidInput(f"weights[{SHAPE!r}] must be positive; got {shape.tolist()}")
    return tuple(map(int, shape))


def check_sizes(vae: Any, weights: Mapping[str, ArrayLike]) -> None:
    """Refuse a network that is larger than the weights, before it is made.

    Raises
    ------
    InvalidInput
        Naming the size.
    """
    network_weights.check_sizes(
        weights,
        of="VAE",
        layers=len(vae.hidden) if vae.network == "fully-connected" else 0,
        latent_dim=vae.latent_dim,
        hidden=max(vae.hidden) if vae.network == "fully-connected" else 0,
        features=vae.features if vae.network == "convolutional" else 0,
    )


def load(model: AutoEncoder, weights: Mapping[str, ArrayLike]) -> None:
    """Give the model these weights.

    Raises
    ------
    InvalidInput
        If entries are missing, unknown or of another shape than the model's parameters make.
    """
    own = {name: value for name, value in weights.items() if name != SHAPE}
    network_weights.load(model, own, of="VAE")
