"""The distribution of the scores in a few numbers, and how repeatable they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew, spearmanr

from byrote.fits.table import Table
from byrote.scores.evaluation import Evaluation, estimates_without
from byrote.stats import jackknife
from byrote.stats.memorization import ESTIMATORS

Array = NDArray[np.float64]
QUANTILES = (0.05, 0.5, 0.95, 0.999)
_GROUPS = 10  # of fits left out together, where fits are too many to leave out one by one


@dataclass(frozen=True)
class Statistic:
    """A number about all scored records and its jackknife standard error over retrainings.

    The error speaks of other seeds and partitions, for these same records. NaN with one repeat.
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
    if len(values) == 0:
        return dict.fromkeys(_names(), float("nan"))
    finite = bool(np.isfinite(values).all())
    # Quantiles by order statistics: interpolating between two infinities would make a NaN.
    quantiles = np.quantile(values, QUANTILES, method="linear" if finite else "lower")
    return dict(
        zip(
            _names(),
            map(
                float,
                [
                    values.mean() if finite or not _both_infinities(values) else np.nan,
                    np.median(values) if finite else quantiles[QUANTILES.index(0.5)],
                    skew(values) if finite and _vary(values) else np.nan,
                    *quantiles,
                    values.min(),
                    values.max(),
                ],
            ),
            strict=True,
        )
    )


def _vary(values: Array) -> bool:
    """Whether they differ by more than rounding, of which a skewness would be made."""
    return bool(np.ptp(values) > 1e-7 * np.abs(values).max())


def _names() -> list[str]:
    return ["mean", "median", "skewness", *(f"q{q:g}" for q in QUANTILES), "minimum", "maximum"]


def _both_infinities(values: Array) -> bool:
    return bool(np.isposinf(values).any() and np.isneginf(values).any())


def distributions(table: Table, evaluation: Evaluation) -> dict[str, dict[str, Statistic]]:
    """Each estimator's statistics with their jackknife standard errors."""
    columns = _replicates(table, evaluation)
    result = {}
    for name in ESTIMATORS:
        values = describe(evaluation.estimate[name])
        replicated = [describe(column[name]) for column in columns]
        result[name] = {
            key: Statistic(
                value,
                float(jackknife.standard_error(np.array([one[key] for one in replicated]))),
            )
            for key, value in values.items()
        }
    return result


def _replicates(table: Table, evaluation: Evaluation) -> list[dict[str, Array]]:
    """The estimates of all records without one repeat, or one group of fits, at a time."""
    if evaluation.replicates:
        count = evaluation.replicates["score"].shape[1]
        return [{n: evaluation.replicates[n][:, g] for n in ESTIMATORS} for g in range(count)]
    unit = _units(table)
    groups = min(_GROUPS, int(unit.max()) + 1)
    if groups < 2:
        return []
    return [estimates_without(table, unit % groups == g) for g in range(groups)]


def reliability(table: Table) -> Reliability:
    """Split-half reliability: even against odd repeats, or fits."""
    odd = _units(table) % 2 == 1
    if not odd.any():
        return Reliability()
    first, second = estimates_without(table, odd), estimates_without(table, ~odd)
    return Reliability(
        **{name: _rank_correlation(first[name], second[name]) for name in ESTIMATORS}
    )


def _units(table: Table) -> NDArray[np.intp]:
    """(F,) what is left out together: repeats where fits complement one another, else fits."""
    design = table.design
    by_repeat = design.units == "repeats"
    return np.unique(design.repeat, return_inverse=True)[1] if by_repeat else np.arange(design.fits)


def _rank_correlation(first: Array, second: Array) -> float:
    both = ~(np.isnan(first) | np.isnan(second))
    if both.sum() < 3 or np.ptp(first[both]) == 0 or np.ptp(second[both]) == 0:
        return float("nan")
    return float(spearmanr(first[both], second[both]).statistic)
