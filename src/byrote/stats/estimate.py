"""Estimates with confidence intervals: means, differences, proportions and rank correlations."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri, stdtr, stdtrit

from byrote.stats.ranks import rank_correlation
from byrote.stats.standard_errors import Jackknifed, clustered_error, jackknife_error, welch

Array = NDArray[np.float64]
Clusters = ArrayLike | tuple[ArrayLike, ArrayLike]
LEVEL = 0.95
UNKNOWN = "some values are infinite or unknown"


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval, or the reason for a missing interval.

    Attributes
    ----------
    value
        The estimate; NaN where unknown.
    low, high
        Ends of the interval; NaN where unknown.
    level
        Confidence level of the interval.
    bound
        "at least" or "at most" where the value is only a lower or an upper bound.
    reason
        Why the interval is unknown; empty if it is known.

    Examples
    --------
    >>> effect = Estimate(1.0, 0.5, 1.5)
    >>> effect.interval, effect.sign
    ((0.5, 1.5), 1)
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")
    level: float = LEVEL
    bound: Literal["", "at least", "at most"] = ""
    reason: str = ""

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends."""
        return self.low, self.high

    def within(self, least: float, most: float) -> "Estimate":
        """Cut the interval to what is possible; the true value is, so the level stays.

        Never beyond the estimate itself; NaN is no limit.

        Examples
        --------
        >>> Estimate(28.6, 27.4, 30.1).within(0.0, 29.9).interval
        (27.4, 29.9)
        """
        low = float(min(np.fmax(self.low, least), self.value))
        high = float(max(np.fmin(self.high, most), self.value))
        return self if np.isnan(self.low) else replace(self, low=low, high=high)

    @property
    def sign(self) -> int:
        """1 or -1 if the whole interval is on that side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def mean(
    values: ArrayLike,
    clusters: Clusters | None = None,
    *,
    level: float = LEVEL,
    units: str = "values",
) -> Estimate:
    """Estimate a mean with Student's interval, cluster-robust where clusters are given.

    Parameters
    ----------
    values
        (n,) independent of one another, except within a cluster.
    clusters
        (n,) cluster of each value, or two such arrays for values clustered two ways, such as by
        record and by fit. The degrees of freedom are one less than the number of clusters, of the
        kind with fewer.
    level
        Confidence level.
    units
        What the values or clusters are, in the plural, for ``reason``.

    Examples
    --------
    >>> average = mean([1.0, 2.0, 3.0])
    >>> average.value, round(average.low, 3), round(average.high, 3)
    (2.0, -0.484, 4.484)
    >>> twice = mean([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], clusters=[0, 0, 1, 1, 2, 2])
    >>> bool(np.allclose(twice.interval, average.interval))
    True
    >>> mean([1.0], units="fits").reason
    'an interval needs two fits or more'
    """
    sample = np.asarray(values, np.float64)
    if len(sample) == 0:
        return Estimate(np.nan, level=level, reason=f"none of the {units} has a value")
    if not np.isfinite(sample).all():
        both = np.isposinf(sample).any() and np.isneginf(sample).any()
        return Estimate(np.nan if both else float(sample.mean()), level=level, reason=UNKNOWN)
    centre = float(sample.mean())
    error, count = _error_of_mean(sample, clusters)
    return from_clusters(centre, error, count, level=level, units=units)


def from_clusters(
    value: float, error: float, count: int, *, level: float = LEVEL, units: str
) -> Estimate:
    """Compute Student's interval of a mean from its standard error over this many clusters."""
    if count < 2:
        return Estimate(value, level=level, reason=f"an interval needs two {units} or more")
    half = float(stdtrit(count - 1, (1 + level) / 2)) * error
    return Estimate(value, value - half, value + half, level)


def _error_of_mean(sample: Array, clusters: Clusters | None) -> tuple[float, int]:
    """Compute the standard error, and the number of clusters behind it."""
    if isinstance(clusters, tuple):
        first, second = (np.unique(np.asarray(c), return_inverse=True)[1] for c in clusters)
        return clustered_error((sample - sample.mean()) / len(sample), first, second)
    cluster = np.arange(len(sample))
    if clusters is not None:
        _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    count = int(cluster.max()) + 1
    if count < 2:
        return float("nan"), count
    sums = np.bincount(cluster, sample - sample.mean())
    return float(np.sqrt(count / (count - 1) * (sums @ sums)) / len(sample)), count


def from_error(
    value: float, error: float, degrees: float, *, level: float = LEVEL, units: str = "values"
) -> Estimate:
    """Compute Student's interval of a value from its standard error and degrees of freedom.

    Examples
    --------
    >>> from_error(2.0, float("nan"), 0, units="repeats").reason
    'an interval needs more repeats'
    """
    if not np.isfinite(value):
        return Estimate(value, level=level, reason=UNKNOWN)
    if not (np.isfinite(error) and degrees > 0):
        return Estimate(value, level=level, reason=f"an interval needs more {units}")
    low, high = student_interval(value, error, degrees, level).tolist()
    return Estimate(value, low, high, level)


