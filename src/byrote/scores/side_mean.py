"""Mean log-likelihood of records on one side, held out or in training, records held fixed.

The one place where it is computed: for summaries, comparisons and studies.
"""

import numpy as np
from numpy.typing import NDArray

from byrote.fits.table import Table
from byrote.plans import IN, OUT
from byrote.stats.standard_errors import Jackknifed

Array = NDArray[np.float64]
_BLOCK = 1 << 20  # values computed on at a time
_SIDES = {"in": IN, "out": OUT}


def mean_log_prob(table: Table, side: str) -> Jackknifed:
    """Mean over records of their mean log p in the fits of one side, "in" or "out"; nats.

    Every record counts alike, however many fits it has. The jackknife leaves out a repeat, a pair
    or a fit at a time from all records at once, so what the records of a fit share counts; which of
    them a fit holds out does not, for each is compared with itself. The error speaks of other
    seeds and partitions, not of other records. Records without any value on
    the side are left out; of the error also those that would lose their last value with some unit.
    """
    there = np.flatnonzero(table.counting())
    unit = _units(table)[there]
    units = int(unit.max(initial=-1)) + 1
    member = np.equal.outer(np.arange(units), unit).astype(float)
    roles = table.roles()[there] == _SIDES[side]
    total, without, records, resampled = 0.0, np.zeros(units), 0, 0
    size = max(1, _BLOCK // max(1, len(there)))
    for start in range(0, len(table.rows), size):
        block = slice(start, start + size)
        own = roles[:, block].any(axis=0)
        own_roles, values = roles[:, block][:, own], table.log_prob[there, block][:, own]
        mean, replicates = _block(values, own_roles, member)
        total, records = total + mean.sum(), records + len(mean)
        kept = ~np.isnan(replicates).any(axis=0)
        without += (replicates[:, kept] - mean[kept]).sum(axis=1)
        resampled += int(kept.sum())
    changes = without / (resampled or np.nan)
    return Jackknifed(float(total / records) if records else np.nan, changes, units - 1.0)


def _block(values: Array, roles: NDArray[np.bool_], member: Array) -> tuple[Array, Array]:
    """(m,) means of records and (units, m) means without one unit at a time."""
    chosen = np.where(roles, values, 0.0)
    finite = np.isfinite(chosen)  # zero densities make no replicates
    sums, counts = np.where(finite, chosen, 0.0), roles.astype(float)
    if len(member) < len(roles):  # units of several fits
        sums, counts = member @ sums, member @ counts
    left = counts.sum(axis=0) - counts
    replicates = (sums.sum(axis=0) - sums) / np.where(left > 0, left, np.nan)
    replicates[:, ~finite.all(axis=0)] = np.nan
    with np.errstate(invalid="ignore"):
        return np.asarray(chosen.sum(axis=0) / counts.sum(axis=0)), replicates


def _units(table: Table) -> NDArray[np.intp]:
    design = table.design
    if design.units == "fits":
        place = np.cumsum(table.counting()) - 1
        return np.asarray(place, np.intp)
    there = table.counting()
    units = np.zeros(design.fits, np.intp)
    units[there] = np.unique(design.repeat[there], return_inverse=True)[1]
    return units
