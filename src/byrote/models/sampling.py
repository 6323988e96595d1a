"""Samples of fitted models, checked."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.models.contract import takes_pixels


def check_samples(model: Any) -> None:
    """Refuse a model without a method ``sample``."""
    if not callable(getattr(model, "sample", None)):
        raise InvalidInput(
            f"model must have sample(n) to draw samples; {type(model).__name__} does not"
        )


def draw_samples(model: Any, n: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Draw (n, *shape) samples from a fitted model.

    ``sample(n)`` may return rows for images, or, as scikit-learn's mixtures do, a pair that begins
    with the samples. InvalidInput for a model without it, another number of values, or NaN.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> model = GaussianMixture(random_state=0).fit(np.random.default_rng(0).normal(size=(9, 4)))
    >>> draw_samples(model, 5, (2, 2)).shape
    (5, 2, 2)
    """
    check_samples(model)
    samples = model.sample(n)
    array = np.asarray(samples[0] if isinstance(samples, tuple) else samples)
    name = type(model).__name__
    if array.dtype.kind not in "fiub" or array.size != n * int(np.prod(shape)):
        raise InvalidInput(
            f"model: {name}.sample({n}) must give {n} records of shape {shape};"
            f" got {array.dtype} {array.shape}"
        )
    if not np.isfinite(array).all():
        raise InvalidInput(f"model: {name}.sample({n}) must be finite; got NaN or infinity")
    if array.dtype.kind != "f" and not takes_pixels(model):
        array = array.astype(np.float64)  # numbers, not stored pixels that stand for x/255
    return array.reshape(n, *shape)
