"""Checks of arguments. Each raises InvalidInput in one sentence: name, expected, received."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np

from byrote.errors import InvalidInput


def integer(name: str, value: Any, *, at_least: int) -> int:
    """An integer of at least ``at_least``; booleans are not integers here."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise InvalidInput(f"{name} must be an integer of at least {at_least}; got {value!r}")
    return int(value)


def count(name: str, value: Any) -> int:
    """An integer of at least 1, given as a number or, in the description of a run, as its text."""
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    return integer(name, number, at_least=1)


def epochs(name: str, value: Any) -> tuple[int, ...]:
    """Epochs, counted from 1: sorted, each once."""
    try:
        if isinstance(value, str):
            raise TypeError
        return tuple(sorted({integer(name, epoch, at_least=1) for epoch in value}))
    except (TypeError, InvalidInput):
        raise InvalidInput(
            f"{name} must be a list of epochs, whole numbers of at least 1; got {value!r}"
        ) from None


def fraction(name: str, value: Any) -> float:
    """A number strictly between 0 and 1."""
    if not _is_number(value) or not 0 < value < 1:
        raise InvalidInput(f"{name} must be a number between 0 and 1, both excluded; got {value!r}")
    return float(value)


def share(name: str, value: Any) -> float:
    """A number of at least 0 and below 1."""
    if not _is_number(value) or not 0 <= value < 1:
        raise InvalidInput(f"{name} must be a number of at least 0 and below 1; got {value!r}")
    return float(value)


def written_share(text: Any) -> float:
    """A text such as 5% or 0.05 as a number; NaN for anything else.

    Examples
    --------
    >>> written_share("5%"), written_share(" .5 % "), written_share("5 percent")
    (0.05, 0.005, nan)
    """
    number = r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\s*(%?)\s*"
    written = re.fullmatch(number, text, re.ASCII) if isinstance(text, str) else None
    return float(written[1]) / (100 if written[2] else 1) if written else float("nan")


def positive(name: str, value: Any) -> float:
    """A finite number above 0."""
    if not _is_number(value) or not 0 < value < float("inf"):
        raise InvalidInput(f"{name} must be a number above 0; got {value!r}")
    return float(value)


def not_negative(name: str, value: Any) -> float:
    """A finite number of at least 0."""
    if not _is_number(value) or not 0 <= value < float("inf"):
        raise InvalidInput(f"{name} must be a number of at least 0; got {value!r}")
    return float(value)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """One of the allowed words; the message suggests the nearest."""
    allowed = list(allowed)
    if value not in allowed:
        raise InvalidInput(
            f"{name} must be one of {', '.join(allowed)}; got {value!r}"
            f"{did_you_mean(value, allowed)}"
        )
    return str(value)


def did_you_mean(word: Any, allowed: Iterable[str]) -> str:
    """', did you mean …?' for the nearest allowed word, or nothing."""
    near = get_close_matches(str(word), list(allowed), n=1, cutoff=0.5)
    return f", did you mean {near[0]}?" if near else ""


def encodable(name: str, text: str) -> None:
    """Refuse half a surrogate pair, which UTF-8 cannot hold."""
    half = next((k for k, c in enumerate(text, start=1) if "\ud800" <= c <= "\udfff"), None)
    if half is not None:
        raise InvalidInput(
            f"{name} must be Unicode text; character {half} is half a surrogate pair"
        )


def finite(name: str, array: np.ndarray) -> None:
    """No NaN and no infinity in a floating array; the first offending record is named by row."""
    if array.dtype.kind != "f":
        return
    flat = array.reshape(len(array), -1)
    with np.errstate(invalid="ignore", over="ignore"):
        total = flat.sum(dtype=np.float64)  # one pass, no temporary; a bad value spoils the sum
    if np.isfinite(total):
        return
    bad = [row for row in range(len(flat)) if not np.isfinite(flat[row]).all()]
    if bad:
        what = "NaN" if np.isnan(flat[bad[0]]).any() else "an infinite value"
        raise InvalidInput(
            f"{name} must be finite; {what} in row {bad[0]}"
            + (f" and bad values in {len(bad) - 1} more rows" if len(bad) > 1 else "")
        )


def unique(name: str, values: np.ndarray) -> None:
    """No value twice; says how many are repeated, not which (they may be private)."""
    repeated = len(values) - len(np.unique(values))
    if repeated:
        raise InvalidInput(
            f"{name} must all differ; {repeated} of {len(values)} repeat an earlier one"
        )


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float | np.integer | np.floating)
    return real and not isinstance(value, bool)
