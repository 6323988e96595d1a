"""Mean log-likelihood of records held out or in training: the only place that computes it."""

import numpy as np
from numpy.typing import NDArray

from byrote.plans import IN, OUT
from byrote.runs.table import Table
from byrote.stats import two_sides
from byrote.stats.standard_errors import Jackknifed

Array = NDArray[np.float64]
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
    on_side = table.roles()[fits] == _SIDES[side]
    total, change_sums, records, jackknifed = 0.0, np.zeros(units), 0, 0
    for block in two_sides.blocks(table.log_prob):
        known = on_side[:, block].any(axis=0)
        values = table.log_prob[fits, block][:, known]
        mean, replicates = _block(values, on_side[:, block][:, known], member)
        total, records = total + mean.sum(), records + len(mean)
        complete = ~np.isnan(replicates).any(axis=0)
        change_sums += (replicates[:, complete] - mean[complete]).sum(axis=1)
        jackknifed += int(complete.sum())
    value = float(total / records) if records else np.nan
    return Jackknifed(value, change_sums / (jackknifed or np.nan), units - 1.0)


def _block(values: Array, on_side: NDArray[np.bool_], member: Array) -> tuple[Array, Array]:
    """(m,) means of records, and (units, m) means with each unit left out in turn."""
    values = np.where(on_side, values, 0.0)
    finite = np.isfinite(values)  # zero densities make no replicates
    sums, counts = np.where(finite, values, 0.0), on_side.astype(float)
    if len(member) < len(on_side):  # units of several fits
        sums, counts = member @ sums, member @ counts
    left = counts.sum(axis=0) - counts
    replicates = (sums.sum(axis=0) - sums) / np.where(left > 0, left, np.nan)
    replicates[:, ~finite.all(axis=0)] = np.nan
    with np.errstate(invalid="ignore"):
        return np.asarray(values.sum(axis=0) / counts.sum(axis=0)), replicates


def _units(table: Table) -> NDArray[np.intp]:
    """(F,) the jackknife unit of each fit."""
    fits = table.counting()
    if table.design.units == "fits":
        return np.asarray(np.cumsum(fits) - 1, np.intp)
    units = np.zeros(table.design.fits, np.intp)
    units[fits] = np.unique(table.design.repeat[fits], return_inverse=True)[1]
    return units
