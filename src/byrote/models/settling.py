"""What "auto" stands for on this machine: settled once in a run, by the model itself."""

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

from byrote.errors import InvalidInput
from byrote.models import identity


def settled_values(model: Any, shape: tuple[int, ...], fits: int) -> dict[str, Any]:
    """The parameters that ``settled`` replaces on this machine, with their concrete values.

    Parameters
    ----------
    shape
        (n, ...) of the records of the run.
    fits
        How many fits the run has; both decide what is worth its start.

    Raises
    ------
    InvalidInput
        If ``settled`` fails, or gives something that run.json cannot hold.
    """
    if not callable(getattr(type(model), "settled", None)):
        return {}
    name = type(model).__name__
    try:
        after = model.settled(shape, fits).get_params(deep=False)
    except InvalidInput:
        raise
    except Exception as error:  # a stranger's method may raise anything
        raise InvalidInput(
            f"model: {name} cannot be settled on this machine: {type(error).__name__}"
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
    """The model, or where values are given a copy with those parameters."""
    return clone(model).set_params(**values) if values else model
