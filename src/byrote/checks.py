"""Checks of arguments, which raise InvalidInput with name, expectation and the value given."""

import errno
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from byrote.errors import InvalidInput, did_you_mean

MOST = 2**63 - 1  # largest integer of files and arrays
WIDEST = 1 << 16  # units of a layer
_LONGEST_NAME, _LONGEST_QUOTE = 1000, 80


def integer(name: str, value: Any, *, at_least: int, at_most: int = MOST) -> int:
    """Check that a value is an integer within limits, not a boolean, and return it as an int."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise InvalidInput(f"{name} must be an integer of at least {at_least}; got {brief(value)}")
    if value > at_most:
        limit = f"{at_most:,}" if at_most <= MOST else f"{at_most.bit_length():,} bits"
        raise InvalidInput(f"{name} must be an integer of at most {limit}; got {brief(value)}")
    return int(value)


def size(name: str, value: Any, *, at_least: int = 1) -> int:
    """Check the number of candidates in a space, which may exceed 64 bits."""
    return integer(name, value, at_least=at_least, at_most=2**4096 - 1)


def seed(name: str, value: Any) -> int:
    """Check a seed: an integer of at least 0 and at most 128 bits."""
    return integer(name, value, at_least=0, at_most=2**128 - 1)


def count(name: str, value: Any) -> int:
    """Check an integer of at least 1, as a number or, from a run's description, as text."""
    written = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20
    return integer(name, int(value) if written else value, at_least=1)


def flag(name: str, value: Any) -> bool:
    """Check True or False and return it as a bool."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{name} must be True or False; got {brief(value)}")
    return bool(value)


def epochs(name: str, value: Any) -> tuple[int, ...]:
    """Check epochs, counted from 1, and return them sorted without repeats."""
    try:
        if isinstance(value, str):
            raise TypeError
        return tuple(sorted({integer(name, epoch, at_least=1) for epoch in value}))
    except (TypeError, InvalidInput):
        raise InvalidInput(
            f"{name} must be a list of epochs, whole numbers of at least 1; got {brief(value)}"
        ) from None


def fraction(name: str, value: Any) -> float:
    """Check a number strictly between 0 and 1."""
    return _within(name, value, "a number between 0 and 1, both excluded", lambda x: 0 < x < 1)


def share(name: str, value: Any) -> float:
    """Check a number of at least 0 and below 1."""
    return _within(name, value, "a number of at least 0 and below 1", lambda x: 0 <= x < 1)


def parse_share(text: Any) -> float:
    """Parse text such as 5% or 0.05; NaN for anything else.

    Examples
    --------
    >>> parse_share("5%"), parse_share(" .5 % "), parse_share("5 percent")
    (0.05, 0.005, nan)
    """
    number = r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\s*(%?)\s*"
    written = re.fullmatch(number, text, re.ASCII) if isinstance(text, str) else None
    return float(written[1]) / (100 if written[2] else 1) if written else float("nan")


def positive(name: str, value: Any) -> float:
    """Check a finite number above 0."""
    return _within(name, value, "a number above 0", lambda x: 0 < x < math.inf)


def not_negative(name: str, value: Any) -> float:
    """Check a finite number of at least 0."""
    return _within(name, value, "a number of at least 0", lambda x: 0 <= x < math.inf)


def finite_number(name: str, value: Any) -> float:
    """Check a finite number."""
    return _within(name, value, "a finite number", math.isfinite)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Check one of the allowed words; the message suggests the nearest."""
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise InvalidInput(
            f"{name} must be one of {', '.join(allowed)}; got {brief(value)}"
            f"{did_you_mean(value, allowed)}"
        )
    return str(value)


def path(name: str, value: Any) -> Path:
    """Check a path, given as a string or an ``os.PathLike``."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        raise InvalidInput(f"{name} must be a path; got {brief(value)}")
    try:
        os.lstat(text)
    except ValueError:  # NUL, or characters that the file system's encoding lacks
        raise InvalidInput(f"{name} must be a path; got {brief(value)}") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidInput(f"{name} must be a path; {brief(value)} is too long") from None
    return Path(text)


def array(name: str, values: Any) -> np.ndarray:
    """Convert to an array; ragged rows and masked values are rejected."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InvalidInput(f"{name} must not have masked values")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(values)
    except ValueError:  # rows of different lengths
        raise InvalidInput(f"{name} must be a regular array; got ragged rows") from None
    except Exception as error:  # third-party arrays may raise anything
        raise InvalidInput(
            f"{name} must be an array; {type(values).__name__} cannot be converted to one"
            f" ({type(error).__name__})"
        ) from None


def numbers(name: str, values: Any) -> np.ndarray:
    """Convert real numbers to float64, of any shape; NaN and infinities are allowed."""
    converted = array(name, values)
    if converted.dtype.kind not in "fiu":
        raise InvalidInput(f"{name} must be real numbers; got {converted.dtype} {converted.shape}")
    return floats(converted)


