"""Standard errors: jackknife, clustered, and of sums of independent estimates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
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
    with np.errstate(invalid="ignore"):
        mean = replicates.sum(axis=-1, keepdims=True) / max(1, replicates.shape[-1])
        return error_of_deviations(replicates - mean)


def error_of_deviations(deviations: Array) -> Array:
    """Compute the jackknife error from replicates less their mean, (..., G) -> (...)."""
    count = deviations.shape[-1]
    if count < 2:
        return np.full(deviations.shape[:-1], np.nan)
    with np.errstate(invalid="ignore"):
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


def clustered_error(influence: Array, record: Ids, fit: Ids) -> tuple[float, int]:
    """Compute a standard error from influences correlated within records and within fits.

    influence, record, fit: (N,) influence of each cell on the estimate, and its record and fit,
    numbered from 0. Returns what ``error_of_sums`` does.
    """
    by_record, by_fit = (
        np.asarray(np.bincount(each, weights=influence), np.float64) for each in (record, fit)
    )
    counts = np.bincount(record), np.bincount(fit)
    return error_of_sums((by_record, by_fit), float(influence @ influence), [counts])


class Moments:
    """Number and sum of values that are added a part at a time, and their squared deviations."""

    def __init__(self) -> None:
        self.size, self.total = 0, 0.0
        self._parts: list[tuple[int, float, float]] = []

    def add(self, values: Array) -> None:
        """Add values, (k,)."""
        if len(values):
            self.add_sums(len(values), float(values.sum()), float(values.var() * len(values)))

    def add_sums(self, size: int, total: float, squares: float) -> None:
        """Add values of which the sum, and that of squared deviations from their mean, is known."""
        if size:
            self.size, self.total = self.size + size, self.total + total
            self._parts.append((size, total / size, squares))

    def join(self, other: "Moments") -> None:
        """Add the values of other moments."""
        self.size, self.total = self.size + other.size, self.total + other.total
        self._parts += other._parts

    def about(self, centre: float) -> float:
        """Sum the squared deviations from a centre."""
        number, mean, squares = np.array(self._parts).T
        return float((squares + number * (mean - centre) ** 2).sum())


def error_of_sums(
    sums: tuple[Array, Array], squares: float, sides: Sequence[tuple[Ids, Ids]]
) -> tuple[float, int]:
    """Compute a standard error from sums of influences by record and by fit.

    The variance over records plus that over fits less that over cells (Cameron, Gelbach & Miller
    2011); with a single fit, that over records.

    Parameters
    ----------
    sums
        Sums of the cells' influences on the estimate by record, and by fit.
    squares
        Sum of the squared influences of the cells.
    sides
        Numbers of cells by record, and by fit, for each side of the comparison.

    Returns
    -------
    The error, NaN where unknown, and the number of clusters behind it: records or fits, whichever
    are fewer, on the side of the comparison that has fewer.
    """
    records, fits = (int(min(map(np.count_nonzero, each))) for each in zip(*sides, strict=True))
    by_record, by_fit = _of_sums(sums[0], records), _of_sums(sums[1], fits)
    if np.count_nonzero(sum(of_fits for _, of_fits in sides)) == 1:
        return float(np.sqrt(by_record)), records
    total = np.max([by_record + by_fit - squares, by_record, by_fit])  # NaN if one is
    return float(np.sqrt(total)), min(records, fits)


def clustered_proportion_error(
    hits: tuple[Ids, Ids], trials: tuple[Ids, Ids], sides: Sequence[tuple[Ids, Ids]]
) -> float:
    """Compute the standard error of a share of hits, as ``clustered_error`` does, from counts.

    hits, trials: number of each by record, and by fit. sides: as for ``error_of_sums``.
    """
    size = float(trials[0].sum())
    share = float(hits[0].sum()) / size
    by_record, by_fit = (
        (of_hits - share * of_trials) / size
        for of_hits, of_trials in zip(hits, trials, strict=True)
    )
    return error_of_sums((by_record, by_fit), share * (1 - share) / size, sides)[0]


def _of_sums(sums: Array, count: int) -> float:
    return float((sums**2).sum()) * count / (count - 1) if count > 1 else np.nan
