"""The distribution of the scores in a few numbers, and how repeatable they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew, spearmanr

from byrote.fits.table import Table
from byrote.scores import side_mean
from byrote.scores.evaluation import Evaluation, estimates_without
from byrote.stats.memorization import ESTIMATORS
from byrote.stats.standard_errors import jackknife_error

Array = NDArray[np.float64]
QUANTILES = (0.05, 0.5, 0.95, 0.999)


@dataclass(frozen=True)
class Statistic:
    """A number about all scored records, and the standard error of a mean.

    The error is a jackknife over retrainings (repeats, pairs or fits): it speaks of other seeds and
    partitions, for these same records. NaN with one repeat, and for all but means: a jackknife
    misjudges quantiles and extremes, whose spread ``reliability`` shows better.
    """

    value: float
    standard_error: float = float("nan")


@dataclass(frozen=True)
class Reliability:
    """Rank correlation of the scores from one half of the fits with those from the other half.

    It says how repeatable the ranking is at half the budget; NaN where halves cannot be made.
    """

    score: float = float("nan")
    matched: float = float("nan")
    mean_log: float = float("nan")


def describe(values: Array) -> dict[str, float]:
    """Statistics of one estimator over the records that have it (NaN left out)."""
    values = values[~np.isnan(values)]
    names = ["mean", "skewness", *(f"q{q:g}" for q in QUANTILES), "minimum", "maximum"]
    if len(values) == 0:
        return dict.fromkeys(["median", *names], float("nan"))
    finite = bool(np.isfinite(values).all())
    both = bool(np.isposinf(values).any() and np.isneginf(values).any())
    numbers = [
        np.nan if both else values.mean(),
        skew(values) if finite and _vary(values) else np.nan,
        *quantiles(values, QUANTILES),
        values.min(),
        values.max(),
    ]
    found = dict(zip(names, map(float, numbers), strict=True))
    return {"median": found["q0.5"], **found}


def quantiles(values: Array, levels: tuple[float, ...]) -> list[float]:
    """Quantiles, interpolated only where all values are finite: infinities have no middle."""
    finite = bool(np.isfinite(values).all())
    found = np.quantile(values, levels, method="linear" if finite else "lower")
    return [float(value) for value in found]


def distributions(evaluation: Evaluation) -> dict[str, dict[str, Statistic]]:
    """Each estimator's statistics; the mean with its jackknife standard error."""
    result = {}
    for name in ESTIMATORS:
        values = evaluation.estimate[name]
        found = {key: Statistic(value) for key, value in describe(values).items()}
        if count := evaluation.resampled[name]:
            error = jackknife_error(evaluation.without[name] / count)
            found["mean"] = Statistic(found["mean"].value, float(error))
        result[name] = found
    return result


def mean_log_prob(table: Table) -> dict[str, Statistic]:
    """Mean log p of records in training and held out, nats, by ``side_mean``."""
    found = {side: side_mean.mean_log_prob(table, side) for side in ("in", "out")}
    return {side: Statistic(one.value, one.error) for side, one in found.items()}


def reliability(table: Table) -> Reliability:
    """Split-half reliability: even against odd repeats, pairs or fits."""
    design = table.design
    by_repeat = design.units != "fits"
    there = np.flatnonzero(table.counting())
    units = np.zeros(design.fits, dtype=np.intp)
    units[there] = (
        np.unique(design.repeat[there], return_inverse=True)[1]
        if by_repeat
        else np.arange(len(there))
    )
    odd = units % 2 == 1
    if not odd.any():
        return Reliability()
    first, second = estimates_without(table, odd), estimates_without(table, ~odd)
    return Reliability(
        **{name: _rank_correlation(first[name], second[name]) for name in ESTIMATORS}
    )


def _vary(values: Array) -> bool:
    """Whether they differ by more than rounding, of which a skewness would be made."""
    return bool(np.ptp(values) > 1e-7 * np.abs(values).max())


def _rank_correlation(first: Array, second: Array) -> float:
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = first[both], second[both]
    if len(first) < 3 or (first == first[0]).all() or (second == second[0]).all():
        return float("nan")
    return float(spearmanr(first, second).statistic)