def floats(values: np.ndarray, kind: Any = np.float64) -> np.ndarray:
    """Convert numbers to a floating type; those that overflow become infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(kind, copy=False)


def names(name: str, values: Any) -> np.ndarray:
    """Convert ids or labels, (n,), to int64 or to text as wide as its longest.

    Text must be storable in every file and printable; messages do not quote it.
    """
    converted = array(name, values)
    kind = converted.dtype.kind
    if converted.ndim != 1:
        raise InvalidInput(f"{name} must be a list; got shape {converted.shape}")
    if kind == "u" and converted.size and converted.max() > MOST:
        raise InvalidInput(f"{name} must fit into signed 64-bit integers; got larger ones")
    if kind in "iu":
        return converted.astype(np.int64)
    if kind == "U" and isinstance(values, np.ndarray):
        texts: list[Any] = converted.tolist()
    elif kind in "OTU":  # from the values, because NumPy strips trailing NULs
        texts = list(values)
    else:
        texts = []
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(f"{name} must be integers or strings; got dtype {converted.dtype}")
    _check_texts(name, texts)
    return np.array(texts, dtype=f"<U{max(1, *map(len, texts))}")


def ids(values: Any, count: int, of: str) -> np.ndarray:
    """Check ``count`` different ids; a scalar is one id."""
    converted = array("ids", values)
    if converted.ndim == 0:
        return ids([values if isinstance(values, str) else converted.item()], count, of)
    if converted.shape != (count,):
        raise InvalidInput(f"ids must be one for each of {count} {of}; got shape {converted.shape}")
    converted = names("ids", values)
    unique("ids", converted)
    return converted


def as_list(name: str, values: Any) -> list[Any]:
    """Convert an iterable, except text, to a list."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInput(f"{name} must be a list; got {brief(values)}")
    try:
        return list(values)
    except Exception:  # third-party iterables, or an array without dimensions
        raise InvalidInput(f"{name} must be a list; got {brief(values)}") from None


def _check_texts(name: str, texts: Sequence[str]) -> None:
    """Reject texts that a file or an array would not return unchanged."""
    for row, text in enumerate(texts):
        if len(text) > _LONGEST_NAME:
            raise InvalidInput(
                f"{name} must have at most {_LONGEST_NAME:,} characters each; the one in row {row}"
                f" has {len(text):,}"
            )
        if "\0" in text:
            raise InvalidInput(
                f"{name} must not contain a NUL character; the one in row {row} does"
            )
        encodable(f"{name} in row {row}", text)


def brief(value: Any) -> str:
    """Abbreviate a value for a message: short values in full, others by type and size.

    Examples
    --------
    >>> brief(-1), brief(10**400), brief([1.0] * 1000), brief(np.zeros((2, 3)))
    ('-1', 'an integer of 1,329 bits', 'a list of 1,000', 'ndarray of shape (2, 3)')
    """
    kind = type(value).__name__
    if isinstance(value, int) and value.bit_length() > 80:
        return f"an integer of {value.bit_length():,} bits"
    if isinstance(value, list | tuple | set | frozenset | dict) and len(value) > 8:
        return f"a {kind} of {len(value):,}"
    try:
        shape = getattr(value, "shape", ())
        text = f"{kind} of shape {shape}" if isinstance(shape, tuple) and shape else repr(value)
    except Exception:  # third-party reprs may raise anything, and that of huge integers does
        return f"a value of type {kind}"
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def encodable(name: str, text: str) -> None:
    """Check that text has no lone surrogate, which UTF-8 cannot encode."""
    half = next((k for k, c in enumerate(text, start=1) if "\ud800" <= c <= "\udfff"), None)
    if half is not None:
        raise InvalidInput(f"{name} must be Unicode text; character {half} is a lone surrogate")


def finite(name: str, array: np.ndarray) -> None:
    """Check that an array has no NaN and no infinity; the message names the first such row."""
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
    """Check that all values differ; the message counts repeats without quoting them."""
    repeated = len(values) - len(np.unique(values))
    if repeated:
        raise InvalidInput(
            f"{name} must all differ; {repeated} of {len(values)} repeat an earlier one"
        )


def _within(name: str, value: Any, expected: str, allowed: Callable[[float], bool]) -> float:
    """Check a number and return it as a float; subnormal numbers are rejected."""
    number = as_float(value)
    if 0 < abs(number) < sys.float_info.min:
        raise InvalidInput(
            f"{name} must be {expected}; {brief(value)} is too small to compute with"
        )
    if not allowed(number):
        raise InvalidInput(f"{name} must be {expected}; got {brief(value)}")
    return number


def as_float(value: Any) -> float:
    """Convert a real number to float; NaN for other types and numbers that overflow."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("nan")
