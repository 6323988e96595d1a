"""Batches of texts of similar length, so that little of a batch is padding."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Permute = Callable[[int], NDArray[np.integer]]


def length_batches(
    lengths: NDArray[np.integer], size: int, permute: Permute | None = None
) -> list[NDArray[np.intp]]:
    """Batch texts of similar length; ``permute(n)`` draws which, and the order of the batches.

    The longest text of each batch, and so the size of all together, does not depend on the draw.

    Examples
    --------
    >>> [batch.tolist() for batch in length_batches(np.array([5, 2, 9, 2]), size=2)]
    [[1, 3], [0, 2]]
    """
    order = np.arange(len(lengths)) if permute is None else np.asarray(permute(len(lengths)))
    order = order[np.argsort(lengths[order], kind="stable")].astype(np.intp)
    batches = [order[first : first + size] for first in range(0, len(order), size)]
    if permute is None:
        return batches
    return [batches[number] for number in permute(len(batches))]
