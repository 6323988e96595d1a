"""The weights of a CharLSTM as plain arrays, its vocabulary among them, and back."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from byrote.errors import InvalidInput
from byrote.models import network_weights
from byrote.models.language.char_lstm.network import Network
from byrote.models.language.char_lstm.vocabulary import Vocabulary

CHARACTERS = "code_points"  # the entry that says which character each token is


def to_arrays(network: Network, vocabulary: Vocabulary) -> dict[str, NDArray[Any]]:
    """Copies of all weights by name, and the code points of the vocabulary."""
    arrays = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    return {CHARACTERS: vocabulary.code_points.copy(), **arrays}


def vocabulary_of(weights: Mapping[str, ArrayLike]) -> Vocabulary:
    """The vocabulary that the weights are for.

    Raises
    ------
    InvalidInput
        If there is no such entry, or it is no increasing row of code points, newline among them.
    """
    if CHARACTERS not in weights:
        raise InvalidInput(f"weights must come from get_weights; there is no entry {CHARACTERS!r}")
    points = np.asarray(weights[CHARACTERS])
    if points.ndim != 1 or points.dtype.kind not in "iu" or not len(points):
        raise InvalidInput(f"weights[{CHARACTERS!r}] must be a row of code points")
    wide = points.astype(np.int64)
    increasing = (np.diff(wide) > 0).all() and wide[0] >= 0 and wide[-1] <= sys.maxunicode
    if not increasing or ord("\n") not in wide:
        raise InvalidInput(
            f"weights[{CHARACTERS!r}] must be increasing code points, newline among them"
        )
    return Vocabulary(points)


def check_sizes(weights: Mapping[str, ArrayLike], *, layers: int, hidden: int) -> None:
    """Refuse a network that is larger than the weights, before it is made.

    Raises
    ------
    InvalidInput
        Naming the size.
    """
    network_weights.check_sizes(weights, of="CharLSTM", layers=layers, hidden=hidden)


def load(network: Network, weights: Mapping[str, ArrayLike]) -> None:
    """Give the network these weights.

    Raises
    ------
    InvalidInput
        If entries are missing, unknown or of another shape than the model's parameters make.
    """
    own = {name: value for name, value in weights.items() if name != CHARACTERS}
    network_weights.load(network, own, of="CharLSTM")
