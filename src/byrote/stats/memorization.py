"""The three estimators of memorization, and their jackknife replicates.

Estimators compare two sides: the log-likelihoods of m records under the fits that trained on them,
(m, a), and under the fits that did not, (m, b), nats. All m records have the same a and b. A
probability of zero has the logarithm -inf, and so has a mean over zeros.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ESTIMATORS = ("score", "matched", "mean_log")
_LOST = 1e-200  # beside 1: the densities of what is left out may be rounded to zero


@dataclass(frozen=True)
class Side:
    """Log-likelihoods of m records in training or held out, (m, a), nats.

    unit: (a,) jackknife unit of each column. *matched* cuts columns into blocks in their order.
    """

    values: Array
    unit: NDArray[np.intp]

    @property
    def size(self) -> int:
        """Number of values of a record."""
        return self.values.shape[1]

    @cached_property
    def log_prob(self) -> Array:
        """Log P_A, eq. (1), the log of the mean density over fits, (m,)."""
        return logmeanexp(self.values)

    def mean(self) -> Array:
        """Compute the mean of the logs, (m,)."""
        return np.asarray(self.values.mean(axis=1))

    def block_log_prob(self, block: int) -> Array:
        """Average ``logmeanexp`` over disjoint blocks of columns, dropping the remainder, (m,)."""
        if block == self.size:
            return self.log_prob
        blocks = self.size // block
        values = self.values[:, : blocks * block].reshape(-1, blocks, block)
        return np.asarray(logmeanexp(values).mean(axis=1))

    def log_prob_without(self, units: int) -> Array:
        """Compute ``log_prob`` leaving out each jackknife unit in turn, (m, units)."""
        return logmeanexp_without(self.values, self.unit, units)

    def mean_without(self, units: int) -> Array:
        """Compute ``mean`` leaving out each jackknife unit in turn, (m, units)."""
        remaining = (self.size - np.bincount(self.unit, minlength=units)).astype(float)
        remaining[remaining == 0] = np.nan
        zero = np.isneginf(self.values)
        if not zero.any():
            return sums_without(self.values, self.unit, units) / remaining
        means = sums_without(np.where(zero, 0.0, self.values), self.unit, units) / remaining
        means[sums_without(zero.astype(float), self.unit, units) > 0] = -np.inf
        return means

    def block_log_prob_without(self, units: int, block: int) -> Array:
        """Compute ``block_log_prob`` leaving out each jackknife unit in turn, (m, units)."""
        total = np.zeros((len(self.values), units))
        blocks = self.size // block
        for start in range(0, blocks * block, block):
            columns = slice(start, start + block)
            total += logmeanexp_without(self.values[:, columns], self.unit[columns], units)
        return total / blocks


def difference(inside: Array, outside: Array) -> Array:
    """Compute inside - outside; NaN, without a warning, where both densities are zero."""
    with np.errstate(invalid="ignore"):
        return np.asarray(inside - outside)


def estimates(inside: Side, outside: Side) -> dict[str, Array]:
    """Estimate memorization by all three estimators, (m,) each, nats.

    score: eq. (3), log mean exp inside minus outside. matched: the same averaged over blocks of
    equally many values on both sides, so that the bias of the log mean exp cancels. mean_log:
    difference of the means of the logs. The last two have mean zero under the null hypothesis.
    """
    block = min(inside.size, outside.size)
    return {
        "score": difference(inside.log_prob, outside.log_prob),
        "matched": difference(inside.block_log_prob(block), outside.block_log_prob(block)),
        "mean_log": difference(inside.mean(), outside.mean()),
    }


def side_replicates(
    inside: Side, outside: Side, units_in: int, units_out: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Compute both sides' terms of the estimates, leaving out each of the side's units in turn."""
    block = min(inside.size, outside.size)
    return _without(inside, units_in, block), _without(outside, units_out, block)


def _without(side: Side, units: int, block: int) -> dict[str, Array]:
    whole = block == side.size  # then all values are one block
    with np.errstate(invalid="ignore"):
        log_prob = side.log_prob_without(units)
        return {
            "score": log_prob,
            "matched": log_prob if whole else side.block_log_prob_without(units, block),
            "mean_log": side.mean_without(units),
        }


def logsumexp(values: Array) -> Array:
    """Compute the log of the sum of exponentials over the last axis, (..., a) -> (...), nats.

    Examples
    --------
    >>> float(logsumexp(np.log([1.0, 2.0, 3.0])).round(6)) == round(float(np.log(6)), 6)
    True
    """
    top = values.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(values - top).sum(axis=-1))
    return np.asarray(total + top[..., 0])


def logmeanexp(values: Array) -> Array:
    """Compute the log of the mean of exponentials over the last axis, (..., a) -> (...), nats."""
    return logsumexp(values) - np.log(values.shape[-1])


def logmeanexp_without(values: Array, unit: NDArray[np.intp], units: int) -> Array:
    """Compute ``logmeanexp`` leaving out each unit of columns in turn, (m, a) -> (m, units).

    unit: (a,) unit of each column. NaN where no column is left. Of a sum with the largest value in
    it a part can be subtracted; without it the others are summed by themselves, and anew where they
    are lost beside it.
    """
    remaining = (values.shape[1] - np.bincount(unit, minlength=units)).astype(float)
    remaining[remaining == 0] = np.nan
    top = values.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    parts = np.exp(values - top)
    if not np.array_equal(unit, np.arange(units)):
        parts = np.ascontiguousarray(_sums_by_unit(parts, unit, units).T)
    rows, largest = np.arange(len(values)), unit[values.argmax(axis=1)]
    of_largest = parts[rows, largest]
    parts[rows, largest] = 0.0
    rest = parts.sum(axis=1)
    others = (rest + of_largest)[:, None] - parts
    others[rows, largest] = rest
    with np.errstate(divide="ignore"):
        others = np.log(others, out=others) + top
    if len(lost := np.flatnonzero(rest < _LOST)):
        anew = np.where(unit == largest[lost, None], -np.inf, values[lost])
        others[lost, largest[lost]] = logsumexp(anew)
    return np.asarray(others - np.log(remaining))


def _sums_by_unit(values: Array, unit: NDArray[np.intp], units: int) -> Array:
    """Sum the columns of each unit, (m, a) -> (units, m); a unit's are beside one another."""
    sums = np.zeros((units, len(values)))
    for column, each in enumerate(unit):
        sums[each] += values[:, column]
    return sums


def sums_without(values: Array, unit: NDArray[np.intp], units: int) -> Array:
    """Sum columns leaving out each unit in turn, (m, a) -> (m, units).

    Sums are built from both ends: subtracting a dominant term from the total would leave only
    rounding error.

    Examples
    --------
    >>> sums_without(np.array([[1.0, 2.0, 4.0]]), np.array([0, 1, 0]), 2)
    array([[2., 5.]])
    """
    sums = _sums_by_unit(values, unit, units)
    others = np.zeros(sums.shape)
    others[1:] = np.cumsum(sums[:-1], axis=0)
    others[:-1] += np.cumsum(sums[:0:-1], axis=0)[::-1]
    return others.T
