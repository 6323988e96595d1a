"""From a VAE's parameters and the shape of the records to the parts that it works with."""

import math
from typing import Any

from byrote.models.precision import settled_precision
from byrote.models.torch_state import seeded
from byrote.models.vae import pace, settings
from byrote.models.vae.arithmetic import Arithmetic, arithmetic_of, settled_compile
from byrote.models.vae.autoencoder import AutoEncoder, build
from byrote.models.vae.background import background
from byrote.models.vae.outlier import Outlier
from byrote.models.vae.spaces import SPACES, Space
from byrote.models.vae.streams import Stream, seed_of

# Of one core, uncompiled, for a value of a record: in an epoch of training, and for a draw in
# scoring. Measured on the paper's networks; with batch norm a step has state, and is not compiled.
_SECONDS = {"fully-connected": (8e-8, 3e-9), "convolutional": (0.0, 1e-7)}


_PARTS = ("latent_dim", "hidden", "features", "normalization")


def settled(vae: Any, shape: tuple[int, ...], fits: int = 1) -> dict[str, str | bool]:
    """What "auto" stands for on this machine, for so many fits to records of shape (n, ...)."""
    settings.check_parameters(vae)
    found: dict[str, str | bool] = {}
    if vae.precision == "auto":
        tolerant = settings.tolerates_bfloat16(vae) and vae.dp is None
        sizes = (math.prod(shape[1:]), tuple(vae.hidden), vae.latent_dim, vae.batch_size)
        found["precision"] = settled_precision(
            vae.device, tolerant=tolerant, pays=lambda: pace.in_bfloat16(*sizes)
        )
    if vae.compile == "auto" and vae.dp is not None:
        found["compile"] = False
    elif vae.compile == "auto":
        values = fits * math.prod(shape)
        training, scoring = _SECONDS[vae.network]
        seconds = values * (vae.epochs * training + vae.draws * scoring)
        found["compile"] = settled_compile(vae.device, seconds=seconds)
    return found


def arithmetic_for(vae: Any, shape: tuple[int, ...]) -> Arithmetic:
    """The arithmetic that the parameters ask for, for records of shape (n, ...)."""
    found = settled(vae, shape)
    precision, compile_ = found.get("precision", vae.precision), found.get("compile", vae.compile)
    return arithmetic_of(str(precision), compile_=bool(compile_))


def space_for(vae: Any, shape: tuple[int, ...]) -> Space:
    """The space of the records, each of this shape."""
    return SPACES[settings.space_of(vae.likelihood, vae.space)](shape, vae.device)


def untrained(vae: Any, space: Space) -> AutoEncoder:
    """A network and a likelihood with initial weights."""
    parts = {name: getattr(vae, name) for name in _PARTS}
    with seeded(seed_of(vae.random_state, Stream.INITIAL)):
        model = build(
            vae.network,
            vae.likelihood,
            channels=space.channels,
            pixels=space.pixels,
            **parts,
        )
    model.robust = float(vae.robust)
    if vae.outlier is not None:
        values = space.channels * space.pixels
        alike = not type(space).has_units
        model.outlier = Outlier(background(vae.likelihood, values, alike=alike), vae.outlier)
    return model.to(vae.device).eval()
