"""Labels of records as conditions of a model."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Labelled(NamedTuple):
    """Records, (n, ...), with labels, (n,), as a model with ``takes_labels`` is fitted to them."""

    x: NDArray[Any]
    y: NDArray[np.int64]


def takes_labels(model: Any) -> bool:
    """Whether ``fit``, ``score_samples`` and ``loss`` also get labels, integers from 0."""
    return bool(getattr(model, "takes_labels", False))
