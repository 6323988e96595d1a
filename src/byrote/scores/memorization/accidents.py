"""Accidents of fits made elsewhere that show in their log-likelihoods.

Fits beside one another show other units and orders (between_fits.py); what records gain in training
shows whether each fit trained on the records of its plan. What changes all fits alike, such as bits
in place of nats in all of them, cannot show.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.scores.memorization.between_fits import (
    FEWEST_RECORDS,
    NO_DIFFERENCE,
    Accident,
    find_means,
    find_other_order,
    find_other_units,
)
from byrote.scores.memorization.held_out import mean_log_prob
from byrote.stats.standard_errors import jackknife_error

Array = NDArray[np.float64]
_SIGNIFICANCE = 1e-3  # at which sides count as swapped
_FEWEST_UNITS = 4  # fits, pairs or repeats, before a missing difference is remarkable
_SCORE, _MARGIN = 6.0, 4.0  # standard normal scores of what a fit trained on
_TOLERANCE = 1e-9


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
    comparable, held_out = _comparable(log_prob, len(table.rows))
    odd = [*find_other_units(fits, comparable), *find_other_order(fits, comparable)]
    odd = odd or find_means(held_out, values)
    if odd:  # which spoils the comparison of sides
        return odd
    sides = _sides(table)
    swapped = any(each.kind != NO_DIFFERENCE for each in sides)
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


def _comparable(log_prob: Array, records: int) -> tuple[Array, Array]:
    """Return the values by which fits are compared, and held-out ones.

    The first are held-out ones too, where fits have enough: a model that memorizes may make all its
    training records equally likely.
    """
    held_out = log_prob[:, :records]
    few = np.median((~np.isnan(held_out)).sum(axis=1)) < 2 * FEWEST_RECORDS
    return log_prob if few else held_out, held_out


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


def _sides(table: Table) -> list[Accident]:
    """Compare log-likelihoods in training and held out, over all records."""
    inside, outside = (mean_log_prob(table, side) for side in ("in", "out"))
    difference = inside.value - outside.value
    error = float(jackknife_error(inside.changes - outside.changes))
    if not np.isfinite(difference) or not np.isfinite(error) or error <= 0:
        return []
    p_value = float(stdtr(inside.degrees, difference / error))  # of less in training
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
                NO_DIFFERENCE,
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
    if len(fits) < 4 or known.sum() < FEWEST_RECORDS:
        return None
    spread = values.std(axis=0)
    gains = (values - values.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    member -= member.mean(axis=0)
    norm = np.sqrt((member**2).sum(axis=1))
    return np.asarray(gains @ member.T / np.where(norm > 0, norm, np.inf))
