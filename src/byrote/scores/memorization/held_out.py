"""Mean log-likelihood of records held out or in training: the only place that computes it.

And the mean of their difference, ``mean_log``, where nothing else of an ``Evaluation`` is needed.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.stats import two_sides
from byrote.stats.standard_errors import Jackknifed
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Units = NDArray[np.intp]
Number = TypeVar("Number", bound=np.generic)
_Sums = tuple[float, int, Array, int]  # of values and their number; of changes, and their number
_SIDES = {"in": IN, "out": OUT}


def mean_log_prob(table: Table, side: str) -> Jackknifed:
    """Average over records their mean log p in the fits of one side, "in" or "out"; nats.

    Every record has the same weight, whatever its number of fits. The jackknife leaves out a
    repeat, a pair or a fit at a time from all records at once: what the records of a fit share
    counts, which of them a fit holds out does not, for each is compared with itself. The error is
    that of other seeds and partitions, not of other records. Records without a value on the side
    are left out; those that would lose their last value without some unit, of the error alone.
    """
    fits = np.flatnonzero(table.counting())
    unit = _units(table)[fits]
    units = int(unit.max(initial=-1)) + 1
    member = np.equal.outer(np.arange(units), unit).astype(float)

    def of_block(block: slice) -> _Sums:
        on_side = table.roles()[fits, block] == _SIDES[side]
        known: Flags = on_side.any(axis=0)
        values = _chosen(table.log_prob[fits, block], known)
        mean, replicates = _block(values, _chosen(on_side, known), member)
        complete = np.asarray(~np.isnan(replicates).any(axis=0), np.bool_)
        change = (_chosen(replicates, complete) - _chosen(mean, complete)).sum(axis=1)
        return mean.sum(), len(mean), change, int(complete.sum())

    return _over_records(table, of_block, units)


def mean_score(table: Table) -> Jackknifed:
    """Average ``mean_log`` over records, with the jackknife error of ``Evaluation.mean_error``.

    The jackknife leaves out a repeat or a pair, or a fit from the records on its own side, at a
    time. Records without a value on each side are left out.
    """
    fits = np.flatnonzero(table.counting())
    unit = _units(table)[fits]
    units, single = int(unit.max(initial=-1)) + 1, table.design.units == "fits"

    def of_block(block: slice) -> _Sums:
        values, roles = table.log_prob[fits, block], table.roles()[fits, block]
        sides = [roles == side for side in (IN, OUT)]
        counts = np.array([side.sum(axis=0) for side in sides])
        known = counts.min(axis=0) > 0
        several = counts.min(axis=0) > (1 if single else 0)
        difference, change = np.zeros(len(known)), np.zeros((units, len(known)))
        with np.errstate(invalid="ignore", divide="ignore"):  # where a side is empty, or zero
            for side, count, sign in zip(sides, counts, (1, -1), strict=True):
                kept = np.where(side, values, 0.0)
                mean = kept.sum(axis=0) / count
                difference += sign * mean
                if single:  # beside the mean of the side's replicates, which is its mean
                    rest = np.where(side, mean - kept, 0.0)
                    rest /= sign * (count - 1)
                    change += rest
                else:
                    change += sign * (_without_each(kept, side, unit, units) - mean)
            difference, change = difference[known], _chosen(change, several)
            if not single:
                change[np.isnan(change)] = 0.0
            counted = ~np.isnan(difference)
            total, records = float(difference[counted].sum()), int(counted.sum())
            return total, records, change.sum(axis=1), int((several[known] & counted).sum())

    return _over_records(table, of_block, units)


def _over_records(table: Table, of_block: Callable[[slice], _Sums], units: int) -> Jackknifed:
    """Average over records, of which ``of_block`` returns the sums of some."""
    total, records, change_sums, jackknifed = 0.0, 0, np.zeros(units), 0
    blocks = two_sides.blocks(table.log_prob)
    for part in in_order(of_block, blocks, size=table.log_prob.size):
        total, records = total + part[0], records + part[1]
        change_sums, jackknifed = change_sums + part[2], jackknifed + part[3]
    value = float(total / records) if records else np.nan
    return Jackknifed(value, change_sums / (jackknifed or np.nan), units - 1.0)


def _without_each(values: Array, on_side: Flags, unit: Units, units: int) -> Array:
    """(units, m) means of a side's values, 0 elsewhere, with each unit left out in turn."""
    sums, counts = np.zeros((2, units, values.shape[1]))
    for place, row, flags in zip(unit.tolist(), values, on_side, strict=True):
        sums[place] += row
        counts[place] += flags
    return (values.sum(axis=0) - sums) / (on_side.sum(axis=0) - counts)


def _block(values: Array, on_side: NDArray[np.bool_], member: Array) -> tuple[Array, Array]:
    """(m,) means of records, and (units, m) means with each unit left out in turn."""
    values = np.where(on_side, values, 0.0)
    finite = np.isfinite(values)  # zero densities make no replicates
    replicable = finite.all(axis=0)
    sums, counts = values, on_side.astype(float)
    if not replicable.all():
        sums = np.where(finite, values, 0.0)
    if len(member) < len(on_side):  # units of several fits
        sums, counts = member @ sums, member @ counts
    left = counts.sum(axis=0) - counts
    if not (left > 0).all():
        left = np.where(left > 0, left, np.nan)
    replicates = sums.sum(axis=0) - sums
    replicates /= left
    if not replicable.all():
        replicates[:, ~replicable] = np.nan
    with np.errstate(invalid="ignore"):
        return np.asarray(values.sum(axis=0) / on_side.sum(axis=0)), replicates


def _chosen(values: NDArray[Number], records: Flags) -> NDArray[Number]:
    """Choose records, (..., m); the same array where they are all."""
    return values if records.all() else values[..., records]


def _units(table: Table) -> NDArray[np.intp]:
    """(F,) the jackknife unit of each fit."""
    fits = table.counting()
    if table.design.units == "fits":
        return np.asarray(np.cumsum(fits) - 1, np.intp)
    units = np.zeros(table.design.fits, np.intp)
    units[fits] = np.unique(table.design.repeat[fits], return_inverse=True)[1]
    return units
