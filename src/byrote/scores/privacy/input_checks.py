"""Checks of arguments that several bounds and attacks share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.errors import InvalidInput

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
MOST_TRIALS = 10**9  # more than anyone has, and still counted through in a second


def check_at_most(name: str, value: int, limit_name: str, limit: int) -> None:
    """Check that a count is at most another."""
    if value > limit:
        raise InvalidInput(f"{name} must be at most {limit_name}, {limit}; got {value}")


def score_vector(name: str, values: Any) -> Array:
    """Check scores, (n,): at least one, without NaN; infinite ones are allowed."""
    scores: Array = checks.numbers(name, values)
    if scores.ndim != 1 or not len(scores):
        raise InvalidInput(f"{name} must be scores of shape (n,); got {scores.shape}")
    if np.isnan(scores).any():
        raise InvalidInput(f"{name} must be numbers; got NaN {int(np.isnan(scores).sum())} times")
    return scores


def check_table(log_prob: Any, included: Any) -> tuple[Array, Flags]:
    """Check log-likelihoods and membership, (fits, records) each; NaN means "not scored"."""
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
        raise InvalidInput("log_prob must be below infinity; got +inf, as a failed fit gives")
    return values, flags
