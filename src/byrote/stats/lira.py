"""LiRA: likelihood ratios of membership from fits with and without a record.

Carlini et al. (2022), "Membership inference attacks from first principles", with the fits of one
table as shadow models of one another. The references of a fit are those that follow it, cyclically.

Their moments take time linear in the values: a window of w values is the end of one block of w and
the beginning of the next (van Herk 1992). The moments of every beginning and every end are running
ones, and two of them are merged (Chan, Golub & LeVeque 1983). Nothing is subtracted, so a value
outside the window leaves no rounding error in it.
"""

from collections.abc import Iterator

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
    known = values if scored.all() else np.where(scored, values, 0.0)
    twin = _twins(np.arange(len(values)) if unit is None else unit)
    ratio, outside = (
        _log_normal_beside(values, known, scored & side, count, twin, enough)
        for side in (included, ~included)
    )
    ratio -= outside
    ratio[:, count < 2] = np.nan
    return ratio


def _twins(unit: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the other fit of each fit's unit, (F,); itself if alone."""
    order = np.argsort(unit, kind="stable")
    same = np.flatnonzero(unit[order[1:]] == unit[order[:-1]])
    twin = np.arange(len(unit))
    twin[order[same]], twin[order[same + 1]] = order[same + 1], order[same]
    return twin


def _log_normal_beside(
    values: Array, known: Array, side: Flags, count: Counts, twin: NDArray[np.intp], enough: int
) -> Array:
    """Compute the log density of each value in a normal law of the references on one side, (F, n).

    References begin after the attacked fit, or after its twin if that is on this side, which is
    then last in the cycle and never reached.
    """
    after = np.arange(len(values))[:, None]
    if (twin != after[:, 0]).any():
        after = np.where(side[twin], twin[:, None], after)
    mean, squares = window_moments(known, side, count, after)
    usable, freedom = count >= 2, np.maximum(count - 1, 1)
    pooled = np.full(len(values), np.nan)
    if usable.any():
        some = squares if usable.all() else squares[:, usable]
        pooled = some.sum(axis=1) / freedom[usable].sum()
    for row, (value, centre) in enumerate(zip(values, mean, strict=True)):
        variance = np.where(count >= enough, squares[row] / freedom, pooled[row])
        deviation = np.maximum(np.sqrt(variance), FLOOR)
        mean[row] = -np.log(deviation) - 0.5 * ((value - centre) / deviation) ** 2
    return mean


def window_moments(values: Array, side: Flags, count: Counts, after: Counts) -> tuple[Array, Array]:
    """Compute moments of the next ``count`` values on one side, starting after each row.

    Parameters
    ----------
    values, side
        (F, n) values by column, and which of them are on the side.
    count
        (n,) number of values in a window: at least 1, fewer than the column has on the side.
    after
        (F, n) row after which each window begins, or (F, 1) that of all columns; windows wrap
        around to the top of the column.

    Returns
    -------
    (F, n) means and (F, n) sums of squared deviations; 0 in columns with no value on the side.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [4.0], [9.0]])
    >>> rows = np.arange(4)[:, None]
    >>> mean, squares = window_moments(values, np.ones((4, 1), bool), np.array([2]), rows)
    >>> mean.ravel().tolist(), squares.ravel().tolist()
    ([3.0, 6.5, 5.0, 1.5], [2.0, 12.5, 32.0, 0.5])
    """
    mean, squares = np.zeros_like(values), np.zeros_like(values)
    size = side.sum(axis=0)
    for columns in _alike(size, count, max(1, _BLOCK // max(1, len(values)))):
        begin = after if after.shape[1] == 1 else after[:, columns]
        width = int(count[columns[0]])
        mean[:, columns], squares[:, columns] = _of_columns(
            values[:, columns], side[:, columns], width, begin
        )
    return mean, squares


def _alike(size: Counts, count: Counts, most: int) -> Iterator[Counts]:
    """Yield columns with equally many values and equally long windows, ``most`` at a time."""
    known = np.flatnonzero(size)
    key = size[known] * (int(count.max(initial=0)) + 1) + count[known]
    order = np.argsort(key, kind="stable")
    for columns in np.split(known[order], np.flatnonzero(np.diff(key[order])) + 1):
        for start in range(0, len(columns), most):
            yield columns[start : start + most]


def _of_columns(values: Array, side: Flags, width: int, after: Counts) -> tuple[Array, Array]:
    cycle = values.T[side.T].reshape(values.shape[1], -1).T
    size = len(cycle)
    width = min(max(width, 1), size)
    passed = np.cumsum(side, axis=0)
    first = np.take_along_axis(passed, np.broadcast_to(after, values.shape), axis=0)
    first[first == size] = 0
    place = np.arange(2 * size) % width  # within blocks as long as a window
    twice = np.concatenate([cycle, cycle])
    tail = _gather(_running(twice[::-1], width - 1 - place[::-1]), 2 * size - 1 - first)
    head = _gather(_running(twice, place), first + width - 1)
    offset = place[first]  # of a window in its block: so many of its values lie in the next
    share = offset / width  # of the window that lies in the next block
    gap = np.where(offset > 0, head[0] - tail[0], 0.0)
    mean = tail[0] + share * gap
    squares = tail[1] + np.where(offset > 0, head[1], 0.0) + gap**2 * share * (width - offset)
    return mean, squares


def _gather(running: tuple[Array, Array], row: Counts) -> tuple[Array, Array]:
    mean, squares = running
    cell = row * mean.shape[1] + np.arange(mean.shape[1])
    return mean.ravel()[cell], squares.ravel()[cell]


def _running(values: Array, place: Counts) -> tuple[Array, Array]:
    """Compute Welford's running moments down the columns, restarted where ``place`` is 0."""
    mean, squares = np.empty(values.shape), np.zeros(values.shape)
    for row, (value, seen) in enumerate(zip(values, place.tolist(), strict=True)):
        if not seen or not row:  # the block that the values begin in the midst of is not used
            mean[row] = value
            continue
        step = value - mean[row - 1]
        mean[row] = mean[row - 1] + step / (seen + 1)
        squares[row] = squares[row - 1] + step * (value - mean[row])
    return mean, squares
