"""Weights of a fitted model as named arrays, by which models are saved without pickle."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.models.identity import class_path

Weights = dict[str, NDArray[Any]]

# Fitted attributes of scikit-learn's classes whose state is a few arrays. A kernel density is not
# among them: it learns the records themselves.
_FITTED_ATTRIBUTES = {
    "sklearn.mixture._gaussian_mixture.GaussianMixture": (
        "weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_", "converged_",
        "n_iter_", "lower_bound_", "n_features_in_",
    )
}  # fmt: skip


class BadWeights(ValueError):
    """Weights that cannot be saved; the message quotes no value."""


def check_keepable(model: Any, keep_models: str) -> None:
    """Refuse a model without ``get_weights`` or ``set_weights``, naming what is missing."""
    if class_path(model) in _FITTED_ATTRIBUTES:
        return
    missing = [
        name for name in ("get_weights", "set_weights") if not callable(getattr(model, name, None))
    ]
    if missing:
        raise InvalidInput(
            f"keep_models={keep_models!r} needs a model with get_weights() -> dict of arrays and"
            f" set_weights(dict) -> self; {type(model).__name__} has no {' and no '.join(missing)}"
        )


def weights_of(model: Any) -> Weights:
    """Copy what a fitted model learned, as named arrays of numbers.

    Raises
    ------
    BadWeights
        If the model returns anything else, or NaN.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> model = GaussianMixture().fit([[0.0], [2.0]])
    >>> weights_of(model)["means_"].shape
    (1, 1)
    >>> with_weights(GaussianMixture(), weights_of(model)).score([[1.0]]) == model.score([[1.0]])
    True
    """
    names = _FITTED_ATTRIBUTES.get(class_path(model))
    if names is None:
        arrays = model.get_weights()
    else:
        arrays = {name: getattr(model, name) for name in names}
    if not isinstance(arrays, Mapping) or not arrays:
        raise BadWeights(f"get_weights must return named arrays; got {type(arrays).__name__}")
    return {_checked_name(name): _checked_array(name, value) for name, value in arrays.items()}


def with_weights(model: Any, weights: Mapping[str, NDArray[Any]]) -> Any:
    """Set a model's weights, which makes it a fitted model."""
    names = _FITTED_ATTRIBUTES.get(class_path(model))
    if names is None:
        model.set_weights(dict(weights))
        return model
    if set(weights) != set(names):
        raise InvalidInput(f"weights must be those of {type(model).__name__}: {', '.join(names)}")
    for name, value in weights.items():
        setattr(model, name, value if value.ndim else value.item())
    return model


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name or name == "__metadata__":  # safetensors' own
        raise BadWeights(f"get_weights must name its arrays by text; got {type(name).__name__}")
    return name


def _checked_array(name: str, value: Any) -> NDArray[Any]:
    array = np.array(value, order="C")
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise BadWeights(f"get_weights must give arrays of numbers; {name} has {array.dtype}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise BadWeights(f"get_weights must give no NaN; {name} holds some")
    return array.astype(array.dtype.newbyteorder("="), copy=False)
