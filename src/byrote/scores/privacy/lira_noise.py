"""The error that noise shared by LiRA's reference fits adds to its rates.

A fit that is attacked is also a reference for all others. Where a fit shifts all of its records, or
a few values are outliers, one fit changes the scores of many, and sums of influences miss that. A
jackknife over fits, as attacked ones and as references, does not. It overstates the error where
nothing is shared (by half, without memorization), so it applies only where the table shows that
much is.
"""

import numpy as np
from numpy.typing import NDArray

from byrote.stats import two_sides
from byrote.stats.cells import Cells
from byrote.stats.lira import log_ratio
from byrote.stats.roc import area, tpr
from byrote.stats.standard_errors import jackknife_error
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Units = NDArray[np.intp]

GROUPS = 10  # of fits, left out one at a time
SHARED = 0.1  # share of the variance that is a fit's own shift of all records
HEAVY = 1.25  # kurtosis of a record's values, in units of that of normal ones
SAMPLED = 100_000  # records, evenly spaced, that show both


def has_shared_noise(values: Array, member: Flags) -> bool:
    """Whether fits shift all of their records, or values have heavy tails; (F, n) each."""
    step = max(1, values.shape[1] // SAMPLED)
    values, member = values[:, ::step], member[:, ::step]
    known = np.array([np.count_nonzero(~np.isnan(row)) for row in values])
    size = np.maximum(known, 1)

    def spread(block: slice) -> tuple[float, Array]:
        rest = _less_side_means(values[:, block], member[:, block])
        return float((rest**2).sum()), rest.sum(axis=1)

    squares, sums = 0.0, np.zeros(len(values))
    for of_squares, of_fits in in_order(spread, two_sides.blocks(values), size=values.size):
        squares, sums = squares + of_squares, sums + of_fits
    if not squares:
        return False
    total, shift = squares / known.sum(), sums / size
    if np.mean(shift**2 - total / size) / total > SHARED:
        return True

    def kurtosis(block: slice) -> Array:
        return _kurtosis(values[:, block], member[:, block], shift[:, None])

    ratio = np.concatenate([*in_order(kurtosis, two_sides.blocks(values), size=values.size)])
    return bool(len(ratio) and ratio.mean() > HEAVY)


def _less_side_means(values: Array, member: Flags) -> Array:
    """Subtract from values, (F, m), the mean of the record's on the same side; 0 where unknown."""
    rest, known = np.zeros_like(values), ~np.isnan(values)
    for side in (known & member, known & ~member):
        mean = values.sum(axis=0, where=side) / np.maximum(side.sum(axis=0), 1)
        np.subtract(values, mean, out=rest, where=side)
    return rest


def _kurtosis(values: Array, member: Flags, shift: Array) -> Array:
    """Compute kurtoses of records with values enough, without shifts, in units of normal ones."""
    known = ~np.isnan(values)
    rest = np.where(known, _less_side_means(values, member) - shift, 0.0)
    count = known.sum(axis=0)
    some = (count >= 4) & (rest != 0).any(axis=0)
    squares, count = rest[:, some] ** 2, count[some]
    second, fourth = (each.sum(axis=0) / count for each in (squares, squares**2))
    return np.asarray(fourth / second**2 / (3 * (count - 1) / (count + 1)))


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
        members, units = member[kept], unit[kept]
        scores = log_ratio(values[kept], members, enough=enough, unit=units)
        cells = Cells(scores, members, units)
        replicates.append([area(cells), *(tpr(cells, rate) for rate in rates)])
    return jackknife_error(np.array(replicates).T)
