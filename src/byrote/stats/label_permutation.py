"""Tests of which real rows were training rows, by permutation of the labels.

Each real row has a value, such as the number of synthetic rows to which it is the nearest. Without
a trace of who trained on what, the training rows are a random choice among all real rows, whatever
their numbers and values. (Synthetic rows that share a nearest row are not independent, so binomial
intervals of the share are wrong.)
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from byrote.stats.estimate import Estimate, from_error
from byrote.stats.standard_errors import welch

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_ROUNDING = 1e-13  # of a sum


def permutation_p_values(values: Array, included: Flags, *, draws: int, seed: int) -> Array:
    """Compute one-sided p-values of the sum over the included rows, (s, N) -> (s,).

    The p-value is (1 + number of random choices with a sum as large) / (1 + draws).

    Examples
    --------
    >>> values = np.array([[3.0, 2.0, 0.0, 0.0, 1.0, 0.0]])
    >>> included = np.array([True, True, False, False, False, False])
    >>> p = permutation_p_values(values, included, draws=999, seed=0)
    >>> bool(abs(p[0] - 1 / 15) < 0.03)
    True
    """
    rows, members = len(included), int(included.sum())
    smaller = min(members, rows - members)
    total = values.sum(axis=1)
    observed = values[:, included].sum(axis=1)
    generator = np.random.default_rng(seed)
    above = np.zeros(len(values))
    for _ in range(draws):
        drawn = values[:, generator.choice(rows, smaller, replace=False, shuffle=False)].sum(axis=1)
        sums = drawn if smaller == members else total - drawn
        above += sums >= observed - _ROUNDING * np.abs(total)
    return np.asarray((1 + above) / (1 + draws))


def excess(values: Array, included: Flags) -> Estimate:
    """Estimate the part of the total that included rows have beyond their due, (N,) values.

    With r the ratio of the mean over n included rows and over the h others, it is
    n (r - 1) / (n r + h): the share of synthetic rows that are copies, if all others have training
    rows and others alike for nearest rows. Below 0 the included rows have less. The interval is
    that of log r, by the delta method, with Welch and Satterthwaite's degrees of freedom.

    Examples
    --------
    >>> values = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    >>> excess(values, values > 1).value
    0.3333333333333333
    """
    inside, outside = values[included], values[~included]
    n, h = len(inside), len(outside)
    if values.sum() == 0:
        return Estimate(np.nan, reason="no synthetic row counts")
    if outside.sum() == 0 or inside.sum() == 0:
        only = 1.0 if inside.sum() else -n / h
        return Estimate(only, reason="all are on one side")
    ratio = inside.mean() / outside.mean()
    errors = [
        float(side.std(ddof=1) / side.mean() / np.sqrt(len(side))) for side in (inside, outside)
    ]
    error, degrees = welch(errors, (n - 1, h - 1))
    logs = from_error(float(np.log(ratio)), float(error), float(degrees), units="rows")
    value, low, high = (_excess(r, n, h) for r in np.exp([logs.value, logs.low, logs.high]))
    return Estimate(value, low, high, logs.level, reason=logs.reason)


def _excess(ratio: float, n: int, h: int) -> float:
    return float(n * (ratio - 1) / (n * ratio + h))


def conformal_p_values(values: Array, included: Flags) -> Array:
    """Compute p-values of each included row against the others, (N,) -> (n,).

    The p-value is (1 + number of other rows with a value as large) / (1 + number of other rows).
    Benjamini and Hochberg's procedure controls the false discovery rate of such p-values, though
    they depend on one another (Bates et al. 2023).

    Examples
    --------
    >>> values = np.array([5.0, 0.0, 1.0, 0.0, 0.0])
    >>> conformal_p_values(values, np.array([True, True, False, False, False])).tolist()
    [0.25, 1.0]
    """
    others = np.sort(values[~included])
    above = len(others) - np.searchsorted(others, values[included], side="left")
    return np.asarray((1 + above) / (1 + len(others)))


def beyond_maximum(values: Array, included: Flags) -> tuple[int, float]:
    """Count the included rows above the maximum of the others, with the exact p-value, (N,) values.

    The p-value is the probability that a random choice of n of the N rows has the k largest values
    or more: n (n - 1) ... (n - k + 1) / (N (N - 1) ... (N - k + 1)).

    Examples
    --------
    >>> values = np.array([5.0, 3.0, 1.0, 0.0])
    >>> beyond_maximum(values, np.array([True, True, False, False]))
    (2, 0.16666666666666666)
    """
    rows, members = len(included), int(included.sum())
    count = int((values[included] > values[~included].max()).sum())
    return count, float(hypergeom.pmf(count, rows, members, count))
