"""Ways to sample the next token: plain, from the k most likely tokens, at another temperature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Decoding:
    """A sampler of the next token, as a change of its costs in bits.

    The temperature comes first, then the choice of the most likely tokens, as in Hugging Face's
    ``generate``.

    Parameters
    ----------
    top_k
        Number of most likely tokens that are sampled from (default: all). Tokens as likely as the
        last of them belong to them.
    temperature
        Exponent 1/T of the probabilities before they are normalized.

    Raises
    ------
    InvalidInput
        If a parameter is not valid.

    Examples
    --------
    >>> costs = -np.log2([[0.5, 0.25, 0.125, 0.125]])
    >>> np.exp2(-Decoding(top_k=2).costs(costs)).round(3).tolist()
    [[0.667, 0.333, 0.0, 0.0]]
    >>> np.exp2(-Decoding(temperature=0.5).costs(costs)).round(3).tolist()
    [[0.727, 0.182, 0.045, 0.045]]
    """

    top_k: int | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.top_k is not None:
            object.__setattr__(self, "top_k", checks.integer("top_k", self.top_k, at_least=1))
        object.__setattr__(self, "temperature", checks.positive("temperature", self.temperature))

    def __str__(self) -> str:
        parts = [] if self.top_k is None else [f"top-{self.top_k}"]
        if self.temperature != 1:
            parts.append(f"temperature {self.temperature:g}")
        return ", ".join(parts) or "plain"

    def costs(self, costs: Array) -> Array:
        """Convert costs in bits of plain sampling, (..., V); tokens never sampled cost infinity."""
        if self.temperature != 1:
            costs = _normalized(costs / self.temperature)
        if self.top_k is not None and self.top_k < costs.shape[-1]:
            last = np.partition(costs, self.top_k - 1, axis=-1)[..., self.top_k - 1, None]
            costs = _normalized(np.where(costs <= last, costs, np.inf))
        return costs


PLAIN = Decoding()


def _normalized(costs: Array) -> Array:
    """Subtract the cost of all tokens together; rounding above probability 1 is cut off."""
    least = costs.min(axis=-1, keepdims=True)
    total: Any = np.log2(np.exp2(least - costs).sum(axis=-1, keepdims=True))
    return np.maximum(costs - least + total, 0.0)
