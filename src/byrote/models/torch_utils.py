"""PyTorch: seeds, process-wide switches, diverged training, weights of a network as arrays."""

import lzma
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from byrote import checks
from byrote.errors import InvalidInput, TrainingDiverged
from byrote.models.contract import OnEpoch

SHAPE = "record_shape"  # the entry of the weights that holds the shape of a record


class Stream(IntEnum):
    """Purposes with independent seeds from one ``random_state``."""

    INITIAL = 0
    TRAINING = 1
    REDRAW = 2
    LATENT = 3
    SAMPLE = 4
    LOSS = 5
    SAMPLING = 6
    PRIVACY = 7


def seed_of(random_state: int | None, stream: Stream) -> int:
    """Return the stream's seed; a new one at each call if ``random_state`` is None."""
    return int(np.random.SeedSequence(random_state).generate_state(len(Stream))[stream])


def generator_from(seed: int, device: str) -> torch.Generator:
    """Return a seeded generator on the device."""
    return torch.Generator(device=device).manual_seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed PyTorch's global CPU generator, which initializes layers, for the length of a block."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treat numbers below 1e-38 as zero on this thread, for the length of a block.

    After a few epochs Adam's moments of nearly constant weights become denormal, and arithmetic on
    denormals makes a step several times slower.
    """
    before = denormals_are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def denormals_are_flushed() -> bool:
    """Whether this thread flushes denormals; PyTorch can set the switch but not read it."""
    tiny = np.full(1, np.finfo(np.float64).tiny)
    return bool((tiny / 2)[0] == 0)


def check_training(model: Any) -> None:
    """Refuse bad layer widths, a bad learning rate or seeds; NumPy's numbers become Python's."""
    model.noise_seed = checks.integer("noise_seed", model.noise_seed, at_least=0)
    if not isinstance(model.hidden, list | tuple) or not model.hidden:
        got = checks.brief(model.hidden)
        raise InvalidInput(f"hidden must be a list of layer widths; got {got}")
    for width in model.hidden:
        checks.integer("hidden", width, at_least=1, at_most=checks.WIDEST)
    model.learning_rate = checks.positive("learning_rate", model.learning_rate)
    if model.random_state is not None:
        model.random_state = checks.integer("random_state", model.random_state, at_least=0)


def check_device(device: Any) -> None:
    """Refuse a device that PyTorch lacks here."""
    try:
        torch.empty(0, device=device)
    except Exception:  # PyTorch raises almost anything, by the device
        got = checks.brief(device)
        raise InvalidInput(f"device must be one that PyTorch has here; got {got}") from None


def loss_recorder(
    losses: list[float], on_epoch: OnEpoch | None, *, report: str, remedy: str | None
) -> Callable[[int, float], None]:
    """Return a function of the number of a report, from 1, and its mean training loss.

    It appends the loss to ``losses`` and passes it to ``on_epoch``. With a ``remedy``, an
    imperative, a loss that is not finite ends training.
    """

    def record(number: int, loss: float) -> None:
        losses.append(loss)
        if remedy is not None and not math.isfinite(loss):
            raise TrainingDiverged(
                f"training diverged: the loss of {report} {number} is {loss}; {remedy}"
            )
        if on_epoch is not None:
            on_epoch(number, {"train": loss})

    return record


def check_weights(network: nn.Module, remedy: str) -> None:
    """Refuse a network with weights that are not finite."""
    weights = list(network.parameters())
    infinite = sum(weight.numel() - int(torch.isfinite(weight).sum()) for weight in weights)
    if infinite:
        total = sum(weight.numel() for weight in weights)
        raise TrainingDiverged(
            f"training diverged: {infinite:,} of {total:,} weights are not finite; {remedy}"
        )


def to_arrays(network: torch.nn.Module) -> dict[str, NDArray[Any]]:
    """Copy all parameters and persistent buffers by name; of tied ones, the first name.

    Half precision becomes float32, which NumPy has.
    """
    state, arrays = network.state_dict(), {}
    for name in _untied(state):
        value = state[name].detach().cpu()
        half = value.is_floating_point() and value.dtype not in (torch.float32, torch.float64)
        arrays[name] = (value.float() if half else value).numpy().copy()
    return arrays


def load(network: torch.nn.Module, weights: Mapping[str, ArrayLike], *, of: str) -> None:
    """Copy arrays into a network by name; ``of`` names in messages what they must fit.

    Raises
    ------
    InvalidInput
        If entries are missing, unknown or of another shape.
    """
    state = network.state_dict()
    names = _untied(state)
    for problem, wrong in (
        ("missing", set(names) - set(weights)),
        ("unknown", set(weights) - set(names)),
    ):
        if wrong:
            raise InvalidInput(f"weights must fit the {of}; the entry {min(wrong)!r} is {problem}")
    arrays = {name: np.asarray(weights[name]) for name in names}
    for name, array in arrays.items():
        kinds = "fiub" if state[name].dtype == torch.bool else "fiu"
        if array.shape != tuple(state[name].shape) or array.dtype.kind not in kinds:
            raise InvalidInput(
                f"weights must fit the {of}; {name!r} must be numbers of shape"
                f" {tuple(state[name].shape)}, got {array.dtype} of shape {array.shape}"
            )
    with torch.no_grad():
        for name, array in arrays.items():
            state[name].copy_(torch.tensor(array, dtype=state[name].dtype))


def record_shape(weights: Mapping[str, ArrayLike]) -> tuple[int, ...]:
    """Return the shape of a record that the weights are for."""
    if SHAPE not in weights:
        raise InvalidInput(f"weights must come from get_weights; the entry {SHAPE!r} is missing")
    shape = np.asarray(weights[SHAPE])
    if shape.ndim != 1 or len(shape) not in (1, 2, 3) or shape.dtype.kind not in "iu":
        raise InvalidInput(
            f"weights[{SHAPE!r}] must be one to three integers; got {shape.tolist()}"
        )
    if shape.min() < 1:
        raise InvalidInput(f"weights[{SHAPE!r}] must be positive; got {shape.tolist()}")
    return tuple(map(int, shape))


def check_sizes(weights: Mapping[str, ArrayLike], *, of: str, layers: int, **sizes: int) -> None:
    """Refuse sizes that no array of the weights has, before a network of these sizes is made.

    There is at least one array per layer, and no size exceeds the largest side of an array.
    """
    widest = max((max(np.shape(value), default=0) for value in weights.values()), default=0)
    limits = [("layers", layers, len(weights)), *((n, size, widest) for n, size in sizes.items())]
    for name, value, limit in limits:
        if value > limit:
            raise InvalidInput(
                f"weights must fit the {of}; {name} cannot be {value:.6g} with"
                f" {len(weights)} arrays of at most {widest}"
            )


def adopt(model: Any, fitted: Any) -> None:
    """Make a model a fitted one by the attributes of another, whose names end with "_"."""
    for name, value in vars(fitted).items():
        if name.endswith("_"):
            setattr(model, name, value)


def size_of(network: torch.nn.Module) -> dict[str, int]:
    """Return the number of ``parameters``, ``bytes`` in float32, and bytes ``compressed`` by LZMA.

    Tied parameters count once. Weights are mostly noise and compress little.
    """
    compressor, parameters, compressed = lzma.LZMACompressor(preset=1), 0, 0
    for weight in network.parameters():
        parameters += weight.numel()
        compressed += len(compressor.compress(weight.detach().float().cpu().numpy().tobytes()))
    compressed += len(compressor.flush())
    return {"parameters": parameters, "bytes": 4 * parameters, "compressed": compressed}


def _untied(state: Mapping[str, torch.Tensor]) -> list[str]:
    """Return names of entries, each tied tensor under its first name only."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    names = []
    for name, value in state.items():
        place = (value.data_ptr(), tuple(value.shape))
        if place not in seen or not value.numel():
            names.append(name)
        seen.add(place)
    return names
