"""LiRA: how much likelier a score is among fits that trained on a record than among the others.

Carlini et al. (2022), "Membership inference attacks from first principles", with the fits of one
table as shadow models of one another.
"""

import numpy as np
from numpy.typing import NDArray

from byrote.stats.cyclic_windows import moments

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
FLOOR = 1e-6  # nats; the least standard deviation, where references are all equal


def references(included: Flags, scored: Flags) -> NDArray[np.intp]:
    """(n,) reference values on each side: ``min(n_in, n_out) - 1``, at least 0.

    The attacked fit does not count among its own references, so one side has one value less than
    the record has in all. Which side must not show: as many are taken, for every attacked fit, as
    the smaller side has without one. With all that there are, the numbers themselves would give the
    answer away, and so would the attacked value if it stayed among the references.
    """
    sides = [(scored & side).sum(axis=0) for side in (included, ~included)]
    return np.asarray(np.maximum(np.minimum(*sides) - 1, 0), dtype=np.intp)


def log_ratio(
    values: Array, included: Flags, *, enough: int, unit: NDArray[np.intp] | None = None
) -> Array:
    """Log-likelihood ratio of membership of every value, (F, n) -> (F, n), nats.

    ``log N(s; mean_in, sd_in) - log N(s; mean_out, sd_out)`` with means over the record's
    references; the standard deviations are the record's own where it has ``enough`` references on a
    side, otherwise pooled over all records. References are the fits that follow the attacked one,
    cyclically. NaN where a record has fewer than two references on a side, or no value.

    Parameters
    ----------
    values
        (F, n) log-likelihoods, nats; NaN where not scored.
    included
        (F, n) whether the fit trained on the record.
    unit
        (F,) which fits share their seeds, if any do: two at most, one of them in and one out. They
        are no references of each other. A value resembles its twin's, which always lies on the
        other side: with it among the references, a model that memorizes nothing would show an area
        under the curve far below 0.5.
    """
    scored = ~np.isnan(values)
    count = references(included, scored)
    usable = count >= 2
    known = np.where(scored, values, 0.0)
    twin = _twins(np.arange(len(values)) if unit is None else unit)
    inside, outside = (
        _log_normal(values, *_moments(known, scored & side, count, twin, enough))
        for side in (included, ~included)
    )
    return np.where(usable, inside - outside, np.nan)


def _twins(unit: NDArray[np.intp]) -> NDArray[np.intp]:
    """(F,) the other fit of each fit's unit, itself where there is none."""
    order = np.argsort(unit, kind="stable")
    same = np.flatnonzero(unit[order[1:]] == unit[order[:-1]])
    twin = np.arange(len(unit))
    twin[order[same]], twin[order[same + 1]] = order[same + 1], order[same]
    return twin


def _moments(
    values: Array, side: Flags, count: NDArray[np.intp], twin: NDArray[np.intp], enough: int
) -> tuple[Array, Array]:
    """(F, n) means and standard deviations of the references on one side.

    They begin after the attacked fit, or its twin where that is on this side: it comes last then,
    and is never reached.
    """
    fits = np.arange(len(values))[:, None]
    mean, squares = moments(values, side, count, np.where(side[twin], twin[:, None], fits))
    usable, freedom = count >= 2, np.maximum(count - 1, 1)
    pooled = np.full(len(values), np.nan)
    if usable.any():
        pooled = squares[:, usable].sum(axis=1) / freedom[usable].sum()
    variance = np.where(count >= enough, squares / freedom, pooled[:, None])
    return mean, np.maximum(np.sqrt(variance), FLOOR)


def _log_normal(value: Array, mean: Array, deviation: Array) -> Array:
    return np.asarray(-np.log(deviation) - 0.5 * ((value - mean) / deviation) ** 2)
