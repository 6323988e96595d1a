"""Records: the rows that are audited, with stable ids, optional labels and a fingerprint.

Images of 8 bits stay uint8 and become numbers in [0, 1] when used: 162,770 colour images of 32x32
are 0.5 GB as stored and 2 GB as float32.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.data import memory
from byrote.data.columns import Columns
from byrote.display import Displayed
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

_HASH_BLOCK = 1 << 24  # bytes hashed at a time


@dataclass(frozen=True, eq=False, repr=False)
class Records(Displayed):
    """Training records in memory.

    Parameters
    ----------
    x
        Array of shape (n, d) for rows of numbers, (n, h, w) for grey images or (n, h, w, c) for
        colour images, channels last. uint8 images are kept and stand for x/255; all else is kept as
        finite floating-point numbers.
    ids
        (n,) distinct integers or strings; default: row numbers.
    labels
        (n,) integers or strings, or None.
    source
        Source of the records as the user wrote it, for the run's description.
    options
        Options of ``load`` that the records were loaded with.
    columns
        Of a table: its columns, which ``x`` encodes; numbers are in their own units.
    standardize
        Whether models get the numbers of a table at mean 0 and standard deviation 1. None: unless
        a model takes them in their own units.

    Raises
    ------
    InvalidInput
        If a shape, type or value is not valid; the message names it.

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
    columns: Columns | None = None
    standardize: bool | None = None

    def __post_init__(self) -> None:
        x = _as_stored("X", self.x)
        ids = np.arange(len(x)) if self.ids is None else one_for_each("ids", self.ids, len(x))
        checks.unique("ids", ids)
        labels = None if self.labels is None else one_for_each("labels", self.labels, len(x))
        for name, value in (("x", x), ("ids", ids), ("labels", labels)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:  # no contents in notebooks and tracebacks
        labelled = "" if self.labels is None else ", labelled"
        return f"Records({len(self):,} of shape {self.shape}{labelled}, from {self.source})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one record."""
        return self.x.shape[1:]

    def values(self, rows: Any = None) -> np.ndarray:
        """Return the records, or those in ``rows``, as numbers; uint8 images as float32 in [0, 1].

        All floating-point records are returned without a copy.

        Examples
        --------
        >>> images = np.array([[[0, 255]], [[51, 0]]], dtype=np.uint8)
        >>> Records(images).values([0]).tolist()
        [[[0.0, 1.0]]]
        """
        return as_floats(self.x if rows is None else self.x[rows])

    def frame(self) -> "pd.DataFrame":
        """Return the records of a table as a data frame, with ids as its index.

        Raises
        ------
        InvalidInput
            If they are not of a table.
        """
        if self.columns is None:
            raise InvalidInput("records must be of a table, whose columns have names; got an array")
        return self.columns.decode(self.x).set_axis(self.ids)

    def take(self, rows: NDArray[np.intp]) -> "Records":
        """Return the records in ``rows``, with their ids and labels."""
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, x=self.x[rows], ids=self.ids[rows], labels=labels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of stored values, shape, type, ids and labels: equal for equal data sets.

        Of a table also of its columns, and of whether it is standardized.
        """
        digest = hashlib.sha256()
        if self.columns is not None:
            columns = [(c.name, c.categories, c.has_gaps) for c in self.columns.columns]
            digest.update(repr((columns, self.standardize)).encode())
        for array in (self.x, self.ids, self.labels):
            if array is None:
                digest.update(b"none")
                continue
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            data = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
            for start in range(0, len(data), _HASH_BLOCK):
                digest.update(data[start : start + _HASH_BLOCK].data)
        return digest.hexdigest()


def random_rows(n: int, count: int | None) -> NDArray[np.intp]:
    """Return ``count`` of ``n`` rows, sorted, from a fixed random order; all for None.

    A smaller subset is contained in a larger one.

    Examples
    --------
    >>> random_rows(10, 3).tolist(), random_rows(10, 4).tolist(), random_rows(3, None).tolist()
    ([2, 3, 9], [2, 3, 8, 9], [0, 1, 2])
    """
    if count is None:
        return np.arange(n)
    if count > n:
        raise InvalidInput(f"records must be at most {n}, the number of records; got {count}")
    return np.sort(seeds.generator(0, seeds.Purpose.CHOICE).permutation(n)[:count])


def as_values(name: str, values: Any) -> np.ndarray:
    """Return a finite, C-contiguous float array of two to four dimensions; float32 stays float32.

    uint8 images become float32 x/255.
    """
    return as_floats(_as_stored(name, values))


def as_numbers(name: str, values: Any) -> np.ndarray:
    """Return records as a numeric array of two to four dimensions, without conversion."""
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
    array = as_numbers(name, values)
    if not is_pixels(array):
        single = array.dtype.kind == "f" and array.itemsize == 4  # in either byte order
        kind = np.dtype(np.float32 if single else np.float64)
        if array.dtype != kind:
            memory.require(array.size * kind.itemsize, f"{name} as numbers")
        array = checks.floats(array, kind)
        checks.finite(name, array)
    return np.ascontiguousarray(array)


def one_for_each(name: str, values: Any, n: int) -> np.ndarray:
    """Convert the ids or labels of n records."""
    shape = checks.array(name, values).shape
    if shape != (n,):
        raise InvalidInput(f"{name} must have one entry for each of {n} records; got {shape}")
    return checks.names(name, values)


def id_as_text(id_: Any) -> str | None:
    """Return an id as text, for look-up; None for anything that cannot be an id."""
    if isinstance(id_, str):
        return str(id_)
    whole = isinstance(id_, int | np.integer) and not isinstance(id_, bool)
    return str(int(id_)) if whole and abs(int(id_)) <= checks.MOST else None


def is_pixels(array: NDArray[Any]) -> bool:
    """Whether an array is stored pixels: uint8 images, (n, h, w) or (n, h, w, c).

    A uint8 table (n, d) is a table of numbers.
    """
    return array.ndim in (3, 4) and array.dtype == np.uint8


def as_floats(array: NDArray[Any]) -> NDArray[Any]:
    """Return stored pixels as float32 x/255, and any other array unchanged.

    Examples
    --------
    >>> as_floats(np.array([[[0, 255]]], dtype=np.uint8))
    array([[[0., 1.]]], dtype=float32)
    >>> as_floats(np.array([[0.5, 2.0]]))
    array([[0.5, 2. ]])
    """
    return scale_pixels(array) if is_pixels(array) else array


def scale_pixels(pixels: NDArray[Any]) -> NDArray[Any]:
    """Divide bool, uint8 or uint16 pixels by white (1, 255 or 65535): float32 in [0, 1]."""
    white = 1 if pixels.dtype == np.bool_ else np.iinfo(pixels.dtype).max
    # float32 from the start: NumPy would otherwise divide in float64, in twice the memory
    scaled: NDArray[Any] = np.divide(pixels, np.float32(white), dtype=np.float32)
    return scaled


def scale_16_bit(array: NDArray[Any]) -> NDArray[Any]:
    """Scale images of 16-bit pixels, (n, h, w) or (n, h, w, c); return other arrays unchanged."""
    return scale_pixels(array) if array.ndim in (3, 4) and array.dtype == np.uint16 else array
