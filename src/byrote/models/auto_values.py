"""Values of a model's parameters "auto", resolved once per run and the same in all its fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput
from byrote.models.identity import plain


@dataclass(frozen=True, eq=False)
class PilotFit:
    """A fit of a run, made before the others: scores of some records, (m,) each.

    included: whether the fit trained on the record. log_prob: nats. diagnostics: the model's.
    """

    included: NDArray[np.bool_]
    log_prob: NDArray[np.float64]
    diagnostics: Mapping[str, NDArray[Any]]


def needs_pilot(model: Any) -> bool:
    """Whether ``settled_by`` is to resolve parameters by two fits."""
    return bool(getattr(model, "needs_pilot", False))


def values_by_pilot(model: Any, pilot: Sequence[PilotFit], fits: int) -> dict[str, Any]:
    """Return concrete values of the parameters that the model's ``settled_by`` replaces.

    ``pilot`` holds the same records in the first two fits of a run of ``fits`` fits.
    """
    return _resolved(model, "settled_by", pilot, fits)


def resolved_values(model: Any, shape: tuple[int, ...], fits: int) -> dict[str, Any]:
    """Return concrete values of the parameters that the model's ``settled`` replaces.

    ``shape`` (n, ...) of the records and the number of ``fits`` decide what is worth its start-up.
    """
    return _resolved(model, "settled", shape, fits)


def with_values(model: Any, values: Mapping[str, Any]) -> Any:
    """Return a copy of the model with these parameters, or the model if there are none."""
    from sklearn.base import clone  # noqa: PLC0415 (slow to load)

    return clone(model).set_params(**values) if values else model


def _resolved(model: Any, method: str, *arguments: Any) -> dict[str, Any]:
    """Return what a method of the model changes in its parameters."""
    name = type(model).__name__
    if not callable(getattr(type(model), method, None)):
        return {}
    try:
        after = getattr(model, method)(*arguments).get_params(deep=False)
    except InvalidInput:
        raise
    except Exception as error:  # a user's method may raise anything
        raise InvalidInput(
            f"model: {method}() of {name} must work on this machine; it raised"
            f" {type(error).__name__}"
        ) from None
    before = model.get_params(deep=False)
    changed = {key: value for key, value in after.items() if plain(value) != plain(before[key])}
    for key, value in changed.items():
        if not isinstance(value, bool | int | float | str):
            raise InvalidInput(
                f"model: {method}() of {name} must give {key} as a number, text or a truth value;"
                f" got {type(value).__name__}"
            )
    return changed
