"""LiRA: likelihood ratios of membership from fits with and without a record.

Carlini et al. (2022), "Membership inference attacks from first principles", with the fits of one
table as shadow models of one another. The references of a fit are those that follow it, cyclically.

Their moments take time linear in the values: a window of w values is the end of one block of w and
the beginning of the next (van Herk 1992). The moments of every beginning and every end are running
ones, and two of them are merged (Chan, Golub & LeVeque 1983). Nothing is subtracted, so a value
outside the window leaves no rounding error in it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.stats import two_sides
from byrote.stats.threads import for_each, in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.intp]
FLOOR = 1e-6  # nats; the least standard deviation, where references are all equal


def reference_counts(inside: Counts, outside: Counts) -> Counts:
    """Return the number of references on each side, (n,): the smaller count less 1, at least 0.

    The attacked fit is not among its own references, so its side has one value less. The number of
    references must not reveal which side that is, so for every attacked fit both sides have as many
    as the smaller one without it.
    """
    return np.asarray(np.maximum(np.minimum(inside, outside) - 1, 0), dtype=np.intp)


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
    twin = _twins(np.arange(len(values)) if unit is None else unit)
    sides = two_sides.counts(values, included)
    count = reference_counts(*sides)
    blocks = [block for block in two_sides.alike(*sides) if count[block[0]] >= 2]
    few = [block for block in blocks if count[block[0]] < enough]
    ratio = np.full(values.shape, np.nan)

    def own(columns: Counts) -> tuple[Array, int] | None:
        """Compute ratios, and sums of squares with their degrees of freedom where these are few."""
        inside, outside = _sides(values, included, columns, twin, count)
        if inside.degrees + 1 >= enough:
            ratio[:, columns] = inside.log_density() - outside.log_density()
        if not few:
            return None
        squares = [side.at(side.squares).sum(axis=1) for side in (inside, outside)]
        return np.array(squares), len(columns) * inside.degrees

    sums = [each for each in in_order(own, blocks, size=values.size) if each is not None]
    if not few:
        return ratio
    total = np.sum([squares for squares, _ in sums], axis=0)
    variance = total / sum(degrees for _, degrees in sums)

    def pooled(columns: Counts) -> None:
        inside, outside = _sides(values, included, columns, twin, count)
        ratio[:, columns] = inside.log_density(variance[0]) - outside.log_density(variance[1])

    for_each(pooled, few, size=values.size)
    return ratio


def _twins(unit: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the other fit of each fit's unit, (F,); itself if alone."""
    order = np.argsort(unit, kind="stable")
    same = np.flatnonzero(unit[order[1:]] == unit[order[:-1]])
    twin = np.arange(len(unit))
    twin[order[same]], twin[order[same + 1]] = order[same + 1], order[same]
    return twin


def _sides(
    values: Array, included: Flags, columns: Counts, twin: Counts, count: Counts
) -> tuple["_References", "_References"]:
    """Cut out the references in and out of training, of columns with equally many on each side."""
    block, member, width = values[:, columns], included[:, columns], int(count[columns[0]])
    return _References.of(block, member, twin, width), _References.of(block, ~member, twin, width)


@dataclass(frozen=True, eq=False)
class _References:
    """References on one side of m records with equally many, for every attacked fit.

    values: (F, m) attacked ones. mean, squares: (a, m) moments of the windows of references that
    begin at each of a values of the side. cell: (F, m) place of each fit's window in these.
    """

    values: Array
    mean: Array
    squares: Array
    degrees: int
    cell: Counts

    @classmethod
    def of(cls, values: Array, side: Flags, twin: Counts, width: int) -> "_References":
        """Cut out the side's values.

        References begin after the attacked fit, or after its twin if that is on this side, which is
        then last in the cycle and never reached.
        """
        side = side & ~np.isnan(values)
        mean, squares = window_moments(two_sides.cut(values, side), width)
        passed = np.cumsum(side, axis=0)
        rows = np.arange(len(twin))
        if (twin != rows).any():
            after = np.where(side[twin], twin[:, None], rows[:, None])
            passed = np.take_along_axis(passed, after, axis=0)
        passed[passed == len(mean)] = 0
        cell = passed * mean.shape[1] + np.arange(mean.shape[1])
        return cls(values, mean, squares, width - 1, cell)

    def at(self, moments: Array) -> Array:
        """Return the moments of each fit's references, (F, m)."""
        return np.asarray(moments.ravel()[self.cell])

    def log_density(self, variance: Array | None = None) -> Array:
        """Compute log densities in a normal law of the references, (F, m).

        variance: (F,) pooled ones; default: the references' own.
        """
        if variance is None:
            deviation = np.maximum(np.sqrt(self.squares / self.degrees), FLOOR)
            spread, height = self.at(deviation), self.at(-np.log(deviation))
        else:
            spread = np.maximum(np.sqrt(variance), FLOOR)[:, None]
            height = -np.log(spread)
        return np.asarray(height - 0.5 * ((self.values - self.at(self.mean)) / spread) ** 2)


def window_moments(values: Array, width: int) -> tuple[Array, Array]:
    """Compute moments of the ``width`` values from each row on, down the columns and around.

    Parameters
    ----------
    values
        (a, m)
    width
        At least 1 and at most a.

    Returns
    -------
    (a, m) means and (a, m) sums of squared deviations.

    Examples
    --------
    >>> mean, squares = window_moments(np.array([[1.0], [2.0], [4.0], [9.0]]), 2)
    >>> mean.ravel().tolist(), squares.ravel().tolist()
    ([1.5, 3.0, 6.5, 5.0], [0.5, 2.0, 12.5, 32.0])
    """
    size = len(values)
    place = np.arange(size + width - 1) % width  # within blocks as long as a window
    around = np.concatenate([values, values[: width - 1]])
    tail = [each[::-1][:size] for each in _running(around[::-1], width - 1 - place[::-1])]
    head = [each[width - 1 :] for each in _running(around, place)]
    offset = place[:size, None]  # of a window in its block: so many of its values lie in the next
    share = offset / width
    gap = np.where(offset > 0, head[0] - tail[0], 0.0)
    mean = tail[0] + share * gap
    squares = tail[1] + np.where(offset > 0, head[1], 0.0) + gap**2 * share * (width - offset)
    return mean, squares


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
