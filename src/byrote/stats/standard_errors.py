"""Standard errors: jackknife, clustered, and of sums of independent estimates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Jackknifed:
    """An estimate with its leave-one-unit-out replicates.

    Attributes
    ----------
    value
        The estimate.
    changes
        (G,) change of the estimate when one unit, such as a fit, is left out.
    degrees
        Degrees of freedom of the standard error.
    """

    value: float
    changes: Array
    degrees: float

    @property
    def error(self) -> float:
        """Jackknife standard error."""
        return float(jackknife_error(self.changes))


def jackknife_error(replicates: Array) -> Array:
    """Compute the jackknife standard error of an estimate, (..., G) -> (...).

    With G replicates r_g, each computed without unit g,
    ``se^2 = (G - 1) / G * sum_g (r_g - mean(r))^2`` (Tukey 1958). NaN where G < 2 or a replicate is
    not finite.

    Examples
    --------
    For a plain mean the jackknife is the textbook standard error:

    >>> x = np.array([1.0, 2.0, 4.0])
    >>> bool(np.isclose(jackknife_error((x.sum() - x) / 2), x.std(ddof=1) / np.sqrt(3)))
    True
    """
    count = replicates.shape[-1]
    if count < 2:
        return np.full(replicates.shape[:-1], np.nan)
    with np.errstate(invalid="ignore"):
        deviations = replicates - replicates.mean(axis=-1, keepdims=True)
        squared = (deviations**2).sum(axis=-1) * (count - 1) / count
    return np.sqrt(np.where(np.isfinite(squared), squared, np.nan))


def welch(errors: Sequence[ArrayLike], degrees: Sequence[ArrayLike]) -> tuple[Array, Array]:
    """Compute error and degrees of freedom of a sum or difference of independent estimates.

    Variances add; the degrees are Welch and Satterthwaite's,
    ``(sum v_k)^2 / sum(v_k^2 / d_k)`` for variances v_k with d_k degrees; NaN if all are zero.

    Examples
    --------
    >>> error, degrees = welch([3.0, 4.0], [9.0, 9.0])
    >>> float(error), round(float(degrees), 2)
    (5.0, 16.69)
    """
    variances = [np.asarray(error, np.float64) ** 2 for error in errors]
    total = np.asarray(sum(variances))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [
            np.where(v == 0, 0.0, v**2 / np.asarray(d, np.float64))
            for v, d in zip(variances, degrees, strict=True)
        ]
        return np.sqrt(total), np.asarray(total**2 / sum(terms))


def clustered_error(
    influence: Array, record: Ids, fit: Ids, member: Flags | None = None
) -> tuple[float, int]:
    """Compute a standard error from influences correlated within records and within fits.

    The variance over records plus that over fits less that over cells (Cameron, Gelbach & Miller
    2011); with a single fit, that over records.

    Parameters
    ----------
    influence, record, fit
        (N,) influence of each cell on the estimate, and its record and fit.
    member
        (N,) whether the cell is a member's, for estimates that compare members with others.

    Returns
    -------
    The error, NaN where unknown, and the number of clusters behind it: records or fits, whichever
    are fewer, on the side of the comparison that has fewer.
    """
    records, fits = (fewest_clusters(clusters, member) for clusters in (record, fit))
    by_record = _variance(influence, record, records)
    if distinct(fit) == 1:
        return float(np.sqrt(by_record)), records
    by_fit, by_cell = _variance(influence, fit, fits), float(influence @ influence)
    total = np.max([by_record + by_fit - by_cell, by_record, by_fit])  # NaN if one is
    return float(np.sqrt(total)), min(records, fits)


def clustered_proportion_error(
    hits: tuple[Ids, Ids], trials: tuple[Ids, Ids], sides: Sequence[tuple[Ids, Ids]]
) -> float:
    """Compute the standard error of a share of hits, as ``clustered_error`` does, from counts.

    hits, trials: number of each by record, and by fit. sides: numbers of cells of members and of
    others, likewise.
    """
    size = float(trials[0].sum())
    share = float(hits[0].sum()) / size
    clusters = (int(min(map(np.count_nonzero, each))) for each in zip(*sides, strict=True))
    by_record, by_fit = (
        _of_sums((of_hits - share * of_trials) / size, count)
        for of_hits, of_trials, count in zip(hits, trials, clusters, strict=True)
    )
    if np.count_nonzero(sum(fits for _, fits in sides)) == 1:
        return float(np.sqrt(by_record))
    by_cell = share * (1 - share) / size
    return float(np.sqrt(np.max([by_record + by_fit - by_cell, by_record, by_fit])))


def fewest_clusters(clusters: Ids, member: Flags | None = None) -> int:
    """Count clusters on the side that has fewer."""
    sides = [clusters] if member is None else [clusters[member], clusters[~member]]
    return min(map(distinct, sides))


def distinct(numbers: Ids) -> int:
    """Count the different of (N,) numbers from 0."""
    return int(np.count_nonzero(np.bincount(numbers)))


def _variance(influence: Array, cluster: Ids, count: int) -> float:
    sums = np.asarray(np.bincount(cluster, weights=influence), np.float64)
    sums = sums[np.bincount(cluster) > 0]
    return _of_sums(sums, count)


def _of_sums(sums: Array, count: int) -> float:
    return float((sums**2).sum()) * count / (count - 1) if count > 1 else np.nan
