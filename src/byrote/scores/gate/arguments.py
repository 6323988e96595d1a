"""Bars as they are asked for, checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from byrote import checks
from byrote.errors import InvalidInput

# For each bar the least and the most that can be asked, the latter excluded, in words and numbers.
_RANGES: Mapping[str, tuple[float, float, str]] = {
    "max_exposure": (0.0, np.inf, "bits, a number of at least 0"),
    "max_significant": (0.0, 1.0, "a share of at least 0 and below 1, like 1% or 0.01"),
    "max_q999": (0.0, np.inf, "nats, a number of at least 0"),
    "max_epsilon_proven": (0.0, np.inf, "a number of at least 0"),
    "max_auc": (0.5, 1.0, "an area of at least 0.5 and below 1, like 60% or 0.6"),
}
_SHARES = ("max_significant", "max_auc")  # may be percentages


def asked(values: Mapping[str, Any]) -> dict[str, float]:
    """The bars that are set, as numbers.

    Raises
    ------
    InvalidInput
        If none is set, or one is not in its range.
    """
    found = {name: _limit(name, value) for name, value in values.items() if value is not None}
    if not found:
        raise InvalidInput(f"at least one bar must be set, of {', '.join(_RANGES)}; got none")
    return found


def _limit(name: str, value: Any) -> float:
    least, most, expected = _RANGES[name]
    number = _number(value, percent=name in _SHARES)
    if not least <= number < most:  # NaN neither
        raise InvalidInput(f"{name} must be {expected}; got {checks.brief(value)}")
    return number


def _number(value: Any, *, percent: bool) -> float:
    """A number, a share also as a text; NaN for anything else."""
    return (
        checks.parse_share(value) if percent and isinstance(value, str) else checks.as_float(value)
    )