def difference(
    first: Jackknifed,
    second: Jackknifed,
    *,
    paired: bool = False,
    level: float = LEVEL,
    units: str = "values",
) -> Estimate:
    """Estimate first minus second with Student's interval.

    The jackknife of paired estimates left out the same units in the same order, so what they share
    cancels. Otherwise variances add, with Welch and Satterthwaite's degrees of freedom.

    Examples
    --------
    >>> first = Jackknifed(2.0, np.array([0.1, -0.3, 0.2]), 2)
    >>> second = Jackknifed(1.0, np.array([0.1, -0.3, 0.1]), 2)
    >>> difference(first, second).sign, difference(first, second, paired=True).sign
    (0, 1)
    """
    with np.errstate(invalid="ignore"):  # of infinite values
        value = float(np.subtract(first.value, second.value))
    if paired:
        error = float(jackknife_error(first.changes - second.changes))
        return from_error(value, error, first.degrees, level=level, units=units)
    errors, degrees = welch([first.error, second.error], [first.degrees, second.degrees])
    return from_error(value, float(errors), float(degrees), level=level, units=units)


def proportion(successes: int, trials: int, *, level: float = LEVEL) -> Estimate:
    """Estimate a proportion with Wilson's score interval (Wilson 1927).

    Examples
    --------
    >>> share = proportion(9, 10)
    >>> share.value, round(share.low, 4), round(share.high, 4)
    (0.9, 0.5958, 0.9821)
    """
    if trials == 0:
        return Estimate(np.nan, level=level, reason="there are no trials")
    k, n, z = int(successes), int(trials), float(ndtri((1 + level) / 2))
    centre = (k + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2)
    low, high = (0.0 if k == 0 else centre - half), (1.0 if k == n else centre + half)
    return Estimate(successes / trials, float(low), float(high), level)


def spearman(x: Array, y: Array, *, level: float = LEVEL) -> Estimate:
    """Estimate Spearman's rank correlation over the pairs in which neither value is NaN.

    The interval is Fisher's, ``tanh(artanh r -+ z sqrt((1 + r^2 / 2) / (n - 3)))``, with the
    variance of Bonett & Wright (2000), which also holds for dependent variables. Infinite values
    are ranked. NaN with fewer than four pairs, or where one variable does not vary.

    Examples
    --------
    >>> x = np.arange(10.0)
    >>> r = spearman(x, np.array([1.0, 0, 2, 3, 5, 4, 6, 9, 8, 7]))
    >>> round(r.value, 4), round(r.low, 4), round(r.high, 4)
    (0.9273, 0.6368, 0.9872)
    """
    known = ~(np.isnan(x) | np.isnan(y))
    first, second = x[known], y[known]
    if len(first) < 4:
        return Estimate(np.nan, level=level, reason="a correlation needs four pairs or more")
    if (first == first[0]).all() or (second == second[0]).all():
        return Estimate(np.nan, level=level, reason="one of the variables does not vary")
    r = float(np.clip(rank_correlation(first, second), -1, 1))
    half = float(ndtri((1 + level) / 2)) * np.sqrt((1 + r * r / 2) / (len(first) - 3))
    with np.errstate(divide="ignore"):
        centre = np.arctanh(r)
    return Estimate(r, float(np.tanh(centre - half)), float(np.tanh(centre + half)), level)


def student_interval(
    value: ArrayLike, error: ArrayLike, degrees: ArrayLike, level: float = LEVEL
) -> Array:
    """Compute Student's intervals, (...,) -> (..., 2); of no width where the error is 0.

    Examples
    --------
    >>> student_interval(1.0, 0.5, 9).round(2).tolist()
    [-0.13, 2.13]
    """
    centre, spread = np.asarray(value, np.float64), np.asarray(error, np.float64)
    known = np.where(np.asarray(degrees) > 0, degrees, np.nan)
    half = np.where(spread == 0, 0.0, stdtrit(known, (1 + level) / 2) * spread)
    with np.errstate(invalid="ignore"):  # of infinite values
        return np.stack([centre - half, centre + half], axis=-1)


def student_p_value(value: ArrayLike, error: ArrayLike, degrees: ArrayLike) -> Array:
    """Compute Student's two-sided p-values of "the true value is 0", (...,).

    With a standard error of 0 the p-value is 1 at 0 and 0 elsewhere.

    Examples
    --------
    >>> student_p_value([1.0, 0.0], 0.5, 9).round(3).tolist()
    [0.077, 1.0]
    """
    centre, spread = np.asarray(value, np.float64), np.asarray(error, np.float64)
    known = np.where(np.asarray(degrees) > 0, degrees, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(known, -np.abs(centre) / spread)
    certain = np.where(np.isnan(centre), np.nan, (centre == 0).astype(float))
    return np.where(spread == 0, certain, p)


def clopper_pearson(
    successes: ArrayLike, trials: ArrayLike, *, level: float = LEVEL
) -> tuple[Array, Array]:
    """Compute exact limits of proportions (Clopper & Pearson 1934), (...,) each.

    Counts need not be whole, unlike those of ``scipy.stats.binomtest``: for clustered trials use
    their effective number (Korn & Graubard 1998).

    Examples
    --------
    >>> low, high = clopper_pearson([0, 9], 10)
    >>> print(low.round(4), high.round(4))
    [0.    0.555] [0.3085 0.9975]
    """
    k, n = np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    failures, tail = np.asarray(n - k), (1 - level) / 2
    low = np.where(k <= 0, 0.0, betaincinv(k, failures + 1, tail))
    high = np.where(failures <= 0, 1.0, betaincinv(k + 1, failures, 1 - tail))
    return low, high
