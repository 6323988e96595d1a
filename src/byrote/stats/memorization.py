"""The three estimators of memorization, and their jackknife replicates.

Every function takes two sides: the log-likelihoods of m records under the fits that trained on
them, (m, a), and under the fits that did not, (m, b), in nats. All m records have the same a and b.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.stats.logspace import logmeanexp, logmeanexp_without

Array = NDArray[np.float64]
ESTIMATORS = ("score", "matched", "mean_log")


@dataclass(frozen=True)
class Side:
    """Log-likelihoods of m records, in training or held out.

    values: (m, a), nats. unit: (a,) jackknife unit of each column. Columns are in the order in
    which *matched* cuts them into blocks.
    """

    values: Array
    unit: NDArray[np.intp]

    @property
    def size(self) -> int:
        """Number of values of a record."""
        return self.values.shape[1]

    def log_prob(self) -> Array:
        """Log P_A, eq. (1): the log of the mean density over fits, (m,)."""
        return logmeanexp(self.values)

    def mean(self) -> Array:
        """Mean of the logs, (m,)."""
        return np.asarray(self.values.mean(axis=1))

    def block_log_prob(self, block: int) -> Array:
        """Mean of the log mean exp over disjoint blocks of columns, remainder dropped, (m,)."""
        blocks = self.size // block
        values = self.values[:, : blocks * block].reshape(-1, blocks, block)
        return np.asarray(logmeanexp(values).mean(axis=1))

    def log_prob_without(self, units: int) -> Array:
        """``log_prob`` without one unit at a time, (m, units)."""
        return logmeanexp_without(self.values, self.unit, units)

    def mean_without(self, units: int) -> Array:
        """``mean`` without one unit at a time, (m, units)."""
        remaining = (self.size - np.bincount(self.unit, minlength=units)).astype(float)
        remaining[remaining == 0] = np.nan
        zero = np.isneginf(self.values)
        means = self._sums_without(np.where(zero, 0.0, self.values), units) / remaining
        means[self._sums_without(zero.astype(float), units) > 0] = -np.inf
        return np.asarray(means)

    def _sums_without(self, values: Array, units: int) -> Array:
        """Sums without one unit at a time, (m, units), from both ends: nothing is subtracted."""
        sums, others = np.zeros((2, len(values), units))
        order = np.argsort(self.unit, kind="stable")
        present, first = np.unique(self.unit[order], return_index=True)
        sums[:, present] = np.add.reduceat(values[:, order], first, axis=1)
        others[:, 1:] = np.cumsum(sums, axis=1)[:, :-1]
        others[:, :-1] += np.cumsum(sums[:, ::-1], axis=1)[:, ::-1][:, 1:]
        return others

    def block_log_prob_without(self, units: int, block: int) -> Array:
        """``block_log_prob`` of the same blocks without one unit at a time, (m, units)."""
        total = np.zeros((len(self.values), units))
        blocks = self.size // block
        for start in range(0, blocks * block, block):
            columns = slice(start, start + block)
            total += logmeanexp_without(self.values[:, columns], self.unit[columns], units)
        return total / blocks


def difference(inside: Array, outside: Array) -> Array:
    """Inside - outside; NaN, without a warning, where both densities are zero."""
    with np.errstate(invalid="ignore"):
        return np.asarray(inside - outside)


def estimates(inside: Side, outside: Side) -> dict[str, Array]:
    """Estimate memorization by all three estimators, (m,) each, nats.

    score: eq. (3), log mean exp over all values inside minus the same outside. matched: as the
    score, but averaged over blocks of equally many values on both sides, so that the bias of the
    log mean exp cancels. mean_log: difference of the means of the logs. The last two have mean zero
    under the null hypothesis.
    """
    block = min(inside.size, outside.size)
    return {
        "score": difference(inside.log_prob(), outside.log_prob()),
        "matched": difference(inside.block_log_prob(block), outside.block_log_prob(block)),
        "mean_log": difference(inside.mean(), outside.mean()),
    }


def side_replicates(
    inside: Side, outside: Side, units_in: int, units_out: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Terms of the estimates of both sides, without one of a side's units at a time."""
    block = min(inside.size, outside.size)
    return _without(inside, units_in, block), _without(outside, units_out, block)


def _without(side: Side, units: int, block: int) -> dict[str, Array]:
    with np.errstate(invalid="ignore"):
        return {
            "score": side.log_prob_without(units),
            "matched": side.block_log_prob_without(units, block),
            "mean_log": side.mean_without(units),
        }
