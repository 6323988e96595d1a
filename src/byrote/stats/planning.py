"""What a plan can find before it runs: its size, and how a record's values vary over fits."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from byrote.stats.moderated_test import VariancePrior, detectable_effect
from byrote.stats.negative_control import ENDLESS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sides:
    """Numbers of a record's values in and out of training.

    They are compared within ``blocks``, as the repeats of K-fold, or one by one in ``pairs``.
    """

    inside: float
    outside: float
    pairs: bool = False
    blocks: int = 1

    @property
    def precision(self) -> float:
        """Precision of the difference between the sides, in units of that of a value."""
        return self.inside * self.outside / (self.inside + self.outside)

    @property
    def degrees(self) -> float:
        """Degrees of freedom of the variance of a value."""
        return self.inside - 1 if self.pairs else self.inside + self.outside - self.blocks - 1

    def standard_error(self, spread: float) -> float:
        """Standard error of the mean difference of values with a standard deviation.

        K-fold: ``s sqrt(K / (L (K - 1)))``; F fits, half of them in: ``2 s / sqrt(F)``; P pairs
        with a correlation of rho: ``s sqrt(2 (1 - rho) / P)``, where the spread is that of a
        difference by the square root of 2, ``s sqrt(1 - rho)``.

        Examples
        --------
        >>> round(Sides(90, 10).standard_error(3.0), 6), Sides(8, 8).standard_error(3.0)
        (1.0, 1.5)
        """
        return spread / sqrt(self.precision)

    def detectable(
        self, prior: VariancePrior, level: float, power: float, quantile: float
    ) -> float:
        """Effect with a p-value of at most ``level`` by the moderated test, with that power.

        In a record at this quantile of standard errors. Infinite without degrees of freedom.
        """
        if self.degrees < 1 or self.precision <= 0:
            return float("inf")
        error = self.standard_error(sqrt(prior.moderated_quantile(self.degrees, quantile)))
        degrees = min(prior.degrees + self.degrees, ENDLESS)
        return error * detectable_effect(level, degrees, power)


def conditional_power(t: Array, share: float, level: float) -> Array:
    """Compute the probability that complete data have a p-value of at most ``level``, (m,).

    From one-sided t-values of the first ``share`` of the data, if the true effects are those
    estimated so far (stochastic curtailment: Lan, Simon & Halperin 1982): by the normal law, the
    complete data's statistic has the mean ``t / sqrt(share)`` and the variance ``1 - share``. The
    largest of many estimates is too large, so of a selected record the probability is too high.

    Examples
    --------
    >>> conditional_power(np.array([1.645, 0.0]), 0.5, 0.05).round(2).tolist()
    [0.83, 0.01]
    """
    critical = -ndtri(level)
    return np.asarray(ndtr((t / sqrt(share) - critical) / sqrt(1 - share)))


def typical_deviation(variance: Array, degrees: Array) -> float:
    """Estimate the median standard deviation from estimated variances, (m,) each; NaN if m is 0.

    An estimate with few degrees of freedom lies below its true value more often than above: the
    median of chi-square is less than its mean.

    Examples
    --------
    >>> estimates = 9.0 * np.random.default_rng(0).chisquare(1, size=100_000)
    >>> round(typical_deviation(estimates, np.ones(100_000)), 1)
    3.0
    """
    from scipy.stats import chi2  # noqa: PLC0415 (slow to load)

    if not len(variance):
        return float("nan")
    return float(np.sqrt(np.median(variance * degrees / chi2.ppf(0.5, degrees))))
