"""Distances between records: Euclid's for arrays, Gower's for tables.

A space is described once by all records and then the same for all fits, so that no distance depends
on who trained on what. The ``resolution`` is the smallest distance between records that differ: in
a single column, by that column's smallest step.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.data.columns import Columns, is_frame
from byrote.data.records import as_values
from byrote.errors import InvalidInput
from byrote.stats.gower import MixedRows, nearest_mixed
from byrote.stats.nearest import nearest
from byrote.stats.rows import as_rows, blocks

Array = NDArray[np.float64]
Index = NDArray[np.intp]
_TIE = 1e-9  # relative difference below which distances are equal
_ROUNDING = 1e-9  # of a column's range, below which values do not differ
_COLUMNS = 64  # sorted at a time
_TIED = 4096  # queries whose ties are held at a time


class Space(ABC):
    """How distances between records are taken."""

    dimensions: int
    resolution: float
    NAME: str

    @abstractmethod
    def rows(self, name: str, data: Any) -> Any:
        """Check records, named for messages, and convert them to rows of this space."""

    @abstractmethod
    def nearest(
        self, queries: Any, references: Any, k: int = 1, exclude: Index | None = None
    ) -> tuple[Array, Index]:
        """Find the k nearest references of each query, as ``byrote.stats.nearest.nearest``."""

    def nearest_ties(self, queries: Any, references: Any) -> tuple[Array, Index, Index]:
        """Find the two smallest distances of each query, and all references at the smallest.

        Returns (n, 2) the distances, infinite without a second reference; and pairs: (p,) number of
        the query and of the reference.
        """
        distance = np.empty((len(queries), 2))
        pairs: list[tuple[Index, Index]] = []
        for part in blocks(len(queries), _TIED):
            left, k = np.arange(part.start, part.stop), 2
            while len(left):
                distances, indices = self.nearest(queries.take(left), references, k)
                distance[left] = distances[:, :2]
                tied = distances <= distances[:, :1] * (1 + _TIE)
                more = tied[:, -1] & (k < len(references))
                row, column = np.nonzero(tied & ~more[:, None])
                pairs.append((left[row], indices[row, column]))
                left, k = left[more], min(8 * k, len(references))
        query, reference = (np.concatenate(part) for part in zip(*pairs, strict=True))
        return distance, query, reference


@dataclass(frozen=True)
class Euclidean(Space):
    """Euclidean distances between rows of numbers, or images as rows, as they are."""

    dimensions: int
    resolution: float
    NAME = "Euclidean distance"

    def rows(self, name: str, data: Any) -> Any:
        """Return (n, d) numbers."""
        if is_frame(data):
            data = np.asarray(data)
        values = as_values(name, data)
        values = values.reshape(len(values), -1)
        if values.shape[1] != self.dimensions:
            raise InvalidInput(f"{name} must have {self.dimensions} columns; got {values.shape[1]}")
        return as_rows(values)

    def nearest(
        self, queries: Any, references: Any, k: int = 1, exclude: Index | None = None
    ) -> tuple[Array, Index]:
        """Search exactly, by blocked matrix products."""
        return nearest(queries, references, k, exclude=exclude)


@dataclass(frozen=True)
class Gower(Space):
    """Gower's distances between rows of a table: the mean over columns of |a - b| / range or 0/1.

    A missing value is at distance 0 from a missing one, and at distance 1 from any other.
    """

    columns: Columns
    resolution: float
    NAME = "Gower's distance"

    @property
    def dimensions(self) -> int:  # type: ignore[override]
        """Number of columns."""
        return len(self.columns.columns)

    def rows(self, name: str, data: Any) -> MixedRows:
        """Return numbers in units of their range, and codes of categories."""
        if not is_frame(data):
            raise InvalidInput(
                f"{name} must be a data frame with columns {self.columns.names};"
                f" got {checks.brief(data)}"
            )
        for column in self.columns.names:
            if column not in data.columns:
                raise InvalidInput(f"{name} must have a column {column!r}; got none")
        try:
            numbers = self.columns.numbers(data) / self.columns.spans()
        except (TypeError, ValueError):  # its text may quote records
            raise InvalidInput(
                f"{name} must hold numbers where the records do; got text in such a column"
            ) from None
        return MixedRows(numbers, self.columns.codes(data))

    def nearest(
        self, queries: Any, references: Any, k: int = 1, exclude: Index | None = None
    ) -> tuple[Array, Index]:
        """Search exactly, in blocks."""
        return nearest_mixed(queries, references, k, exclude=exclude)


def space_of(**records: Any) -> Space:
    """Describe the space of one or more sets of records, by their names: all arrays or all frames.

    Raises
    ------
    InvalidInput
        If sets are of different kinds, or their columns differ.

    Examples
    --------
    >>> import pandas as pd
    >>> space_of(x=np.array([[0.0, 5.0], [0.5, 5.0]]))
    Euclidean(dimensions=2, resolution=0.5)
    >>> space = space_of(x=pd.DataFrame({"age": [20, 30, 70], "sex": ["f", "m", "m"]}))
    >>> space.NAME, space.resolution
    ("Gower's distance", 0.1)
    """
    frames = {name: is_frame(data) for name, data in records.items()}
    if len(set(frames.values())) > 1:
        frame, array = (
            next(n for n, is_ in frames.items() if is_ is side) for side in (True, False)
        )
        raise InvalidInput(
            f"{array} must be a data frame, as {frame} is; got {type(records[array]).__name__}"
        )
    first = next(iter(records))
    if not frames[first]:
        values = as_values(first, records[first])
        values = values.reshape(len(values), -1)
        return Euclidean(values.shape[1], _smallest(_steps(values)))
    columns = Columns.of(records)
    steps = [
        1.0 if column.categories is not None else _table_step(column.name, column.span, records)
        for column in columns.columns
    ]
    return Gower(columns, min(steps) / len(steps))


def _table_step(name: Any, span: float, frames: Any) -> float:
    """Return the smallest step of a column over all frames, in units of its range."""
    values = np.concatenate(
        [np.asarray(frame[name].astype("float64")) for frame in frames.values()]
    )
    return _smallest(_steps(values[~np.isnan(values), None]) / span)


def _steps(values: NDArray[Any]) -> Array:
    """Return the smallest step between values of each column, (n, d) -> (d,); else infinity."""
    steps = np.empty(values.shape[1])
    for part in blocks(values.shape[1], _COLUMNS):
        gaps = np.diff(np.sort(values[:, part].astype(np.float64), axis=0), axis=0)
        gaps[gaps <= _ROUNDING * gaps.sum(axis=0)] = np.inf
        steps[part] = gaps.min(axis=0, initial=np.inf)
    return steps


def _smallest(steps: Array) -> float:
    """Return the smallest step; 1 where nothing varies."""
    smallest = float(steps.min())
    return smallest if np.isfinite(smallest) else 1.0
