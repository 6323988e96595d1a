"""The density-model contract: scikit-learn's own.

A model is any object that ``sklearn.base.clone`` can copy, with ``fit(X)`` and ``score_samples(X)``
giving (n,) log-densities in nats. Found by signature, all optional: ``random_state`` parameters
(each fit gets its own seed), ``noise_seed`` (one seed for the whole run), ``fit(X, on_epoch=...)``
(training can be followed), ``loss(X)`` (mean loss of records it did not train on, nats),
``check_input(X)`` (the model's own view of unusable data), ``diagnostics_`` (how far its last
log-densities can be trusted), ``facts_`` (what else is worth knowing of the fit, as plain data),
``settled(shape, fits)`` (a copy without parameters "auto"), a true
``takes_pixels`` (uint8 images come as they are stored, not as float32 in [0, 1]), ``file_hashes()``
(by parameter, of the files that it names: with other files it is another model),
``private_parameters`` (names of those that hold records, of which a run keeps a hash). A model with
a parameter ``patience`` that is not None may end before its ``epochs``.

A language model is the same over lists of texts, which a true ``takes_texts`` says. One that can
report after so many batches has ``reports(X)``: how often ``fit(X)`` will call ``on_epoch``.
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from byrote import checks
from byrote.data.records import as_floats, is_pixels
from byrote.errors import ByroteError, InvalidInput
from byrote.models.identity import NOISE, SEED

OnEpoch = Callable[[int, Mapping[str, float]], None]


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
        if not _has(model, method):
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


def _has(model: Any, method: str) -> bool:
    try:
        return callable(getattr(model, method, None))
    except Exception:  # a stranger's attribute may raise anything
        return False


def prepared(model: Any, *, training: int, noise: int) -> Any:
    """A fresh copy of the model with its seeds set."""
    copy = clone(model)
    values = dict.fromkeys(_parameters_named(copy, SEED), training)
    values |= dict.fromkeys(_parameters_named(copy, NOISE), noise)
    return copy.set_params(**values) if values else copy


def reseed(model: Any, seed: int) -> None:
    """Give a fitted model another seed, for chance in ``score_samples``."""
    values = dict.fromkeys(_parameters_named(model, SEED), seed)
    if values:
        model.set_params(**values)


def takes_images(model: Any) -> bool:
    """Whether the model takes images as they are, by its scikit-learn tags; rows otherwise."""
    tags = getattr(model, "__sklearn_tags__", None)
    return bool(tags().input_tags.three_d_array) if tags is not None else False


def takes_pixels(model: Any) -> bool:
    """Whether the model takes stored pixels, uint8 images that stand for x/255, as they are."""
    return bool(getattr(model, "takes_pixels", False))


def takes_texts(model: Any) -> bool:
    """Whether the model is a language model: ``fit`` and ``score_samples`` take lists of texts."""
    return bool(getattr(model, "takes_texts", False))


def as_input(model: Any, x: NDArray[Any]) -> NDArray[Any]:
    """Records as the model takes them: stored pixels, images of numbers, or rows of numbers.

    Select rows before: what comes of stored pixels for most models is four times as large.
    """
    if is_pixels(x) and takes_pixels(model):
        return x
    x = as_floats(x)
    return x if takes_images(model) else x.reshape(len(x), -1)


def input_bytes(model: Any, x: NDArray[Any]) -> int:
    """Memory of all the records as the model takes them."""
    scaled = is_pixels(x) and not takes_pixels(model)
    return x.size * np.dtype(np.float32).itemsize if scaled else x.nbytes


def fit(model: Any, x: NDArray[Any], on_epoch: OnEpoch) -> None:
    """Train, followed by ``on_epoch`` where ``fit`` has such an argument."""
    if can_be_followed(model):
        model.fit(x, on_epoch=on_epoch)
    else:
        model.fit(x)


def can_be_followed(model: Any) -> bool:
    """Whether ``fit`` takes ``on_epoch``."""
    return "on_epoch" in inspect.signature(model.fit).parameters


def epochs(model: Any) -> int | None:
    """How often the model will report, where a parameter ``epochs`` says so.

    A model that reports after so many batches (``report_every``), or may stop early (``patience``),
    does not say.
    """
    return None if stops_early(model) else most_epochs(model)


def most_epochs(model: Any) -> int | None:
    """How often the model will report at most, where it says so."""
    parameters = model.get_params(deep=False)
    value = parameters.get("epochs")
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return None
    return int(value) if parameters.get("report_every") is None else None


def stops_early(model: Any) -> bool:
    """Whether the model may end its training before its ``epochs``."""
    return model.get_params(deep=False).get("patience") is not None


def check_track(model: Any, track: Sequence[int]) -> None:
    """Refuse to track a model that cannot be followed so far.

    Raises
    ------
    InvalidInput
        If ``fit`` takes no ``on_epoch``, or the model has fewer epochs.
    """
    if not track:
        return
    name = type(model).__name__
    if not can_be_followed(model):
        raise InvalidInput(f"track needs a model whose fit takes on_epoch; that of {name} does not")
    last = most_epochs(model)
    if last is not None and max(track) > last:
        raise InvalidInput(f"track must lie within the {last} epochs of {name}; got {max(track)}")


def has_loss(model: Any) -> bool:
    """Whether the model has a method ``loss(X)``; some keep a parameter of that name instead."""
    return callable(getattr(type(model), "loss", None))


def diagnostics(model: Any, n: int) -> dict[str, NDArray[np.float32]]:
    """What the model says of the n log-densities that it gave last, by name.

    Raises
    ------
    TypeError
        If ``diagnostics_`` is no mapping of names to n numbers each.
    """
    found = getattr(model, "diagnostics_", None)
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(str(name).isidentifier() for name in found):
        raise TypeError("diagnostics_ must map names to arrays")
    given = {str(name): np.asarray(values) for name, values in found.items()}
    if not all(values.dtype.kind in "fiub" for values in given.values()):
        raise TypeError("diagnostics_ must map names to arrays of real numbers")
    arrays = {name: checks.floats(values, np.float32) for name, values in given.items()}
    for name, values in arrays.items():
        if values.shape != (n,):
            raise TypeError(f"diagnostics_[{name!r}] must have shape ({n},); got {values.shape}")
    return arrays


def facts(model: Any) -> dict[str, Any]:
    """What a fitted model says of itself, for the files of its fit: ``facts_``, plain data.

    Raises
    ------
    TypeError
        If it is no mapping, or holds what JSON cannot.
    """
    found = getattr(model, "facts_", None)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise TypeError("facts_ must be a mapping")
    try:
        json.dumps(dict(found), allow_nan=False)
    except (TypeError, ValueError):
        raise TypeError("facts_ must hold finite numbers, text, lists and mappings") from None
    return dict(found)


def check_input(model: Any, x: NDArray[Any]) -> None:
    """Let the model refuse the records, if it has an opinion, in the shape in which it gets them.

    Raises
    ------
    InvalidInput
        The model's own; any other exception by its type, for its text may quote records.
    """
    _check_own(model, as_input(model, x))


def check_texts(model: Any, texts: Sequence[str]) -> None:
    """Let a language model refuse the texts, if it has an opinion.

    Raises
    ------
    InvalidInput
        As ``check_input``.
    """
    _check_own(model, texts)


def _check_own(model: Any, x: Any) -> None:
    own_check = getattr(model, "check_input", None)
    if not callable(own_check):
        return
    try:
        own_check(x)
    except ByroteError:  # ours, also of an extra that is missing
        raise
    except Exception as error:  # a stranger's check may raise anything
        raise InvalidInput(
            f"model: {type(model).__name__} refuses the records: its check_input raised"
            f" {type(error).__name__}"
        ) from None


def _parameters_named(model: Any, name: str) -> list[str]:
    """The model's parameters of that name, also of models within it."""
    deep = sorted(model.get_params(deep=True))
    return [found for found in deep if found == name or found.endswith(f"__{name}")]
