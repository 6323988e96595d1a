"""The density-model contract: scikit-learn's, with optional parts found by name.

A model is an object that ``sklearn.base.clone`` can copy, with ``fit(X)`` and ``score_samples(X)``,
which returns (n,) log-densities in nats. Optional:

- parameters ``random_state`` (a seed for each fit) and ``noise_seed`` (one seed for a run);
- ``fit(X, on_epoch=...)``: training can be tracked. With a parameter ``patience`` other than None
  it may stop before ``epochs``;
- ``loss(X)``: mean loss on records outside training, in nats;
- ``check_input(X)``: refuse unusable data before any fit;
- ``sample(n)``, ``get_weights()`` and ``set_weights(arrays)``;
- ``diagnostics_``: reliability of the last log-densities, one array per name;
- ``facts_``: plain data; "privacy" holds a ``DPGuarantee``, "model" the number of ``parameters``;
- ``settled(shape, fits)``: a copy without parameters "auto";
- ``settled_by(pilot, fits)``: the same, by two fits of the run, where ``needs_pilot`` is true;
- ``prepared(X)``: a copy that knows what all records have in common, such as the ranges of columns,
  and X as an array, before the first fit; X may be a data frame;
- ``statistic``: a ``Statistic``, where ``score_samples`` returns something other than log p;
- ``takes_categories``, if true: it takes categories and gaps, as codes, once ``prepared``;
- ``takes_units``, if true: it takes the numbers of tables in their own units, not standardized;
- ``takes_columns_by_name``, if true: columns of tables come to it in the order of their names;
- ``takes_pixels``, if true: uint8 images are passed as stored, not as float32 in [0, 1];
- ``file_hashes()``: hashes, by parameter, of files that are part of the model;
- ``takes_labels``, if true: ``fit``, ``score_samples`` and ``loss`` also get labels, y;
- ``takes_assignments``, if true: it reads records itself, by an ``Assignment`` of rows and ids;
- ``private_parameters``: names of parameters that hold records; a run keeps only their hash;
- ``incidental_parameters``: names of parameters that change no number, which a run does not keep.

A language model is the same over lists of texts, marked by a true ``takes_texts``. If it reports
every few batches, ``reports(X)`` is the number of times that ``fit(X)`` will call ``on_epoch``. Its
``diagnostics_`` may hold "tokens" scored, and how many of them were "correct": the likeliest.
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.records import as_floats, is_pixels
from byrote.data.text_records import TextRecords
from byrote.errors import ByroteError, InvalidInput
from byrote.models.identity import NOISE, SEED
from byrote.models.labels import Labelled
from byrote.models.privacy.dp import DPGuarantee

OnEpoch = Callable[[int, Mapping[str, float]], None]


def check_model(model: Any) -> None:
    """Refuse an object that is not a density estimator, naming the missing method."""
    from sklearn.base import clone  # noqa: PLC0415 (slow to load)

    name = type(model).__name__ if not isinstance(model, type) else model.__name__
    if isinstance(model, type):
        raise InvalidInput(f"model must be an instance; got the class {name}")
    for method in ("fit", "score_samples", "get_params"):
        if not _has_method(model, method):
            hint = " (FromSamples, --from-samples, takes generators that have fit and sample)"
            raise InvalidInput(
                "model must be a density estimator with fit, score_samples and get_params;"
                f" {name} has no {method}{hint if _has_method(model, 'sample') else ''}"
            )
    try:
        clone(model)
    except Exception as error:  # a user's constructor may raise anything
        raise InvalidInput(
            f"model must be one that sklearn.base.clone can copy; {name} raises"
            f" {type(error).__name__}: {error}"
        ) from None


def _has_method(model: Any, method: str) -> bool:
    try:
        return callable(getattr(model, method, None))
    except Exception:  # a user's property may raise anything
        return False


def prepared(model: Any, data: Any) -> tuple[Any, Any]:
    """Let a model with ``prepared`` see all records before the first fit."""
    prepare = getattr(model, "prepared", None)
    refused = isinstance(model, type) or (isinstance(data, TextRecords) and not takes_texts(model))
    return prepare(data) if callable(prepare) and not refused else (model, data)


def seeded_clone(model: Any, *, training: int, noise: int) -> Any:
    """Copy the model, unfitted, and set its seeds."""
    from sklearn.base import clone  # noqa: PLC0415 (slow to load)

    copy = clone(model)
    seeds = dict.fromkeys(_parameters_named(copy, SEED), training)
    seeds |= dict.fromkeys(_parameters_named(copy, NOISE), noise)
    return copy.set_params(**seeds) if seeds else copy


def reseed(model: Any, seed: int) -> None:
    """Give a fitted model another seed, for randomness in ``score_samples``."""
    seeds = dict.fromkeys(_parameters_named(model, SEED), seed)
    if seeds:
        model.set_params(**seeds)


def copy_seeds(source: Any, target: Any) -> None:
    """Give a model the seeds of another of its class, if it has any."""
    if callable(getattr(source, "get_params", None)):
        values = source.get_params(deep=True)
        target.set_params(**{name: values[name] for name in _parameters_named(source, SEED)})


def _parameters_named(model: Any, name: str) -> list[str]:
    deep = sorted(model.get_params(deep=True))
    return [parameter for parameter in deep if parameter == name or parameter.endswith(f"__{name}")]


def takes_images(model: Any) -> bool:
    """Whether the model takes images in their shape, by its scikit-learn tags."""
    tags = getattr(model, "__sklearn_tags__", None)
    return bool(tags().input_tags.three_d_array) if tags is not None else False


def takes_pixels(model: Any) -> bool:
    """Whether the model takes stored pixels: uint8 images, which stand for x/255."""
    return bool(getattr(model, "takes_pixels", False))


def takes_categories(model: Any) -> bool:
    """Whether the model takes categories and missing values of tables."""
    return bool(getattr(model, "takes_categories", False))


def takes_units(model: Any) -> bool:
    """Whether the model takes the numbers of tables in their own units."""
    return bool(getattr(model, "takes_units", False))


def takes_texts(model: Any) -> bool:
    """Whether the model is a language model: ``fit`` and ``score_samples`` take lists of texts."""
    return bool(getattr(model, "takes_texts", False))


def as_input(model: Any, x: Any) -> Any:
    """Return records in the form that the model takes: stored pixels, float images or float rows.

    Texts stay as they are. Select rows first: stored pixels as float32 take four times the memory.
    """
    if not isinstance(x, np.ndarray) or (is_pixels(x) and takes_pixels(model)):
        return x
    x = as_floats(x)
    return x if takes_images(model) else x.reshape(len(x), -1)


def input_bytes(model: Any, x: NDArray[Any]) -> int:
    """Return the memory of all records in the form that the model takes."""
    scaled = is_pixels(x) and not takes_pixels(model)
    return x.size * np.dtype(np.float32).itemsize if scaled else x.nbytes


def fit(model: Any, x: NDArray[Any] | Labelled, on_epoch: OnEpoch) -> None:
    """Train, passing ``on_epoch`` where ``fit`` has that argument."""
    data = x if isinstance(x, Labelled) else (x,)
    model.fit(*data, **({"on_epoch": on_epoch} if takes_on_epoch(model) else {}))


def takes_on_epoch(model: Any) -> bool:
    """Whether ``fit`` has an argument ``on_epoch``."""
    return "on_epoch" in inspect.signature(model.fit).parameters


def epochs(model: Any) -> int | None:
    """Return the number of reports in training; None if a parameter leaves it open."""
    return None if stops_early(model) else max_epochs(model)


def max_epochs(model: Any) -> int | None:
    """Return the largest number of reports in training, if a parameter ``epochs`` states it."""
    parameters = model.get_params(deep=False)
    value = parameters.get("epochs")
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return None
    return int(value) if parameters.get("report_every") is None else None


def stops_early(model: Any) -> bool:
    """Whether training may stop before the last epoch."""
    return model.get_params(deep=False).get("patience") is not None


def check_track(model: Any, track: Sequence[int]) -> None:
    """Refuse to track a model without ``on_epoch``, or past its last epoch."""
    name = type(model).__name__
    if track and not takes_on_epoch(model):
        raise InvalidInput(f"track needs a model whose fit takes on_epoch; that of {name} does not")
    last = max_epochs(model)
    if track and last is not None and max(track) > last:
        raise InvalidInput(f"track must lie within the {last} epochs of {name}; got {max(track)}")


def has_loss(model: Any) -> bool:
    """Whether the model has a method ``loss(X)``, not just a parameter of that name."""
    return callable(getattr(type(model), "loss", None))


def diagnostics(model: Any, n: int) -> dict[str, NDArray[np.float32]]:
    """Read ``diagnostics_`` of the last n log-densities, (n,) float32 each.

    Raises TypeError if it is not a mapping of names to n real numbers each.
    """
    reported = getattr(model, "diagnostics_", None)
    if reported is None:
        return {}
    if not isinstance(reported, Mapping) or not all(str(name).isidentifier() for name in reported):
        raise TypeError("diagnostics_ must map names to arrays")
    raw = {str(name): np.asarray(values) for name, values in reported.items()}
    if not all(values.dtype.kind in "fiub" for values in raw.values()):
        raise TypeError("diagnostics_ must map names to arrays of real numbers")
    arrays = {name: checks.floats(values, np.float32) for name, values in raw.items()}
    for name, values in arrays.items():
        if values.shape != (n,):
            raise TypeError(f"diagnostics_[{name!r}] must have shape ({n},); got {values.shape}")
    return arrays


def facts(model: Any) -> dict[str, Any]:
    """Read ``facts_`` of a fitted model as plain data for the files of its fit.

    Raises TypeError if it is not a mapping, or holds values outside JSON.
    """
    reported = getattr(model, "facts_", None)
    if reported is None:
        return {}
    if not isinstance(reported, Mapping):
        raise TypeError("facts_ must be a mapping")
    values = {
        name: value.to_facts() if isinstance(value, DPGuarantee) else value
        for name, value in reported.items()
    }
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError):
        raise TypeError("facts_ must hold finite numbers, text, lists and mappings") from None
    return values


def check_input(model: Any, x: NDArray[Any] | Sequence[str]) -> None:
    """Call the model's ``check_input`` with the records in the form that the model takes.

    Errors other than byrote's are named by their type alone: their text may quote records.
    """
    check = getattr(model, "check_input", None)
    try:
        if callable(check):
            check(as_input(model, x))
    except ByroteError:  # ours, also of a missing extra
        raise
    except Exception as error:  # a user's check may raise anything
        raise InvalidInput(
            f"model: {type(model).__name__} refuses the records: its check_input raised"
            f" {type(error).__name__}"
        ) from None
