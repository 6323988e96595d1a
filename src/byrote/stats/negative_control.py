"""A negative control: p-values of a test where its null hypothesis holds by construction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from byrote.stats.threads import in_order

Array = NDArray[np.float64]
ENDLESS = 1e9  # degrees of freedom at which Student's law is the normal one
_TINY = float(np.finfo(float).tiny)


def upper_tail(t: Array, degrees: Array | float) -> Array:
    """Compute one-sided p-values of Student's t, never quite 0."""
    return np.maximum(stdtr(np.minimum(degrees, ENDLESS), -t), _TINY)


@dataclass(frozen=True, eq=False)
class Control:
    """Student's p-values where the null hypothesis holds by construction, N in all.

    There may be millions, and Student's law is slow: it is computed only where it is asked for.
    ``t_values`` holds sets of t-values with their number of degrees of freedom, each in descending
    order, which is the ascending order of p-values.
    """

    t_values: Sequence[tuple[float, Array]]

    @classmethod
    def of(cls, t: Array, degrees: Array) -> "Control":
        """Make a control of t-values and their degrees of freedom, (N,) each."""
        sets = ((each, t[degrees == each]) for each in np.unique(degrees).tolist())
        return cls([(each, descending(values)) for each, values in sets])

    @classmethod
    def joined(cls, controls: Iterable["Control"]) -> "Control":
        """Make a control of all values of several, which it shares with them."""
        return cls([values for each in controls for values in each.t_values])

    def __len__(self) -> int:
        return sum(len(t) for _, t in self.t_values)

    def calibrate(self, p_values: Array, t: Array | None = None) -> Array:
        """Return the larger of each p-value and the share of control values as small.

        ``t``: (m,) the t-values that have these p-values, if known; control values are then as
        small nearly where they are as far out, and few are looked at.
        """
        return np.maximum(p_values, (1 + self._as_small(p_values, t)) / (1 + len(self)))

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
        extreme = np.concatenate([upper_tail(t[ends], d) for d, t in self.t_values])
        return np.sort(1 - extreme if upper else extreme)[:count]

    def _as_small(self, p_values: Array, near: Array | None = None) -> NDArray[np.intp]:
        """Count the control values of at most each of (m,) p-values."""
        counts = (_as_small(p_values, t, degrees, near) for degrees, t in self.t_values)
        return sum(counts, start=np.zeros(len(p_values), np.intp))


def descending(values: Array) -> Array:
    """Sort an array in place, the largest first, and return it."""
    np.negative(values, out=values)
    values.sort()
    return np.negative(values, out=values)


def _as_small(p_values: Array, t: Array, degrees: float, near: Array | None) -> NDArray[np.intp]:
    """Count, for each of (m,) p-values, the descending t-values whose p-value is at most that.

    By bisection, which begins beside the t-values ``near``, (m,), if they are given.
    """
    low, high = np.zeros(len(p_values), np.intp), np.full(len(p_values), len(t))

    def split(rows: NDArray[np.intp], middle: NDArray[np.intp]) -> None:
        below = upper_tail(t[middle], degrees) <= p_values[rows]
        low[rows[below]] = middle[below] + 1
        high[rows[~below]] = middle[~below]

    if near is not None:
        place = len(t) - np.searchsorted(t[::-1], near)
        for beside in (place - 1, place):
            rows = np.flatnonzero((low <= beside) & (beside < high))
            split(rows, beside[rows])
    while len(rows := np.flatnonzero(low < high)):
        split(rows, (low[rows] + high[rows]) // 2)
    return low


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

    def extremes_of(place: int) -> Array:
        each, weight = controls[place], weights[place]
        return each.extremes(int(min(room / weight, len(each))) + 1, upper=upper)

    size = int(level * sum(map(len, controls)))
    extremes = [*in_order(extremes_of, range(len(controls)), size=size)]
    values, weight = np.concatenate(extremes), np.repeat(weights, [*map(len, extremes)])
    order = np.argsort(values)
    beyond = np.flatnonzero(np.cumsum(weight[order]) > room)
    if not len(beyond):
        return level
    return float(min(level, np.nextafter(values[order[beyond[0]]], 0)))
