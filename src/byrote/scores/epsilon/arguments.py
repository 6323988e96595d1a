"""Arguments that several bounds share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
MOST_TRIALS = 10**9  # more than anyone has, and still counted through in a second


def at_most(name: str, value: int, other: str, limit: int) -> None:
    """One count within another."""
    if value > limit:
        raise InvalidInput(f"{name} must be at most {other}, {limit}; got {value}")


def score_vector(name: str, values: Any) -> Array:
    """Scores (n,): numbers, at least one, without NaN; infinite ones are values."""
    scores: Array = checks.numbers(name, values)
    if scores.ndim != 1 or not len(scores):
        raise InvalidInput(f"{name} must be a list of scores, shape (n,); got {scores.shape}")
    if np.isnan(scores).any():
        raise InvalidInput(f"{name} must be numbers; got NaN {int(np.isnan(scores).sum())} times")
    return scores


def table(log_prob: Any, included: Any) -> tuple[Array, Flags]:
    """Log-likelihoods and membership, (fits, records) each, without +inf; NaN is "not scored"."""
    values: Array = checks.numbers("log_prob", log_prob)
    flags = checks.array("included", included)
    if values.ndim != 2 or not values.size:
        raise InvalidInput(f"log_prob must have shape (fits, records); got {values.shape}")
    if flags.dtype.kind != "b" or flags.shape != values.shape:
        raise InvalidInput(
            f"included must be booleans of log_prob's shape {values.shape};"
            f" got {flags.dtype} {flags.shape}"
        )
    if np.isposinf(values).any():
        raise InvalidInput("log_prob must be below infinity; +inf is a failed fit")
    return values, flags
