"""Fits beside one another: those in another unit, or whose records are in another order.

Log-likelihoods of one record in different fits are nearly equal, and those of different records are
not. So the numbers of a fit, beside the median of the others, show a factor between their units,
and another order of the records by a rank correlation of zero.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.stats.ranks import rank_correlation

Array = NDArray[np.float64]
NO_DIFFERENCE = "no difference"  # the kind of accident that a private model resembles
FEWEST_RECORDS = 20  # that two fits must share to be compared
_FACTOR = 1.25  # between fits of one model; ln 2 and its inverse are further
_ALIKE, _UNLIKE = 0.5, 0.2  # correlations between fits in the same order, and in another
_MEANS_SPREAD = 0.7  # nats: between a sum's over many values and a mean's
_FEWEST_VALUES = 16  # of a record, for a mean over them to be told from a sum


@dataclass(frozen=True)
class Accident:
    """Something that looks wrong in log-likelihoods that were computed elsewhere.

    Attributes
    ----------
    kind
        "ignored", "no difference", "sides", "losses", "means", "unit", "order" or "plan".
    text
        What the numbers show, and what may have happened.
    fits
        The fits concerned; empty for all.
    """

    kind: str
    text: str
    fits: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Beside:
    """A fit beside the median of the other fits: median ratio, its spread, rank correlation."""

    factor: float = np.nan
    spread: float = np.nan
    correlation: float = np.nan

    @property
    def other_unit(self) -> bool:
        """Whether the numbers are those of the other fits times one factor other than 1."""
        if np.isnan(self.factor) or abs(self.correlation) < _ALIKE:
            return False
        if self.factor <= 0:
            return self.spread < 0.5
        size = abs(np.log(self.factor))
        return size > np.log(_FACTOR) and self.spread < size / 2


def _beside_median(log_prob: Array) -> list[_Beside]:
    """Compare each fit with the median of the others."""
    result = []
    everyone = _median(log_prob)
    for fit, values in enumerate(log_prob):
        few = len(log_prob) <= 8  # where a fit itself moves the median
        median = _median(np.delete(log_prob, fit, axis=0)) if few else everyone
        known = ~np.isnan(values) & ~np.isnan(median)
        x, y = median[known], values[known]
        if known.sum() < FEWEST_RECORDS or np.ptp(x) == 0 or np.ptp(y) == 0 or not x.any():
            result.append(_Beside())
            continue
        large = (np.abs(x) >= np.median(np.abs(x))) & (x != 0)  # whose ratios are steady
        ratio = y[large] / x[large]
        factor = float(np.median(ratio))
        spread = 1.4826 * float(np.median(np.abs(ratio - factor))) / (abs(factor) or np.nan)
        correlation = rank_correlation(x, y)
        result.append(_Beside(factor, spread, correlation))
    return result


def _median(log_prob: Array) -> Array:
    known = ~np.isnan(log_prob).all(axis=0)
    median = np.full(log_prob.shape[1], np.nan)
    median[known] = np.nanmedian(log_prob[:, known], axis=0)
    return median


def find_other_units(fits: NDArray[np.intp], log_prob: Array) -> list[Accident]:
    """Find fits in another unit than most."""
    found: dict[str, list[tuple[int, float]]] = {}
    for fit, beside in zip(fits, _beside_median(log_prob), strict=True):
        if beside.other_unit:
            found.setdefault(_unit(beside.factor), []).append((int(fit), beside.factor))
    return [
        Accident(
            "losses" if "losses" in what else "unit",
            f"{_named([fit for fit, _ in those])} {'has' if len(those) == 1 else 'have'} numbers"
            f" {np.median([factor for _, factor in those]):.3g} times those of the other fits:"
            f" {what}.",
            tuple(fit for fit, _ in those),
        )
        for what, those in found.items()
    ]


def _unit(factor: float) -> str:
    if factor <= 0:
        return "losses in place of log-likelihoods (--loss), or the other way round"
    if abs(np.log(factor * np.log(2))) < np.log(_FACTOR) / 2:
        return "bits in place of nats (--bits)"
    if abs(np.log(factor / np.log(2))) < np.log(_FACTOR) / 2:
        return "nats where the others are bits (--bits)"
    return "another unit, such as means in place of sums (--mean-of)"


def find_means(log_prob: Array, values: int) -> list[Accident]:
    """Find log-likelihoods that differ as little between records as means over their values."""
    median = _median(log_prob)
    median = median[~np.isnan(median)]
    if values < _FEWEST_VALUES or len(median) < FEWEST_RECORDS:
        return []
    low, high = np.quantile(median, [0.25, 0.75])
    spread = float(high - low) / 1.349  # standard deviation of a normal distribution
    if spread >= _MEANS_SPREAD:
        return []
    return [
        Accident(
            "means",
            f"Log-likelihoods of different records spread by {spread:.2g} nats only, where sums"
            f" over {values:,} values usually spread by {np.sqrt(values / 2):.2g} or more: they may"
            " be means in place of sums (--mean-of values).",
        )
    ]


def find_other_order(fits: NDArray[np.intp], log_prob: Array) -> list[Accident]:
    """Find fits whose records are in another order."""
    correlation = np.array([beside.correlation for beside in _beside_median(log_prob)])
    if np.isnan(correlation).all():
        return []
    typical = float(np.nanmedian(correlation))
    what = "the records of its file may stand in another order, or be others."
    if typical > _ALIKE:
        odd = [int(fit) for fit in fits[np.abs(correlation) < _UNLIKE]]
        if not odd:
            return []
        value = float(np.nanmedian(correlation[np.isin(fits, odd)]))
        verb = "ranks" if len(odd) == 1 else "rank"
        text = f"{_named(odd)} {verb} the records unlike the other fits (correlation"
        return [
            Accident("order", f"{text} {value:.2f}, usually {typical:.2f}): {what}", tuple(odd))
        ]
    if abs(typical) < _UNLIKE:
        return [
            Accident(
                "order",
                "The fits do not agree on which records are likely (median correlation"
                f" {typical:.2f}): the records of their files may stand in different orders.",
            )
        ]
    return []


def _named(fits: list[int]) -> str:
    some = ", ".join(map(str, fits[:8])) + (", …" if len(fits) > 8 else "")
    return f"Fit {some}" if len(fits) == 1 else f"Fits {some}"
