"""A negative control: p-values of a test where its null hypothesis holds by construction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Array = NDArray[np.float64]
ENDLESS = 1e9  # degrees of freedom at which Student's law is the normal one
_TINY = float(np.finfo(float).tiny)


def upper_tail(t: Array, degrees: Array | float) -> Array:
    """Compute one-sided p-values of Student's t, never quite 0."""
    return np.maximum(stdtr(np.minimum(degrees, ENDLESS), -t), _TINY)


@dataclass(frozen=True, eq=False)
class Control:
    """Student's p-values where the null hypothesis holds by construction, N in all.

    There may be millions, and Student's law is slow: they are computed only where they are asked
    for. ``t_values`` holds the t-values of each number of degrees of freedom in descending order,
    which is the ascending order of p-values.
    """

    t_values: Mapping[float, Array]

    @classmethod
    def of(cls, t: Array, degrees: Array) -> "Control":
        """Make a control of t-values and their degrees of freedom, (N,) each."""
        return cls({each: -np.sort(-t[degrees == each]) for each in np.unique(degrees).tolist()})

    def __len__(self) -> int:
        return sum(map(len, self.t_values.values()))

    def calibrate(self, p_values: Array) -> Array:
        """Return the larger of each p-value and the share of control values as small."""
        return np.maximum(p_values, (1 + self._as_small(p_values)) / (1 + len(self)))

    @property
    def smallest(self) -> float:
        """The smallest calibrated p-value possible."""
        return 1 / (1 + len(self))

    def share_below(self, level: float) -> float:
        """Return the share of control values of at most ``level``; it should be ``level``."""
        return float(self._as_small(np.array([level]))[0] / len(self))

    def critical(self, level: float, *, upper: bool = False) -> float:
        """Return the largest p-value that stays within ``level`` when calibrated; 0 if none does.

        ``upper``: of the other tail, that is of 1 - p.
        """
        return joint_critical([self], [1.0], level, upper=upper)

    def extremes(self, count: int, *, upper: bool = False) -> Array:
        """Return the ``count`` smallest p-values in order; ``upper``: of 1 - p."""
        ends = slice(-1, -1 - count, -1) if upper else slice(count)
        extreme = np.concatenate([upper_tail(t[ends], d) for d, t in self.t_values.items()])
        return np.sort(1 - extreme if upper else extreme)[:count]

    def _as_small(self, p_values: Array) -> NDArray[np.intp]:
        """Count the control values of at most each of (m,) p-values, by bisection."""
        count = np.zeros(len(p_values), np.intp)
        for degrees, t in self.t_values.items():
            low, high = np.zeros_like(count), np.full_like(count, len(t))
            for _ in range(len(t).bit_length()):
                middle = np.minimum((low + high) // 2, len(t) - 1)
                below = (low < high) & (upper_tail(t[middle], degrees) <= p_values)
                low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
            count += low
        return count


def joint_critical(
    controls: Sequence[Control], shares: Sequence[float], level: float, *, upper: bool = False
) -> float:
    """Return the largest p-value that records have with at most this probability; 0 if none.

    Records of a share of all are compared with a control of their own, of which each record's own
    value is one more. The probability is a mean over all records. ``upper``: of the other tail.

    Examples
    --------
    >>> two = [Control.of(t, np.full(99, np.inf)) for t in (np.arange(99.0), np.zeros(99))]
    >>> np.isclose(joint_critical(two, [0.5, 0.5], 0.02), upper_tail(np.array(96.0), 1e9))
    np.True_
    """
    weights = [share / (1 + len(each)) for share, each in zip(shares, controls, strict=True)]
    room = level * (1 + 1e-9) - float(np.dot(shares, weights))
    if room < 0:
        return 0.0
    extremes = [
        each.extremes(int(min(room / weight, len(each))) + 1, upper=upper)
        for each, weight in zip(controls, weights, strict=True)
    ]
    values, weight = np.concatenate(extremes), np.repeat(weights, [*map(len, extremes)])
    order = np.argsort(values)
    beyond = np.flatnonzero(np.cumsum(weight[order]) > room)
    if not len(beyond):
        return level
    return float(min(level, np.nextafter(values[order[beyond[0]]], 0)))
