"""The moderated t-test: single records found with few fits.

A record's few values say little about their own spread, but the spreads of many records say much
about it. Each record's variance is drawn toward a common one (Smyth 2004, "Linear models and
empirical Bayes methods for assessing differential expression in microarray experiments"), and the
difference between its values on two sides is compared with Student's t, with the degrees of freedom
that this adds. Student's law assumes roughly normal values; log-likelihoods are often skewed.
Therefore the same statistic is also computed where the null hypothesis holds by construction, the
negative control, and a p-value is the larger of Student's and of the share of control values that
are as extreme.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, digamma, ndtr, polygamma, stdtrit

from byrote.stats.negative_control import upper_tail
from byrote.stats.roots import decreasing_root

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]
_ROUNDING = 1e-13  # share of a sum of squares that is rounding
_QUANTILES = 1000  # of chi-squared, over which a power is averaged


@dataclass(frozen=True, eq=False)
class Contrast:
    """Differences between two sides of m records, (m,) each.

    Attributes
    ----------
    effect
        Weighted mean difference.
    precision
        The variance of the effect is ``variance / precision``.
    variance
        Estimated variance of a value of weight 1.
    degrees
        Degrees of freedom of ``variance``.
    """

    effect: Array
    precision: Array
    variance: Array
    degrees: Array

    @classmethod
    def concatenate(cls, parts: Iterable["Contrast"]) -> "Contrast":
        """Join contrasts of several sets of records."""
        nothing = np.empty(0)
        empty = cls(nothing, nothing, nothing, nothing)
        columns = zip(*(part.columns() for part in (empty, *parts)), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def take(self, records: Flags) -> "Contrast":
        """Keep some of the records."""
        if records.all():
            return self
        return Contrast(*(column[records] for column in self.columns()))

    def columns(self) -> tuple[Array, Array, Array, Array]:
        """Return the columns in the order of the attributes."""
        return self.effect, self.precision, self.variance, self.degrees


def two_sample_contrast(
    values: Array, member: Flags, weight: Array, block: Indices | None = None
) -> Contrast:
    """Compare each record's values on one side with those on the other.

    Parameters
    ----------
    values
        (m, c); infinite ones give a variance of NaN.
    member
        (c,) whether a value is on the first side.
    weight
        (m, c) precision of each value, in any unit.
    block
        (c,) values are compared within blocks, numbered from 0; default: one block. At least one
        block has values on both sides.
    """
    return split_contrasts(values, member[None], weight, block)


def split_contrasts(
    values: Array, members: Flags, weight: Array, block: Indices | None = None
) -> Contrast:
    """Compare each record's values on two sides, for each of several splits; (m k,) in all.

    ``members`` is (k, c), a split a row; the others as for ``two_sample_contrast``. The effect is
    the least-squares coefficient of the side beside one of each block.
    """
    numbers = np.zeros(1, np.intp) if block is None else np.unique(block)
    precision, product = np.zeros((2, len(values), len(members)))
    squares = np.zeros((len(values), 1))
    with np.errstate(invalid="ignore", divide="ignore"):  # of infinite values
        values = values - values.mean(axis=1, keepdims=True)  # large levels would cost digits
        for number in numbers:
            columns = slice(None) if len(numbers) == 1 else block == number
            w, y, x = weight[:, columns], values[:, columns], members.T[columns].astype(np.float64)
            whole = w.sum(axis=1, keepdims=True)
            y = y - (w * y).sum(axis=1, keepdims=True) / whole
            wx, wy = w @ x, w * y
            precision += wx * (1 - wx / whole)
            product += wy @ x
            squares += np.einsum("ij,ij->i", wy, y)[:, None]
        effect, degrees = product / precision, values.shape[1] - len(numbers) - 1.0
        variance = (squares - effect * product) / degrees
        variance = np.where(variance > _ROUNDING * squares, variance, 0.0)
    return Contrast(
        effect.ravel(), precision.ravel(), variance.ravel(), np.broadcast_to(degrees, variance.size)
    )


def one_sample_contrast(differences: Array, weight: Array) -> Contrast:
    """Compare each record's differences between the two sides with zero, (m, c) each."""
    return sign_contrasts(differences, np.ones((1, differences.shape[1])), weight)


def sign_contrasts(differences: Array, signs: Array, weight: Array) -> Contrast:
    """Compare each record's differences with zero, for each of several choices of signs; (m k,).

    ``signs`` is (k, c), of 1 and -1; the others as for ``one_sample_contrast``.
    """
    weighted, degrees = weight * differences, differences.shape[1] - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = weight.sum(axis=1, keepdims=True)
        squares = np.einsum("ij,ij->i", weighted, differences)[:, None]
        total = weighted @ signs.T
        variance = (squares - total**2 / whole) / degrees
        variance = np.where(variance > _ROUNDING * squares, variance, 0.0)
        effect = total / whole
    precision = np.broadcast_to(whole, effect.shape)
    return Contrast(
        effect.ravel(), precision.ravel(), variance.ravel(), np.broadcast_to(degrees, variance.size)
    )


