"""Memorization and usefulness of an audit, and how two audits differ, with 95 % intervals.

Errors come from leaving out one fit at a time: they speak of other seeds and other halves of the
probes, for these probes. Where two audits have the same plan, fit f of one trains on the records of
fit f of the other with the same seeds, and both are left out together.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.fits.table import Table
from byrote.plans import IN
from byrote.scores.memorization.evaluation import evaluate
from byrote.scores.memorization.held_out import mean_log_prob
from byrote.stats import estimate
from byrote.stats.memorization import Side, estimates
from byrote.stats.standard_errors import Jackknifed

Array = NDArray[np.float64]
Mean = tuple[float, float, float]  # with the ends of its interval
LEVEL = 0.95
_SHUFFLES = 20


@dataclass(frozen=True, eq=False)
class Audit:
    """The table of a run and the (r,) ids of its records."""

    table: Table
    ids: NDArray[Any]

    def of(self, ids: NDArray[Any]) -> "Audit":
        """The same of some of the records."""
        columns = np.isin(self.ids, ids)
        table = self.table
        some = replace(table, rows=table.rows[columns], log_prob=table.log_prob[:, columns])
        return Audit(some, self.ids[columns])

    @cached_property
    def memorization(self) -> "AuditEstimate":
        """Mean of mean_log over the records, nats; a fit less on both sides is two degrees less."""
        found = evaluate(self.table)
        resampled = found.jackknifed["mean_log"]  # records that keep values on both sides
        changes = found.change_sums["mean_log"] / (resampled or np.nan)
        degrees = int(self.table.counting().sum()) - 2
        return AuditEstimate(_mean(found.estimate["mean_log"]), changes, degrees, self.plan)

    @cached_property
    def held_out(self) -> "AuditEstimate":
        """Mean over the records of their mean log p in the fits that hold them out, nats."""
        found = mean_log_prob(self.table, "out")
        return AuditEstimate(found.value, found.changes, found.degrees, self.plan)

    @property
    def plan(self) -> bytes:
        """Equal for equal ids and membership."""
        return b"".join([self.ids.tobytes(), self.table.roles().tobytes()])


@dataclass(frozen=True, eq=False)
class AuditEstimate(Jackknifed):
    """An estimate with its (F,) changes when a fit is left out, and the plan."""

    plan: bytes

    def interval(self, level: float = LEVEL) -> Mean:
        """With Student's interval."""
        return _mean_of(estimate.from_error(self.value, self.error, self.degrees, level=level))


def difference(one: AuditEstimate, other: AuditEstimate, level: float = LEVEL) -> Mean:
    """One minus the other with Student's interval: fit by fit where the plans are the same.

    Otherwise variances add, with Welch and Satterthwaite's degrees of freedom.
    """
    paired = one.plan == other.plan
    return _mean_of(estimate.difference(one, other, paired=paired, level=level))


def by_chance(table: Table, levels: tuple[float, ...], *, seed: int) -> Array:
    """Quantiles of M if nothing were memorized: each record's values dealt out anew, (levels,).

    Without memorization a record's values in and out are exchangeable, and M would be as often that
    of any other deal. Mean over 20 deals; records that lack a value are left out.
    """
    generator = seeds.generator(seed, seeds.Purpose.EVALUATION)
    there = table.counting()
    values, roles = table.log_prob[there].T, table.roles()[there].T
    counts = (roles == IN).sum(axis=1)
    known = np.isfinite(values).all(axis=1) & (counts == np.median(counts))
    a = int(np.median(counts))
    if not known.any() or not 0 < a < values.shape[1]:
        return np.full(len(levels), np.nan)
    found = [
        np.quantile(_score(generator.permuted(values[known], axis=1), a), levels)
        for _ in range(_SHUFFLES)
    ]
    return np.asarray(np.mean(found, axis=0))


def _score(values: Array, a: int) -> Array:
    """M with the first a columns as the values in training."""
    units = np.arange(values.shape[1])
    sides = Side(values[:, :a], units[:a]), Side(values[:, a:], units[a:])
    return estimates(*sides)["score"]


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _mean_of(found: estimate.Estimate) -> Mean:
    return found.value, found.low, found.high
