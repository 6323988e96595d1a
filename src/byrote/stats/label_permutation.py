"""Tests of which real rows were training rows, by permutation of the labels.

Each real row has a value, such as the number of synthetic rows to which it is the nearest. Without
a trace of who trained on what, the training rows are a random choice among all real rows, whatever
their numbers and values. (Synthetic rows that share a nearest row are not independent, so binomial
intervals of the share are wrong.)
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from byrote.stats.estimate import Estimate, from_error
from byrote.stats.standard_errors import welch

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_ROUNDING = 1e-12  # of a sum, far above the error of adding in pairs


def permutation_p_values(
    values: Array, included: Flags, *, draws: int, seed: int
) -> tuple[Array, float]:
    """Compute one-sided p-values of s sums over the included rows, and one for all of them.

    The p-value of a sum is (1 + number of random choices with a sum as large) / (1 + draws). Each
    choice has such p-values too. That of all is the share of choices whose smallest p-value is as
    small, so it allows for the number of sums and for their dependence (Westfall & Young 1993).
    Among choices with the same smallest p-value, as many as there are sums, the next smallest
    decides: otherwise all of them would count, and the test err less often than its level.

    Both are valid: without a trace the choice observed and the random ones are exchangeable, and
    their order depends on the set of them alone, so the observed one is among the first k of
    1 + draws with probability k / (1 + draws), or less where choices are equal.

    Parameters
    ----------
    values
        (s, N) values of N rows.
    included
        (N,) whether a row is in the sums.
    draws
        Number of random choices of as many rows.
    seed
        Seed of the choices.

    Returns
    -------
    tuple of numpy.ndarray and float
        (s,) p-values, and the p-value of all together.

    Examples
    --------
    >>> values = np.array([[3.0, 2.0, 0.0, 0.0, 1.0, 0.0]])
    >>> included = np.array([True, True, False, False, False, False])
    >>> p, p_of_all = permutation_p_values(values, included, draws=999, seed=0)
    >>> bool(abs(p[0] - 1 / 15) < 0.03), bool(p[0] == p_of_all)
    (True, True)
    """
    rows, members = len(included), int(included.sum())
    smaller = min(members, rows - members)
    total = values.sum(axis=1)
    generator = np.random.default_rng(seed)
    sums = np.empty((len(values), 1 + draws))
    sums[:, 0] = np.compress(included, values, axis=1).sum(axis=1)
    for draw in range(1, 1 + draws):
        chosen = generator.choice(rows, smaller, replace=False, shuffle=False)
        drawn = np.take(values, chosen, axis=1).sum(axis=1)
        sums[:, draw] = drawn if smaller == members else total - drawn
    grain = _ROUNDING * np.maximum(np.abs(total), 1)[:, None]
    from scipy.stats import rankdata  # noqa: PLC0415 (slow to load)

    as_large = rankdata(-np.round(sums / grain), method="max", axis=1)
    return as_large[:, 0] / (1 + draws), _share_as_extreme(np.sort(as_large, axis=0))


def _share_as_extreme(ordered: Array) -> float:
    """Compute the share of columns not after the first, compared by the first row that differs."""
    signs = np.sign(ordered - ordered[:, :1])
    decisive = np.argmax(signs != 0, axis=0)[None]
    return float(np.mean(np.take_along_axis(signs, decisive, axis=0) <= 0))


def excess(values: Array, included: Flags, of_copy: float = 1.0) -> Estimate:
    """Estimate the part of the total that included rows have beyond their due, (N,) values.

    With r the ratio of the mean over n included rows and over the h others, N = n + h, and a the
    share of a copy of an included row that goes to included rows (``of_copy``), it is

        (n r / (n r + h) - n / N) / (a - n / N):

    the share of synthetic rows that are copies, if all others have training rows and others alike
    for nearest rows. Below 0 the included rows have less. The interval is that of log r, by the
    delta method, with Welch and Satterthwaite's degrees of freedom.

    Examples
    --------
    >>> values = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    >>> round(excess(values, values > 1).value, 3)
    0.333
    """
    inside, outside = values[included], values[~included]
    due = len(inside) / len(values)
    if values.sum() == 0:
        return Estimate(np.nan, reason="no synthetic row counts")
    if of_copy - due <= _ROUNDING:
        return Estimate(np.nan, reason="training and holdout rows are equal")
    if outside.sum() == 0 or inside.sum() == 0:
        only = 1.0 if inside.sum() else -due / (of_copy - due)
        return Estimate(only, reason="all are on one side")
    sides = inside, outside
    errors = [float(side.std(ddof=1) / side.mean() / np.sqrt(len(side))) for side in sides]
    error, degrees = welch(errors, (len(inside) - 1, len(outside) - 1))
    ratio = float(np.log(inside.mean() / outside.mean()))
    logs = from_error(ratio, float(error), float(degrees), units="rows")
    shares = expit(np.array([logs.value, logs.low, logs.high]) + logit(due))
    value, low, high = np.minimum((shares - due) / (of_copy - due), 1).tolist()
    return Estimate(value, low, high, logs.level, reason=logs.reason)


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
    from scipy.stats import hypergeom  # noqa: PLC0415 (slow to load)

    rows, members = len(included), int(included.sum())
    count = int((values[included] > values[~included].max()).sum())
    return count, float(hypergeom.pmf(count, rows, members, count))
