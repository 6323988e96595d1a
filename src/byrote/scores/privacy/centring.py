"""Log-likelihoods less what a record, and a fit, has anyway: whichever fits trained on it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Centre:
    """The mean log-likelihood of each record over fits, whichever trained on it, nats.

    mean, count: (m,) mean of its finite values, and their number.
    """

    mean: Array
    count: NDArray[np.intp]

    @classmethod
    def of(cls, values: Iterable[Array]) -> "Centre":
        """Average log-likelihoods, F times (m,)."""
        total: Array = np.zeros(1)
        count: NDArray[np.intp] = np.zeros(1, np.intp)
        for row in values:
            finite = np.isfinite(row)
            total = total + (row if finite.all() else np.where(finite, row, 0.0))
            count = count + finite
        return cls(total / np.maximum(count, 1), count)

    def subtract_from(self, row: Array) -> Array:
        """Subtract from the log-likelihoods of a fit, (m,), the record's mean, then the fit's.

        Membership is not used. A density of zero stays -inf where the record has other values;
        unknown values (NaN) become 0.

        Examples
        --------
        >>> rows = [np.array([1.0, 5.0, -np.inf]), np.array([3.0, 5.0, 2.0])]
        >>> centre = Centre.of(rows)
        >>> [centre.subtract_from(row).round(2).tolist() for row in rows]
        [[-0.5, 0.5, -inf], [0.67, -0.33, -0.33]]
        """
        finite = np.isfinite(row)
        if finite.all():
            rest = row - self.mean
            rest -= rest.sum() / max(1, len(rest))
            return np.asarray(rest)
        rest = np.where(finite, row - self.mean, 0.0)
        rest -= rest.sum() / max(1, np.count_nonzero(finite))
        rest[~finite] = 0.0
        rest[np.isneginf(row) & (self.count > 0)] = -np.inf
        return rest


def centred(values: Sequence[Array]) -> Iterator[Array]:
    """Subtract from log-likelihoods, F times (m,), the mean of the record, then that of the fit."""
    return map(Centre.of(values).subtract_from, values)
