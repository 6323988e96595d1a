"""Arguments that several bounds share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.errors import InvalidInput

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def at_most(name: str, value: int, other: str, limit: int) -> None:
    """One count within another."""
    if value > limit:
        raise InvalidInput(f"{name} must be at most {other}, {limit}; got {value}")


def score_vector(name: str, values: Any) -> Array:
    """Scores (n,): numbers, at least one, without NaN; infinite ones are values."""
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "fiu" or not len(array):
        raise InvalidInput(
            f"{name} must be a list of scores, shape (n,); got {array.dtype} {array.shape}"
        )
    scores = array.astype(np.float64)
    if np.isnan(scores).any():
        raise InvalidInput(f"{name} must be numbers; got NaN {int(np.isnan(scores).sum())} times")
    return scores


def table(log_prob: Any, included: Any) -> tuple[Array, Flags]:
    """Log-likelihoods and membership, (fits, records) each, without +inf; NaN is "not scored"."""
    values, flags = np.asarray(log_prob), np.asarray(included)
    if values.ndim != 2 or values.dtype.kind not in "fiu" or not values.size:
        raise InvalidInput(
            f"log_prob must be numbers, shape (fits, records); got {values.dtype} {values.shape}"
        )
    if flags.dtype.kind != "b" or flags.shape != values.shape:
        raise InvalidInput(
            f"included must be booleans of log_prob's shape {values.shape};"
            f" got {flags.dtype} {flags.shape}"
        )
    values = values.astype(np.float64)
    if np.isposinf(values).any():
        raise InvalidInput("log_prob must be below infinity; +inf is a failed fit")
    return values, flags
