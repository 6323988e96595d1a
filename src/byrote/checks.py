"""Checks of arguments. Each raises InvalidInput in one sentence: name, expected, received."""

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

MOST = 2**63 - 1  # what files and arrays can hold
WIDEST = 1 << 16  # layers of a network
_LONGEST_NAME, _LONGEST_SHOWN = 1000, 80


def integer(name: str, value: Any, *, at_least: int, at_most: int = MOST) -> int:
    """An integer of at least ``at_least``, as Python's own; booleans are not integers here."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise InvalidInput(f"{name} must be an integer of at least {at_least}; got {shown(value)}")
    if value > at_most:
        limit = f"{at_most:,}" if at_most <= MOST else f"{at_most.bit_length():,} bits"
        raise InvalidInput(f"{name} must be an integer of at most {limit}; got {shown(value)}")
    return int(value)


def size(name: str, value: Any, *, at_least: int = 1) -> int:
    """The number of candidates in a space, which may be far beyond 64 bits."""
    return integer(name, value, at_least=at_least, at_most=2**4096 - 1)


def seed(name: str, value: Any) -> int:
    """A seed: an integer of at least 0, of as many bits as the generators take in."""
    return integer(name, value, at_least=0, at_most=2**128 - 1)


def count(name: str, value: Any) -> int:
    """An integer of at least 1, given as a number or, in the description of a run, as its text."""
    written = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20
    return integer(name, int(value) if written else value, at_least=1)


def flag(name: str, value: Any) -> bool:
    """True or False, as Python's own."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{name} must be True or False; got {shown(value)}")
    return bool(value)


def epochs(name: str, value: Any) -> tuple[int, ...]:
    """Epochs, counted from 1: sorted, each once."""
    try:
        if isinstance(value, str):
            raise TypeError
        return tuple(sorted({integer(name, epoch, at_least=1) for epoch in value}))
    except (TypeError, InvalidInput):
        raise InvalidInput(
            f"{name} must be a list of epochs, whole numbers of at least 1; got {shown(value)}"
        ) from None


def fraction(name: str, value: Any) -> float:
    """A number strictly between 0 and 1."""
    return _within(name, value, "a number between 0 and 1, both excluded", lambda x: 0 < x < 1)


def share(name: str, value: Any) -> float:
    """A number of at least 0 and below 1."""
    return _within(name, value, "a number of at least 0 and below 1", lambda x: 0 <= x < 1)


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
    return _within(name, value, "a number above 0", lambda x: 0 < x < math.inf)


def not_negative(name: str, value: Any) -> float:
    """A finite number of at least 0."""
    return _within(name, value, "a number of at least 0", lambda x: 0 <= x < math.inf)


def finite_number(name: str, value: Any) -> float:
    """Any finite number."""
    return _within(name, value, "a finite number", math.isfinite)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """One of the allowed words; the message suggests the nearest."""
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise InvalidInput(
            f"{name} must be one of {', '.join(allowed)}; got {shown(value)}"
            f"{did_you_mean(value, allowed)}"
        )
    return str(value)


def path(name: str, value: Any) -> Path:
    """A path, given as text or as a path."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        raise InvalidInput(f"{name} must be a path; got {shown(value)}")
    try:
        os.lstat(text)
    except ValueError:  # of a NUL, and of what the file system's encoding lacks
        raise InvalidInput(f"{name} must be a path; got {shown(value)}") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InvalidInput(f"{name} must be a path; {shown(value)} is too long") from None
    return Path(text)


def array(name: str, values: Any) -> np.ndarray:
    """What NumPy makes an array of; rows of one length, and nothing hidden by a mask."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InvalidInput(f"{name} must have a value in every place; some are masked")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(values)
    except ValueError:  # rows of different lengths
        raise InvalidInput(f"{name} must be a regular array; got ragged rows") from None
    except Exception as error:  # a stranger's array may raise anything
        raise InvalidInput(
            f"{name} must be an array; {type(values).__name__} cannot be made one"
            f" ({type(error).__name__})"
        ) from None


