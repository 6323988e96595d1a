"""The density-model contract: scikit-learn's own.

A model is any object that ``sklearn.base.clone`` can copy, with ``fit(X)`` and ``score_samples(X)``
giving (n,) log-densities in nats. Found by signature, all optional: ``random_state`` parameters
(each fit gets its own seed), ``noise_seed`` (one seed for the whole run), ``fit(X, on_epoch=...)``
(training can be followed), ``check_input(X)`` (the model's own view of unusable data).
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from byrote.errors import InvalidInput

OnEpoch = Callable[[int, Mapping[str, float]], None]

_SEED = "random_state"


def check_model(model: Any) -> None:
    """Refuse what is no density estimator, naming what is missing.

    Raises
    ------
    InvalidInput
        If the model lacks ``fit``, ``score_samples`` or ``get_params``, or cannot be cloned.
    """
    name = type(model).__name__ if not isinstance(model, type) else model.__name__
    if isinstance(model, type):
        raise InvalidInput(f"model must be an instance; got the class {name}")
    for method in ("fit", "score_samples", "get_params"):
        if not callable(getattr(model, method, None)):
            raise InvalidInput(
                "model must be a density estimator with fit, score_samples and get_params;"
                f" {name} has no {method}"
            )
    try:
        clone(model)
    except Exception as error:  # whatever a stranger's constructor raises
        raise InvalidInput(
            f"model must be one that sklearn.base.clone can copy; {name} raises"
            f" {type(error).__name__}: {error}"
        ) from None


def prepared(model: Any, *, training: int, noise: int) -> Any:
    """A fresh copy of the model with its seeds set."""
    copy = clone(model)
    values = dict.fromkeys(_seed_parameters(copy), training)
    if "noise_seed" in copy.get_params(deep=False):
        values["noise_seed"] = noise
    return copy.set_params(**values) if values else copy


def reseed(model: Any, seed: int) -> None:
    """Give a fitted model another seed, for chance in ``score_samples``."""
    values = dict.fromkeys(_seed_parameters(model), seed)
    if values:
        model.set_params(**values)


def parameters(model: Any) -> Mapping[str, Any]:
    """The model's own parameters as plain data, without the seeds that a run sets itself."""
    return {
        name: plain(value)
        for name, value in sorted(model.get_params(deep=False).items())
        if name not in (_SEED, "noise_seed")
    }


def class_path(model: Any) -> str:
    """Where the model's class is defined."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def takes_images(model: Any) -> bool:
    """Whether the model takes images as they are, by its scikit-learn tags; rows otherwise."""
    tags = getattr(model, "__sklearn_tags__", None)
    return bool(tags().input_tags.three_d_array) if tags is not None else False


def as_input(model: Any, x: NDArray[Any]) -> NDArray[Any]:
    """Records in the shape that the model takes: images, or one row of numbers each."""
    return x if takes_images(model) else x.reshape(len(x), -1)


def fit(model: Any, x: NDArray[Any], on_epoch: OnEpoch) -> None:
    """Train, followed by ``on_epoch`` where ``fit`` has such an argument."""
    if "on_epoch" in inspect.signature(model.fit).parameters:
        model.fit(x, on_epoch=on_epoch)
    else:
        model.fit(x)


def check_input(model: Any, x: NDArray[Any]) -> None:
    """Let the model refuse the records, if it has an opinion."""
    own_check = getattr(model, "check_input", None)
    if callable(own_check):
        own_check(x)


def plain(value: Any) -> Any:  # noqa: PLR0911 (one kind each)
    """A parameter's value as JSON can hold it, the same in every process."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {"array": f"{value.dtype} {value.shape}", "sha256": digest}
    if hasattr(value, "get_params"):
        return {"class": class_path(value), **parameters(value)}
    return getattr(value, "__qualname__", None) or f"{class_path(value)} object"


def _seed_parameters(model: Any) -> list[str]:
    return [
        name
        for name in sorted(model.get_params(deep=True))
        if name == _SEED or name.endswith(f"__{_SEED}")
    ]
