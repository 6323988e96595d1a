"""LiRA: likelihood ratios of membership from fits with and without a record.

Carlini et al. (2022), "Membership inference attacks from first principles", with the fits of one
table as shadow models of one another. The references of a fit are those that follow it, cyclically.

Their moments take time linear in the values: a window of w values is the end of one block of w and
the beginning of the next (van Herk 1992). The moments of every beginning and every end are running
ones, and two of them are merged (Chan, Golub & LeVeque 1983). Nothing is subtracted, so a value
outside the window leaves no rounding error in it.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]
FLOOR = 1e-6  # nats; the least standard deviation, where references are all equal
_BLOCK = 1 << 20  # values computed on at a time


def reference_counts(included: Flags, scored: Flags) -> Counts:
    """Return the number of references on each side, (n,): ``min(n_in, n_out) - 1``, at least 0.

    The attacked fit is not among its own references, so its side has one value less. The number of
    references must not reveal which side that is, so for every attacked fit both sides have as many
    as the smaller one without it.
    """
    sides = [(scored & side).sum(axis=0) for side in (included, ~included)]
    return np.asarray(np.maximum(np.minimum(*sides) - 1, 0), dtype=np.intp)


def log_ratio(
    values: Array, included: Flags, *, enough: int, unit: NDArray[np.intp] | None = None
) -> Array:
    """Compute log-likelihood ratios of membership, (F, n) -> (F, n), nats.

    ``log N(s; mean_in, sd_in) - log N(s; mean_out, sd_out)`` with means over the record's
    references; the standard deviations are the record's own where it has ``enough`` references on a
    side, otherwise pooled over all records. NaN where a record has fewer than two references on a
    side, or no value.

    Parameters
    ----------
    values
        (F, n) log-likelihoods, nats; NaN where not scored.
    included
        (F, n) whether the fit trained on the record.
    unit
        (F,) unit of each fit: the two fits of a unit share their seeds, one has the record in and
        one out. They are not references of each other: a value resembles its twin's, and with that
        on the other side a model that memorizes nothing would have an area under the curve far
        below 0.5.
    """
    scored = ~np.isnan(values)
    count = reference_counts(included, scored)
    known = np.where(scored, values, 0.0)
    twin = _twins(np.arange(len(values)) if unit is None else unit)
    inside, outside = (
        _log_normal(values, *_reference_moments(known, scored & side, count, twin, enough))
        for side in (included, ~included)
    )
    return np.where(count >= 2, inside - outside, np.nan)


def _twins(unit: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the other fit of each fit's unit, (F,); itself if alone."""
    order = np.argsort(unit, kind="stable")
    same = np.flatnonzero(unit[order[1:]] == unit[order[:-1]])
    twin = np.arange(len(unit))
    twin[order[same]], twin[order[same + 1]] = order[same + 1], order[same]
    return twin


def _reference_moments(
    values: Array, side: Flags, count: Counts, twin: NDArray[np.intp], enough: int
) -> tuple[Array, Array]:
    """Compute means and standard deviations of the references on one side, (F, n) each.

    References begin after the attacked fit, or after its twin if that is on this side, which is
    then last in the cycle and never reached.
    """
    fits = np.arange(len(values))[:, None]
    mean, squares = window_moments(values, side, count, np.where(side[twin], twin[:, None], fits))
    usable, freedom = count >= 2, np.maximum(count - 1, 1)
    pooled = np.full(len(values), np.nan)
    if usable.any():
        pooled = squares[:, usable].sum(axis=1) / freedom[usable].sum()
    variance = np.where(count >= enough, squares / freedom, pooled[:, None])
    return mean, np.maximum(np.sqrt(variance), FLOOR)


def _log_normal(value: Array, mean: Array, deviation: Array) -> Array:
    return np.asarray(-np.log(deviation) - 0.5 * ((value - mean) / deviation) ** 2)


def window_moments(values: Array, side: Flags, count: Counts, after: Counts) -> tuple[Array, Array]:
    """Compute moments of the next ``count`` values on one side, starting after each row.

    Parameters
    ----------
    values, side
        (F, n) values by column, and which of them are on the side.
    count
        (n,) number of values in a window: at least 1, fewer than the column has on the side.
    after
        (F, n) row after which each window begins; windows wrap around to the top of the column.

    Returns
    -------
    (F, n) means and (F, n) sums of squared deviations; meaningless in columns with no value on the
    side.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [4.0], [9.0]])
    >>> rows = np.arange(4)[:, None]
    >>> mean, squares = window_moments(values, np.ones((4, 1), bool), np.array([2]), rows)
    >>> mean.ravel().tolist(), squares.ravel().tolist()
    ([3.0, 6.5, 5.0, 1.5], [2.0, 12.5, 32.0, 0.5])
    """
    mean, squares = np.empty_like(values), np.empty_like(values)
    size = max(1, _BLOCK // max(1, len(values)))
    for start in range(0, values.shape[1], size):
        block = slice(start, start + size)
        mean[:, block], squares[:, block] = _of_columns(
            values[:, block], side[:, block], count[block], after[:, block]
        )
    return mean, squares


def _of_columns(values: Array, side: Flags, count: Counts, after: Counts) -> tuple[Array, Array]:
    size = np.maximum(side.sum(axis=0), 1)
    width = np.clip(count, 1, size)
    first = np.take_along_axis(np.cumsum(side, axis=0), after, axis=0) % size
    turns = np.arange(2 * int(size.max()))[:, None]
    order = np.argsort(~side, axis=0, kind="stable")
    twice = np.take_along_axis(values, np.take_along_axis(order, turns % size, axis=0), axis=0)
    offset = first % width  # of a window in its block: so many of its values lie in the next
    tail = _gather(_running(twice[::-1], (-1 - turns[::-1]) % width, reverse=True), first)
    head = _gather(_running(twice, turns % width), first + width - 1)
    share = offset / width  # of the window that lies in the next block
    gap = np.where(offset > 0, head[0] - tail[0], 0.0)
    mean = tail[0] + share * gap
    squares = tail[1] + np.where(offset > 0, head[1], 0.0) + gap**2 * share * (width - offset)
    return mean, squares


def _gather(running: tuple[Array, Array], row: Counts) -> tuple[Array, Array]:
    mean, squares = running
    return np.take_along_axis(mean, row, axis=0), np.take_along_axis(squares, row, axis=0)


def _running(values: Array, place: Counts, *, reverse: bool = False) -> tuple[Array, Array]:
    """Compute Welford's running moments down the columns, restarted where ``place`` is 0."""
    mean, squares = np.empty_like(values), np.empty_like(values)
    running, total = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for row, (value, seen) in enumerate(zip(values, place, strict=True)):
        begun = seen > 0
        step = value - np.where(begun, running, value)
        running = np.where(begun, running, value) + step / (seen + 1)
        total = np.where(begun, total, 0.0) + step * (value - running)
        mean[row], squares[row] = running, total
    return (mean[::-1], squares[::-1]) if reverse else (mean, squares)
