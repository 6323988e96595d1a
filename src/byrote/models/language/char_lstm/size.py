"""How much a model could remember at most, in bytes."""

import lzma

from byrote.models.language.char_lstm.network import Network


def size_of(network: Network) -> dict[str, int]:
    """Number of weights, bytes of them in float32, and bytes after LZMA.

    Weights are noise for the most part, and shrink little.
    """
    weights = [value.detach().numpy() for value in network.parameters()]
    content = b"".join(value.tobytes() for value in weights)
    return {
        "parameters": sum(value.size for value in weights),
        "bytes": len(content),
        "compressed": len(lzma.compress(content, preset=1)),
    }
