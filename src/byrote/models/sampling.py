"""Samples from a fitted model, whatever its ``sample`` returns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput


def check_samples(model: Any) -> None:
    """Refuse a model that gives no samples.

    Raises
    ------
    InvalidInput
        If it has no method ``sample``.
    """
    if not callable(getattr(model, "sample", None)):
        raise InvalidInput(
            f"model must have sample(n) for samples to be drawn; {type(model).__name__} has none"
        )


def draw(model: Any, n: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Samples (n, *shape) from a model, as records of that shape.

    ``sample(n)`` may return rows for images, or (as scikit-learn's mixtures do) a pair whose first
    part is the samples.

    Raises
    ------
    InvalidInput
        If the model has no ``sample`` or gives another number of values, NaN or infinity.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> model = GaussianMixture(random_state=0).fit(np.random.default_rng(0).normal(size=(9, 4)))
    >>> draw(model, 5, (2, 2)).shape
    (5, 2, 2)
    """
    check_samples(model)
    drawn = model.sample(n)
    array = np.asarray(drawn[0] if isinstance(drawn, tuple) else drawn)
    name = type(model).__name__
    if array.dtype.kind not in "fiub" or array.size != n * int(np.prod(shape)):
        raise InvalidInput(
            f"model: {name}.sample({n}) must give {n} records of shape {shape};"
            f" got {array.dtype} {array.shape}"
        )
    if not np.isfinite(array).all():
        raise InvalidInput(f"model: {name}.sample({n}) must be finite; got NaN or infinity")
    if array.dtype.kind != "f" and not getattr(model, "takes_pixels", False):
        array = array.astype(np.float64)  # numbers, not stored pixels that stand for x/255
    return array.reshape(n, *shape)
