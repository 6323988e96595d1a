"""LiRA: how much likelier a score is among fits that trained on a record than among the others.

Carlini et al. (2022), "Membership inference attacks from first principles", with the fits of one
table as shadow models of one another.
"""

import numpy as np
from numpy.typing import NDArray

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
        (F,) which fits share their seeds, if any do: by pairs, one of them in and one out. They are
        no references of each other. A value resembles its twin's, which always lies on the other
        side: with it among the references, a model that memorizes nothing would show an area under
        the curve far below 0.5.
    """
    fits = len(values)
    unit = np.arange(fits) if unit is None else unit
    scored = ~np.isnan(values)
    count = references(included, scored)
    found = np.full(values.shape, np.nan)
    for fit in range(fits):
        others = (fit + 1 + np.arange(fits - 1)) % fits
        others = others[unit[others] != unit[fit]]
        inside, outside = (
            _moments(values[others], scored[others] & side, count, enough)
            for side in (included[others], ~included[others])
        )
        found[fit] = _log_normal(values[fit], *inside) - _log_normal(values[fit], *outside)
    found[:, count < 2] = np.nan
    return found


def _moments(values: Array, side: Flags, count: NDArray[np.intp], enough: int) -> tuple[Array, ...]:
    """Mean and standard deviation of each record's first ``count`` values of one side."""
    taken = side & (np.cumsum(side, axis=0) <= count)
    size = np.maximum(count, 1)
    mean = np.where(taken, values, 0.0).sum(axis=0) / size
    squares = np.where(taken, (values - mean) ** 2, 0.0).sum(axis=0)
    usable = count >= 2
    freedom = np.maximum(count - 1, 1)
    pooled = squares[usable].sum() / freedom[usable].sum() if usable.any() else np.nan
    variance = np.where(count >= enough, squares / freedom, pooled)
    return mean, np.maximum(np.sqrt(variance), FLOOR)


def _log_normal(value: Array, mean: Array, deviation: Array) -> Array:
    return np.asarray(-np.log(deviation) - 0.5 * ((value - mean) / deviation) ** 2)
