"""Accidents of fits made elsewhere that show in their log-likelihoods.

Log-likelihoods of one record in different fits are nearly equal, and those of different records are
not. So the numbers of a fit, beside the median fit's, show another unit (a factor), another order
(no correlation) and, through what each record gains in training, another plan. What changes all
fits alike, such as bits in place of nats in all of them, cannot show.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.scores.memorization.held_out import mean_log_prob
from byrote.stats.standard_errors import jackknife_error

Array = NDArray[np.float64]
_FEWEST = 20  # records that two fits must share to be compared
_SIGNIFICANCE = 1e-3  # at which sides count as swapped
_FACTOR = 1.25  # between fits of one model; ln 2 and its inverse are further
_ALIKE, _UNLIKE = 0.5, 0.2  # correlations between fits in the same order, and in another
_MEANS_SPREAD = 0.7  # nats: between a sum's over many values and a mean's
_FEWEST_VALUES = 16  # of a record, for a mean over them to be told from a sum
_FEWEST_UNITS = 4  # fits, pairs or repeats, before a missing difference is remarkable
_SCORE, _MARGIN = 6.0, 4.0  # standard normal scores of what a fit trained on
_TOLERANCE = 1e-9


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


def find_accidents(table: Table, values: int = 1) -> list[Accident]:
    """Find what looks wrong in the log-likelihoods of a run.

    Parameters
    ----------
    table
        The log-likelihoods.
    values
        Number of values of a record, 1 if unknown.

    Examples
    --------
    >>> from byrote.plans import Probes, design_of
    >>> design = design_of(Probes(30, fits=4), 30)
    >>> log_prob = np.random.default_rng(0).normal(-9, 2, size=30) * np.ones((4, 1))
    >>> found = find_accidents(Table(design, design.scored, log_prob))
    >>> found[0].kind, len(found)
    ('ignored', 1)
    """
    fits = np.flatnonzero(table.counting())
    if len(fits) < 2:
        return []
    log_prob = _by_role(table)[fits]
    largest = _largest_difference(log_prob)
    if largest <= _TOLERANCE * (1 + np.nanmax(np.abs(log_prob), initial=0.0)):
        return [_ignored(len(fits), largest)]
    held_out = log_prob[:, : len(table.rows)]
    odd = [*_units(fits, log_prob), *_order(fits, log_prob)] or _means(held_out, values)
    if odd:  # which spoils the comparison of sides
        return odd
    sides = _sides(table)
    swapped = any(each.kind != "no difference" for each in sides)
    return sides if swapped else [*sides, *_plan(table, fits)]


def _by_role(table: Table) -> Array:
    """Return finite values of held-out records, of the same in training and of bystanders.

    (F, 2r + b), NaN where a record has another role: a model that memorizes gives a record two very
    different values.
    """
    roles, values = table.roles(), table.log_prob
    parts = [np.where(roles == role, values, np.nan) for role in (OUT, IN)]
    if table.bystanders is not None:
        parts.append(table.bystanders)
    together = np.concatenate(parts, axis=1)
    return np.where(np.isfinite(together), together, np.nan)


def _largest_difference(log_prob: Array) -> float:
    low = np.where(np.isnan(log_prob), np.inf, log_prob).min(axis=0)
    high = np.where(np.isnan(log_prob), -np.inf, log_prob).max(axis=0)
    return float((high - low)[high >= low].max(initial=0.0))


def _ignored(fits: int, largest: float) -> Accident:
    return Accident(
        "ignored",
        f"All {fits} fits gave the same log-likelihoods (largest difference {largest:.2g} nats):"
        " the program seems to ignore which records it is to train on.",
    )


def _beside_median(log_prob: Array) -> list[tuple[float, float]]:
    """Return, for each fit, its factor and its correlation beside the median of the other fits."""
    result = []
    everyone = _median(log_prob)
    for fit, values in enumerate(log_prob):
        few = len(log_prob) <= 8  # where a fit itself moves the median
        median = _median(np.delete(log_prob, fit, axis=0)) if few else everyone
        known = ~np.isnan(values) & ~np.isnan(median)
        x, y = median[known], values[known]
        if known.sum() < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0 or not x.any():
            result.append((np.nan, np.nan))
        else:
            result.append((float(x @ y / (x @ x)), float(np.corrcoef(x, y)[0, 1])))
    return result


def _median(log_prob: Array) -> Array:
    known = ~np.isnan(log_prob).all(axis=0)
    median = np.full(log_prob.shape[1], np.nan)
    median[known] = np.nanmedian(log_prob[:, known], axis=0)
    return median


def _units(fits: NDArray[np.intp], log_prob: Array) -> list[Accident]:
    """Find fits in another unit than most."""
    found: dict[str, list[tuple[int, float]]] = {}
    for fit, (factor, correlation) in zip(fits, _beside_median(log_prob), strict=True):
        if abs(correlation) > _ALIKE and not 1 / _FACTOR < factor < _FACTOR:
            found.setdefault(_unit(factor), []).append((int(fit), factor))
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
    if factor < 0:
        return "losses in place of log-likelihoods (--loss), or the other way round"
    if abs(np.log(factor * np.log(2))) < np.log(_FACTOR) / 2:
        return "bits in place of nats (--bits)"
    if abs(np.log(factor / np.log(2))) < np.log(_FACTOR) / 2:
        return "nats where the others are bits (--bits)"
    return "another unit, such as means in place of sums (--mean-of)"


def _means(log_prob: Array, values: int) -> list[Accident]:
    """Find log-likelihoods that differ as little between records as means over their values.

    Held-out ones: a model that memorizes may make all its training records equally likely.
    """
    median = _median(log_prob)
    median = median[~np.isnan(median)]
    if values < _FEWEST_VALUES or len(median) < _FEWEST:
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


def _order(fits: NDArray[np.intp], log_prob: Array) -> list[Accident]:
    """Find fits whose records are in another order."""
    correlation = np.array([correlation for _, correlation in _beside_median(log_prob)])
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


def _sides(table: Table) -> list[Accident]:
    """Compare log-likelihoods in training and held out, over all records."""
    inside, outside = (mean_log_prob(table, side) for side in ("in", "out"))
    difference = inside.value - outside.value
    error = float(jackknife_error(inside.changes - outside.changes))
    if not np.isfinite(difference) or not np.isfinite(error) or error <= 0:
        return []
    p_value = float(student.cdf(difference / error, inside.degrees))  # of less in training
    numbers = f"mean in − mean out is {difference:.3g} ± {error:.2g} nats"
    if p_value < _SIGNIFICANCE:
        positive = float(np.mean(table.log_prob[np.isfinite(table.log_prob)] > 0))
        swapped = "the program trained on the records that it was to hold out"
        losses = "losses were collected as log-likelihoods (--loss)"
        reasons = (losses, swapped) if positive > 0.5 else (swapped, losses)
        return [
            Accident(
                "losses" if positive > 0.5 else "sides",
                f"Records are less likely in training than held out: {numbers} (p = {p_value:.1g})."
                f" Either {reasons[0]}, or {reasons[1]}.",
            )
        ]
    if p_value < 0.95 and len(inside.changes) >= _FEWEST_UNITS:
        return [
            Accident(
                "no difference",
                f"Records are not significantly more likely in training than held out: {numbers}."
                " Either the model learned nothing of single records, or the program ignores which"
                " records it is to train on.",
            )
        ]
    return []


def _plan(table: Table, fits: NDArray[np.intp]) -> list[Accident]:
    """Find fits that show another fit's training records, or none, where most show their own.

    What a record gains in a fit, in its standard deviations over fits, is correlated with the
    membership of each fit; without memorization the sums are standard normal scores.
    """
    scores = _membership_scores(table, fits)
    if scores is None:
        return []
    own = np.diag(scores)
    typical, found = float(np.median(own)), []
    for place, fit in enumerate(fits):
        best = int(np.argmax(scores[place]))
        numbers = f"score {own[place]:.1f}, usually {typical:.1f}"
        if best != place and scores[place, best] > max(_SCORE, own[place] + _MARGIN):
            what = (
                f"shows the training records of fit {fits[best]} ({numbers} of its own): files of"
            )
            what += " two fits may have changed places."
        elif own[place] < -_MARGIN:
            what = f"shows the records that it was to hold out ({numbers}): its sides are swapped."
        elif typical > _SCORE and own[place] < typical - _SCORE:
            what = f"does not show its training records ({numbers}): it may be of another run, or"
            what += " have ignored which records it was to train on."
        else:
            continue
        found.append(Accident("plan", f"Fit {fit} {what}", (int(fit),)))
    return found


def _membership_scores(table: Table, fits: NDArray[np.intp]) -> Array | None:
    """(F, F) scores of each fit's gains on each fit's membership; None for too few records."""
    values, role = table.log_prob[fits], table.roles()[fits]
    known = (np.isfinite(values) & (role != 0)).all(axis=0)
    values, member = values[:, known], (role[:, known] > 0).astype(float)
    if len(fits) < 4 or known.sum() < _FEWEST:
        return None
    spread = values.std(axis=0)
    gains = (values - values.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    member -= member.mean(axis=0)
    norm = np.sqrt((member**2).sum(axis=1))
    return np.asarray(gains @ member.T / np.where(norm > 0, norm, np.inf))


def _named(fits: list[int]) -> str:
    some = ", ".join(map(str, fits[:8])) + (", …" if len(fits) > 8 else "")
    return f"Fit {some}" if len(fits) == 1 else f"Fits {some}"
