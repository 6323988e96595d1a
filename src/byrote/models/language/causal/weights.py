"""A causal network's weights as plain arrays, tied ones once, and back."""

import lzma
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput


def to_arrays(model: Any) -> dict[str, NDArray[np.generic]]:
    """Copies of all parameters and kept buffers by name; of several names of one, the first."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name in _own(model):
        value = model.state_dict()[name].detach().cpu()
        half = value.is_floating_point() and value.dtype not in (torch.float32, torch.float64)
        arrays[name] = (value.float() if half else value).numpy().copy()
    return arrays


def size_of(model: Any) -> dict[str, int]:
    """Number of weights, tied ones once, bytes of them in float32, and bytes after LZMA."""
    compressor, parameters, compressed = lzma.LZMACompressor(preset=1), 0, 0
    for weight in model.parameters():
        content = weight.detach().float().cpu().numpy().tobytes()
        parameters += weight.numel()
        compressed += len(compressor.compress(content))
    compressed += len(compressor.flush())
    return {"parameters": parameters, "bytes": 4 * parameters, "compressed": compressed}


def load(model: Any, weights: Mapping[str, ArrayLike]) -> None:
    """Give the network these weights.

    Raises
    ------
    InvalidInput
        If entries are missing, unknown or of another shape than the configuration makes.
    """
    state, names = model.state_dict(), _own(model)
    for what, wrong in (("no", set(names) - set(weights)), ("unknown", set(weights) - set(names))):
        if wrong:
            raise InvalidInput(
                f"weights must fit the model's configuration; there is {what} entry {min(wrong)!r}"
            )
    arrays = {name: np.asarray(weights[name]) for name in names}
    for name, array in arrays.items():
        if array.shape != tuple(state[name].shape) or array.dtype.kind not in "fiub":
            raise InvalidInput(
                f"weights must fit the model's configuration; {name!r} must be numbers of shape"
                f" {tuple(state[name].shape)}, got {array.dtype} of shape {array.shape}"
            )
    with torch.no_grad():
        for name, array in arrays.items():
            state[name].copy_(torch.tensor(array))


def _own(model: Any) -> list[str]:
    """Names of the state's entries, without further names of a tied one."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    names = []
    for name, value in model.state_dict().items():
        place = (value.data_ptr(), tuple(value.shape))
        if place not in seen or not value.numel():
            names.append(name)
        seen.add(place)
    return names