def numbers(name: str, values: Any) -> np.ndarray:
    """Real numbers as float64, of any shape; NaN and infinities are for the caller to judge."""
    found = array(name, values)
    if found.dtype.kind not in "fiu":
        raise InvalidInput(f"{name} must be real numbers; got {found.dtype} {found.shape}")
    return floats(found)


def floats(values: np.ndarray, kind: Any = np.float64) -> np.ndarray:
    """Numbers in another type of float; what that cannot hold is infinite, and says so itself."""
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(kind, copy=False)


def names(name: str, values: Any) -> np.ndarray:
    """Ids or labels, (n,): int64, or text as wide as its longest, so equal texts are equal bytes.

    Text must be such as every file and every terminal can hold; no message quotes it.
    """
    found = array(name, values)
    if found.ndim != 1:
        raise InvalidInput(f"{name} must be a list; got shape {found.shape}")
    if found.dtype.kind == "u" and found.size and found.max() > MOST:
        raise InvalidInput(f"{name} must fit into 64 bits with a sign; got larger integers")
    if found.dtype.kind in "iu":
        return found.astype(np.int64)
    if found.dtype.kind == "U" and isinstance(values, np.ndarray):
        texts: list[Any] = found.tolist()
    elif found.dtype.kind in "OTU":  # as they were before NumPy took off a NUL at an end
        texts = list(values)
    else:
        texts = []
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(f"{name} must be integers or strings; got dtype {found.dtype}")
    _check_texts(name, texts)
    return np.array(texts, dtype=f"<U{max(1, *map(len, texts))}")


def ids(values: Any, count: int, of: str) -> np.ndarray:
    """Names of so many canaries or the like, all different; one may stand alone."""
    found = array("ids", values)
    if found.ndim == 0:
        return ids([values if isinstance(values, str) else found.item()], count, of)
    if found.shape != (count,):
        raise InvalidInput(f"ids must be one for each of {count} {of}; got shape {found.shape}")
    found = names("ids", values)
    unique("ids", found)
    return found


def listed(name: str, values: Any) -> list[Any]:
    """The items of a list, or of what else gives some one by one; a text is none."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInput(f"{name} must be a list; got {shown(values)}")
    try:
        return list(values)
    except Exception:  # a stranger's iterable, or an array of no dimension
        raise InvalidInput(f"{name} must be a list; got {shown(values)}") from None


def _check_texts(name: str, texts: Sequence[str]) -> None:
    """Refuse texts that a file or an array would not give back as they are."""
    for row, text in enumerate(texts):
        if len(text) > _LONGEST_NAME:
            raise InvalidInput(
                f"{name} must have at most {_LONGEST_NAME:,} characters each; the one in row {row}"
                f" has {len(text):,}"
            )
        if "\0" in text:
            raise InvalidInput(f"{name} must hold no NUL character; the one in row {row} does")
        encodable(f"{name} in row {row}", text)


def shown(value: Any) -> str:
    """A value as a message quotes it: in a few words, and of what holds many the kind alone.

    Examples
    --------
    >>> shown(-1), shown(10**400), shown([1.0] * 1000), shown(np.zeros((2, 3)))
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
    except Exception:  # a stranger's may raise anything, and one of very large integers does
        return f"a value of type {kind}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


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


def _within(name: str, value: Any, wanted: str, allowed: Callable[[float], bool]) -> float:
    """A number as Python's own, if it is allowed and not so small that digits are lost."""
    number = real(value)
    if 0 < abs(number) < sys.float_info.min:
        raise InvalidInput(f"{name} must be {wanted}; {shown(value)} is too small to compute with")
    if not allowed(number):
        raise InvalidInput(f"{name} must be {wanted}; got {shown(value)}")
    return number


def real(value: Any) -> float:
    """A real number as Python's own; NaN for what is none, or beyond what a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("nan")
