"""Plain arrays into a PyTorch network, checked one by one."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike

from byrote.errors import InvalidInput


def check_sizes(weights: Mapping[str, ArrayLike], *, of: str, layers: int, **sizes: int) -> None:
    """Refuse sizes of a network that its weights cannot have, before one so large is made.

    Every layer has an array at least, and every size is one of an array, or less.

    Raises
    ------
    InvalidInput
        If there are more layers than arrays, or a size is larger than every array's.
    """
    most = max((max(np.shape(value), default=0) for value in weights.values()), default=0)
    limits = [("layers", layers, len(weights)), *((n, size, most) for n, size in sizes.items())]
    for name, value, limit in limits:
        if value > limit:
            raise InvalidInput(
                f"weights must fit the {of}'s parameters; {name} cannot be {value:.6g} with"
                f" {len(weights)} arrays of at most {most}"
            )


def load(network: torch.nn.Module, weights: Mapping[str, ArrayLike], *, of: str) -> None:
    """Give a network its weights by name; ``of`` is what messages call the model.

    Raises
    ------
    InvalidInput
        If entries are missing, unknown or of another shape than the model's parameters make.
    """
    expected = network.state_dict()
    given = {name: np.asarray(value) for name, value in weights.items()}
    for what, names in (("no", expected.keys() - given), ("unknown", given.keys() - expected)):
        if names:
            raise InvalidInput(
                f"weights must fit the {of}'s parameters; there is {what} entry {min(names)!r}"
            )
    for name, value in expected.items():
        if given[name].shape != tuple(value.shape) or given[name].dtype.kind not in "fiu":
            raise InvalidInput(
                f"weights must fit the {of}'s parameters; {name!r} must be numbers of shape"
                f" {tuple(value.shape)}, got {given[name].dtype} of shape {given[name].shape}"
            )
    network.load_state_dict(
        {name: torch.tensor(given[name], dtype=value.dtype) for name, value in expected.items()}
    )
