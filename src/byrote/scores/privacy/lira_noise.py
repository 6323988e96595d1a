"""The error that noise shared by LiRA's reference fits adds to its rates.

A fit that is attacked is also a reference for all others. Where a fit shifts all of its records, or
a few values are outliers, one fit changes the scores of many, and sums of influences miss that. A
jackknife over fits, as attacked ones and as references, does not. It overstates the error where
nothing is shared (by half, without memorization), so it applies only where the table shows that
much is.
"""

import numpy as np
from numpy.typing import NDArray

from byrote.stats.lira import log_ratio
from byrote.stats.roc import auc, tpr_at
from byrote.stats.standard_errors import jackknife_error

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Units = NDArray[np.intp]

GROUPS = 10  # of fits, left out one at a time
SHARED = 0.1  # share of the variance that is a fit's own shift of all records
HEAVY = 1.25  # kurtosis of a record's values, in units of that of normal ones


def has_shared_noise(values: Array, member: Flags) -> bool:
    """Whether fits shift all of their records, or values have heavy tails; (F, n) each."""
    rest, known = np.zeros_like(values), ~np.isnan(values)
    for side in (known & member, known & ~member):
        some = np.where(side, values, 0.0)
        mean = some.sum(axis=0) / np.maximum(side.sum(axis=0), 1)
        rest = np.where(side, values - mean, rest)
    total = (rest**2).sum() / max(1, known.sum())
    if not total:
        return False
    size = np.maximum(known.sum(axis=1, keepdims=True), 1)
    shift = rest.sum(axis=1, keepdims=True) / size
    common = np.mean(shift**2 - total / size) / total
    rest = np.where(known, rest - shift, 0.0)
    count = known.sum(axis=0)
    some = (count >= 4) & (rest != 0).any(axis=0)
    if not some.any():
        return bool(common > SHARED)
    squares = rest[:, some] ** 2
    moments = [each.sum(axis=0) / count[some] for each in (squares, squares**2)]
    normal = 3 * (count[some] - 1) / (count[some] + 1)
    return bool(common > SHARED or np.mean(moments[1] / moments[0] ** 2 / normal) > HEAVY)


def shared_noise_errors(
    values: Array, member: Flags, unit: Units, *, enough: int, rates: tuple[float, ...]
) -> Array:
    """Jackknife LiRA's area and true-positive rates over groups of fits: (1 + rates,) errors.

    Zero where no noise is shared; NaN where a replicate has no scores.
    """
    if not has_shared_noise(values, member):
        return np.zeros(1 + len(rates))
    _, place = np.unique(unit, return_inverse=True)
    group = place % min(GROUPS, int(place.max()) + 1)
    replicates = []
    for left_out in np.unique(group):
        kept = group != left_out
        scores = log_ratio(values[kept], member[kept], enough=enough, unit=unit[kept])
        scored = ~np.isnan(scores)
        known = scores[scored], member[kept][scored]
        replicates.append([auc(*known), *(tpr_at(*known, rate) for rate in rates)])
    return jackknife_error(np.array(replicates).T)
