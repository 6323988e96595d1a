"""Weights of a PyTorch network as plain arrays: copied out, checked and loaded, and their size."""

import lzma
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput


def to_arrays(network: torch.nn.Module) -> dict[str, NDArray[Any]]:
    """Copies of all parameters and persistent buffers by name; of tied ones, the first name.

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
        ("no", set(names) - set(weights)),
        ("unknown", set(weights) - set(names)),
    ):
        if wrong:
            raise InvalidInput(
                f"weights must fit the {of}; there is {problem} entry {min(wrong)!r}"
            )
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


def check_sizes(weights: Mapping[str, ArrayLike], *, of: str, layers: int, **sizes: int) -> None:
    """Refuse sizes that no array of the weights has, before a network so large is made.

    Every layer has an array at least, and every size is that of an array, or less.
    """
    widest = max((max(np.shape(value), default=0) for value in weights.values()), default=0)
    limits = [("layers", layers, len(weights)), *((n, size, widest) for n, size in sizes.items())]
    for name, value, limit in limits:
        if value > limit:
            raise InvalidInput(
                f"weights must fit the {of}; {name} cannot be {value:.6g} with"
                f" {len(weights)} arrays of at most {widest}"
            )


def size_of(network: torch.nn.Module) -> dict[str, int]:
    """Number of ``parameters``, tied ones once, their ``bytes`` in float32, ``compressed`` by LZMA.

    Weights are noise for the most part and shrink little.
    """
    compressor, parameters, compressed = lzma.LZMACompressor(preset=1), 0, 0
    for weight in network.parameters():
        parameters += weight.numel()
        compressed += len(compressor.compress(weight.detach().float().cpu().numpy().tobytes()))
    compressed += len(compressor.flush())
    return {"parameters": parameters, "bytes": 4 * parameters, "compressed": compressed}


def _untied(state: Mapping[str, torch.Tensor]) -> list[str]:
    """Names of the state's entries, without further names of a tied one."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    names = []
    for name, value in state.items():
        place = (value.data_ptr(), tuple(value.shape))
        if place not in seen or not value.numel():
            names.append(name)
        seen.add(place)
    return names
