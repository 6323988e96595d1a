"""How much a model could remember at most, in bytes."""

import lzma
from dataclasses import dataclass

from byrote.models.language.char_lstm.network import Network


@dataclass(frozen=True)
class ModelSize:
    """Size of a model, to stand beside that of its training text.

    Attributes
    ----------
    parameters
        Number of weights.
    bytes
        In float32.
    compressed
        The same bytes after LZMA; weights are noise for the most part, and shrink little.
    """

    parameters: int
    bytes: int
    compressed: int


def size_of(network: Network) -> ModelSize:
    """The size of a network."""
    weights = [value.detach().numpy() for value in network.parameters()]
    content = b"".join(value.tobytes() for value in weights)
    return ModelSize(
        sum(value.size for value in weights), len(content), len(lzma.compress(content, preset=1))
    )
