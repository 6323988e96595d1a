"""Standardization of tables: numbers at mean 0 and standard deviation 1, and densities in units.

If y = (x - m) / s, then log p(x) = log p(y) - log s. Means and deviations are those of all records,
set before the first fit: no score depends on the units of a table, nor on who trained on what.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.data.columns import Columns, is_frame
from byrote.data.records import Records, as_numbers
from byrote.errors import InvalidInput

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Standardization:
    """Means and standard deviations of the numbers of a table, (p,) each; 0 and 1 for categories.

    Examples
    --------
    >>> x = np.array([[0.0, 5.0], [4.0, 5.0]])
    >>> columns = Columns.of_numbers(["a", "constant"], x)
    >>> units = Standardization.of(columns, x)
    >>> units.apply(x).tolist(), units.log_determinant(x).round(2).tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [-0.69, -0.69])
    >>> units.restore(units.apply(x)).tolist()
    [[0.0, 5.0], [4.0, 5.0]]
    """

    columns: Columns
    mean: Array
    deviation: Array

    @classmethod
    def of(cls, columns: Columns, x: NDArray[np.floating]) -> "Standardization":
        """Compute means and deviations of encoded records, (n, width)."""
        mean, deviation = np.zeros(len(columns.columns)), np.ones(len(columns.columns))
        missing = columns.missing(x)
        for place, column in enumerate(columns.columns):
            if column.categories is None:
                values = x[~missing[:, place], place].astype(np.float64)
                mean[place], deviation[place] = _moments(np.sort(values))
        return cls(columns, mean, deviation)

    @classmethod
    def none(cls, columns: Columns) -> "Standardization":
        """Leave numbers in their own units."""
        return cls(columns, np.zeros(len(columns.columns)), np.ones(len(columns.columns)))

    def apply(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """Standardize encoded records, (n, width); missing numbers become 0."""
        width = len(self.columns.columns)
        numbers = (x[:, :width] - self.mean) / self.deviation
        numbers[self.columns.missing(x)] = 0
        return np.column_stack([numbers, x[:, width:]]).astype(x.dtype)

    def restore(self, y: NDArray[np.floating]) -> NDArray[np.floating]:
        """Invert ``apply``; what stands for a missing number is its mean."""
        width = len(self.columns.columns)
        return np.column_stack([y[:, :width] * self.deviation + self.mean, y[:, width:]])

    def log_determinant(self, x: NDArray[np.floating]) -> Array:
        """Compute log |dy/dx| of each record, (n,): missing numbers have no density to change."""
        terms = np.where(self.columns.missing(x), 0.0, -np.log(self.deviation))
        return np.asarray(terms.sum(axis=1))


def _moments(ordered: Array) -> tuple[float, float]:
    """Return mean and deviation, 1 if all are equal; in an order that rows do not change."""
    if not len(ordered) or ordered[0] == ordered[-1]:
        return (float(ordered[0]) if len(ordered) else 0.0), 1.0
    return float(ordered.mean()), float(ordered.std())


def comparable_rows(train: Any, **others: Any) -> list[Any]:
    """Return records of a table as rows between which Euclidean distances make sense.

    Numbers are standardized as those of ``train``; each category is an axis, and two that differ
    are at distance 1. Others are records, data frames, or arrays encoded as ``train``, of the same
    columns. If ``train`` is not of a table, all are returned unchanged.

    Examples
    --------
    >>> columns = Columns.of_numbers(["a"], np.array([[1.0], [3.0]]))
    >>> train = Records(np.array([[1.0], [3.0]]), columns=columns)
    >>> [rows.tolist() for rows in comparable_rows(train, samples=np.array([[5.0]]))]
    [[[-1.0], [1.0]], [[3.0]]]
    """
    if not isinstance(train, Records) or train.columns is None:
        return [train, *others.values()]
    frames = {name: _as_frame(name, data, train.columns) for name, data in others.items()}
    frames = {"train": train.frame().reset_index(drop=True), **frames}
    columns = Columns.of(frames)
    encoded = [columns.encode(frame) for frame in frames.values()]
    units = Standardization.of(columns, encoded[0])
    return [_axes(columns, units.apply(x)) for x in encoded]


def _as_frame(name: str, data: Any, columns: Columns) -> Any:
    if isinstance(data, Records) and data.columns is not None:
        return data.frame()
    if is_frame(data):
        return data
    array = as_numbers(name, data.x if isinstance(data, Records) else data)
    if array.shape[1:] != (columns.width,):
        raise InvalidInput(
            f"{name} must have the columns {columns.names}; got an array of shape {array.shape}"
        )
    return columns.decode(array)


def _axes(columns: Columns, x: NDArray[Any]) -> NDArray[np.float64]:
    """Replace the code of each category by a coordinate of its own."""
    parts = [
        x[:, [place]] if isinstance(kind, str) else (x[:, [place]] == np.arange(kind)) / np.sqrt(2)
        for place, kind in enumerate(columns.kinds)
    ]
    return np.column_stack([*parts, x[:, len(columns.kinds) :]]).astype(np.float64)