@dataclass(frozen=True)
class VariancePrior:
    """Variances of records follow ``variance * F(degrees of a record, degrees)``."""

    variance: float
    degrees: float

    def moderate(self, contrast: Contrast) -> tuple[Array, Array]:
        """Draw variances toward the common one; return them and their degrees of freedom."""
        degrees = self.degrees + contrast.degrees
        share = contrast.degrees / degrees  # 0 where the prior is certain
        return (1 - share) * self.variance + share * contrast.variance, degrees

    def moderated_quantile(self, degrees: float, quantile: float) -> float:
        """Quantile over records of moderated variances, each from ``degrees`` degrees of freedom.

        Examples
        --------
        >>> VariancePrior(4.0, np.inf).moderated_quantile(10, 0.95)
        4.0
        >>> round(VariancePrior(4.0, 10).moderated_quantile(10, 0.5), 6)
        4.0
        """
        from scipy.stats import f  # noqa: PLC0415 (slow to load)

        if np.isinf(self.degrees):
            return self.variance
        ratio = float(f.ppf(quantile, degrees, self.degrees))
        return self.variance * (self.degrees + degrees * ratio) / (self.degrees + degrees)


def fit_prior(variance: Array, degrees: Array) -> VariancePrior:
    """Fit the prior by the mean and variance of log-variances (Smyth 2004, Section 6.2).

    Parameters
    ----------
    variance, degrees
        (m,) positive, of records.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> true = 4.0 / (generator.chisquare(10, size=20_000) / 10)
    >>> prior = fit_prior(true * generator.chisquare(6, size=20_000) / 6, np.full(20_000, 6.0))
    >>> round(prior.variance, 1), round(prior.degrees)
    (4.0, 10)
    """
    half = degrees / 2
    log = np.log(variance) - digamma(half) + np.log(half)
    distinct, count = np.unique(half, return_counts=True)  # few, and trigamma is slow
    excess = float(log.var(ddof=1) - np.average(polygamma(1, distinct), weights=count))
    if excess <= 0:
        return VariancePrior(float(np.exp(log.mean())), np.inf)
    prior = inverse_trigamma(excess)
    return VariancePrior(float(np.exp(log.mean() + digamma(prior) - np.log(prior))), 2 * prior)


def inverse_trigamma(value: float) -> float:
    """Solve ``trigamma(x) = value`` for positive x.

    Examples
    --------
    >>> round(inverse_trigamma(float(polygamma(1, 2.5))), 9)
    2.5
    """
    # 1/x + 1/(2 x^2) < trigamma(x) < 1/x + 1/x^2 brackets the root.
    low, high = (1 + np.sqrt(1 + 2 * value)) / (2 * value), (1 + np.sqrt(1 + 4 * value)) / 2 / value
    return decreasing_root(lambda x: float(polygamma(1, x)) - value, low, high)


def student_p_values(contrast: Contrast, prior: VariancePrior) -> Array:
    """Compute one-sided p-values of "the effect is not positive", (m,)."""
    return upper_tail(*moderated_t(contrast, prior))


def moderated_t(contrast: Contrast, prior: VariancePrior) -> tuple[Array, Array]:
    """Compute t-values of contrasts and their degrees of freedom, (m,) each."""
    variance, degrees = prior.moderate(contrast)
    return contrast.effect * np.sqrt(contrast.precision / variance), degrees


def detectable_effect(critical: float, degrees: float, power: float) -> float:
    """Effect, in standard errors, whose p-value is at most ``critical`` with that power.

    Examples
    --------
    A test at 5 % with many degrees of freedom has 80 % power at 1.645 + 0.842 errors:

    >>> round(detectable_effect(0.05, 1e6, 0.8), 3)
    2.486
    """
    if critical <= 0:
        return float("inf")
    degrees = min(degrees, 1e6)
    threshold = -float(stdtrit(degrees, critical))
    # The t-value is (Z + shift) / s: its power is averaged over quantiles of s, in place of the
    # noncentral t, whose series fail far in the tails.
    middles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    least = threshold * np.sqrt(chdtri(degrees, 1 - middles) / degrees)

    def lack(shift: float) -> float:
        return power - float(ndtr(shift - least).mean())

    return decreasing_root(lack, -10.0, float(least.max()) + 10)
