"""Standardization of tables: numbers at mean 0 and standard deviation 1, and densities in units.

If y = (x - m) / s, then log p(x) = log p(y) - log s. Means and deviations are those of all records,
set before the first fit: no score depends on the units of a table, nor on who trained on what.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.data.columns import Columns

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
