"""Records: the rows that are audited, with stable ids, optional labels and a fingerprint."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np

from byrote import checks
from byrote.data import memory
from byrote.data.pixels import as_floats, is_pixels
from byrote.errors import InvalidInput

_HASH_BLOCK = 1 << 24  # bytes hashed at a time


@dataclass(frozen=True, eq=False, repr=False)
class Records:
    """Training records in memory.

    Parameters
    ----------
    x
        Array, (n, d) for rows of numbers, (n, h, w) for grey images or (n, h, w, c) for colour
        images, channels last. Images of uint8 are kept as they are and stand for x/255; everything
        else is kept as finite floating numbers.
    ids
        (n,) integers or strings, all different; row numbers if not given.
    labels
        (n,) integers or strings, or None.
    source
        Where the records came from, as the user wrote it, for the run's description.
    options
        How they were loaded: the options of ``load`` that were given.

    Raises
    ------
    InvalidInput
        If a shape, a type or a value cannot be used; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> records = Records(np.zeros((3, 2)))
    >>> len(records), records.shape, records.ids.tolist()
    (3, (2,), [0, 1, 2])
    """

    x: np.ndarray
    ids: np.ndarray = None  # type: ignore[assignment]  # filled in below
    labels: np.ndarray | None = None
    source: str = "memory"
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        x = _as_stored("X", self.x)
        ids = np.arange(len(x)) if self.ids is None else _column("ids", self.ids, len(x))
        checks.unique("ids", ids)
        labels = None if self.labels is None else _column("labels", self.labels, len(x))
        for name, value in (("x", x), ("ids", ids), ("labels", labels)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:  # what a record holds stays out of notebooks and tracebacks
        labelled = "" if self.labels is None else ", labelled"
        return f"Records({len(self)} of shape {self.shape}{labelled}, from {self.source})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record."""
        return self.x.shape[1:]

    @property
    def is_image(self) -> bool:
        """Whether records are (h, w) or (h, w, c) images."""
        return self.x.ndim > 2

    def values(self, rows: Any = None) -> np.ndarray:
        """Numbers of the records, or of those in ``rows``: stored pixels as float32 in [0, 1].

        Floating records come as they are, in the same memory where all of them are asked for.

        Examples
        --------
        >>> images = np.array([[[0, 255]], [[51, 0]]], dtype=np.uint8)
        >>> Records(images).values([0]).tolist()
        [[[0.0, 1.0]]]
        """
        return as_floats(self.x if rows is None else self.x[rows])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of values as kept, shape, type, ids, labels: what makes data sets the same."""
        digest = hashlib.sha256()
        for array in (self.x, self.ids, self.labels):
            if array is None:
                digest.update(b"none")
                continue
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            data = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
            for start in range(0, len(data), _HASH_BLOCK):
                digest.update(data[start : start + _HASH_BLOCK].data)
        return digest.hexdigest()


def as_records(data: Any, *, ids: Any = None, labels: Any = None) -> Records:
    """Records from Records, an array or a data frame; ids and labels override what it carries.

    The index of a data frame serves as ids if it holds integers or strings.
    """
    if isinstance(data, str | PurePath):
        raise InvalidInput("X must be an array or Records; got a path: byrote.load reads files")
    if not isinstance(data, Records):
        index = getattr(data, "index", None)  # of a data frame; a list's is a method
        if ids is None and hasattr(index, "dtype"):
            ids = np.asarray(index)
        return Records(data, ids=ids, labels=labels)
    if ids is None and labels is None:
        return data
    return Records(
        data.x,
        ids=data.ids if ids is None else ids,
        labels=data.labels if labels is None else labels,
        source=data.source,
        options=data.options,
    )


def as_values(name: str, values: Any) -> np.ndarray:
    """A finite floating array of two to four dimensions, C-contiguous; float32 stays float32.

    Images of uint8 stand for x/255 and become float32.
    """
    return as_floats(_as_stored(name, values))


def as_numbers(name: str, values: Any) -> np.ndarray:
    """Records as an array of numbers of two to four dimensions, of the type that they have."""
    array = checks.array(name, values)
    if array.dtype.kind not in "fiub":
        raise InvalidInput(f"{name} must be numeric; got dtype {array.dtype}")
    if array.ndim not in (2, 3, 4):
        raise InvalidInput(
            f"{name} must have shape (n, d), (n, h, w) or (n, h, w, c); got {array.shape}"
        )
    if 0 in array.shape:
        raise InvalidInput(f"{name} must hold at least one record and one value; got {array.shape}")
    if array.ndim == 4 and array.shape[-1] > 4 and array.shape[1] in (1, 3, 4):
        raise InvalidInput(f"{name} must have its channels last, (n, h, w, c); got {array.shape}")
    return array


def _as_stored(name: str, values: Any) -> np.ndarray:
    """As ``as_values``, but images of uint8 stay as they are."""
    array = as_numbers(name, values)
    if not is_pixels(array):
        single = array.dtype.kind == "f" and array.itemsize == 4  # in whichever byte order
        kind = np.dtype(np.float32 if single else np.float64)
        if array.dtype != kind:
            memory.require(array.size * kind.itemsize, f"{name} as numbers")
        array = checks.floats(array, kind)
        checks.finite(name, array)
    return np.ascontiguousarray(array)


def _column(name: str, values: Any, n: int) -> np.ndarray:
    shape = checks.array(name, values).shape
    if shape != (n,):
        raise InvalidInput(f"{name} must have one entry for each of {n} records; got {shape}")
    return checks.names(name, values)


def written_id(id_: Any) -> str | None:
    """An id as text, to be looked up; None for what can be none."""
    if isinstance(id_, str):
        return str(id_)
    whole = isinstance(id_, int | np.integer) and not isinstance(id_, bool)
    return str(int(id_)) if whole and abs(int(id_)) <= checks.MOST else None
