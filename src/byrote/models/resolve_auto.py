"""Parameters "auto": resolved once in a run, by the model itself, for this machine."""

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

from byrote.errors import InvalidInput
from byrote.models import identity


def resolved_values(model: Any, shape: tuple[int, ...], fits: int) -> dict[str, Any]:
    """Concrete values of the parameters that the model's ``settled`` replaces.

    Parameters
    ----------
    shape
        (n, ...) of the records of the run.
    fits
        Number of fits in the run; like the shape, it decides what is worth its start-up cost.

    Raises
    ------
    InvalidInput
        If ``settled`` fails, or returns a value that run.json cannot hold.
    """
    if not callable(getattr(type(model), "settled", None)):
        return {}
    name = type(model).__name__
    try:
        after = model.settled(shape, fits).get_params(deep=False)
    except InvalidInput:
        raise
    except Exception as error:  # a user's method may raise anything
        raise InvalidInput(
            f"model: settled() of {name} must work on this machine; it raised"
            f" {type(error).__name__}"
        ) from None
    before = model.get_params(deep=False)
    changed = {
        key: value
        for key, value in after.items()
        if identity.plain(value) != identity.plain(before[key])
    }
    for key, value in changed.items():
        if not isinstance(value, bool | int | float | str):
            raise InvalidInput(
                f"model: settled() of {name} must give {key} as a number, text or a truth value;"
                f" got {type(value).__name__}"
            )
    return changed


def with_values(model: Any, values: Mapping[str, Any]) -> Any:
    """Copy the model with these parameters, or return it where there are none."""
    return clone(model).set_params(**values) if values else model
