"""Audits of the same probes: memorization, held-out log p, quantiles of M; and their contrasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.plans import IN
from byrote.runs.table import Table
from byrote.scores.compare.compare import score_change
from byrote.scores.compare.comparison import ScoreChange
from byrote.scores.compare.records import mean_log_prob
from byrote.scores.compare.score_difference import EvaluatedTable
from byrote.stats.estimate import LEVEL, Estimate, from_error
from byrote.stats.memorization import Side, estimates
from byrote.studies.execute import StudyRun

Array = NDArray[np.float64]
_PERMUTATIONS = 20


def memorization(run: StudyRun) -> Estimate:
    """Estimate the mean of mean_log over the probes, in nats."""
    audit = EvaluatedTable(run.run.table(partial=True), run.run.evaluation)
    values = audit.evaluation.estimate["mean_log"]
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if len(known) else float("nan")
    error, degrees = audit.evaluation.mean_error("mean_log"), audit.mean_degrees()
    return from_error(mean, error, degrees, units="fits")


def held_out(run: StudyRun) -> Estimate:
    """Estimate the mean log p of the probes in the fits that hold them out, in nats."""
    return mean_log_prob(run.run.table(partial=True), "out")


def score_quantile(run: StudyRun, ids: NDArray[Any], level: float) -> float:
    """Return a quantile of M over some of the probes; NaN where none has a score."""
    return quantile(run.probe_scores("score")[np.isin(run.probe_ids(), ids)], level)


def quantile(values: Array, level: float) -> float:
    """Return a quantile of what is not NaN; NaN where all is."""
    known = values[~np.isnan(values)]
    return float(np.quantile(known, level)) if len(known) else float("nan")


def chance_quantiles(table: Table, levels: tuple[float, ...], *, seed: int) -> Array:
    """Estimate quantiles of M if nothing were memorized, (levels,).

    Without memorization a record's values in and out are exchangeable, and M would be as often that
    of any permutation. Mean over 20 permutations; records that lack a value are left out.
    """
    generator = seeds.generator(seed, seeds.Purpose.EVALUATION)
    there = table.counting()
    values, roles = table.log_prob[there].T, table.roles()[there].T
    inside = (roles == IN).sum(axis=1)
    a = int(np.median(inside))
    known = np.isfinite(values).all(axis=1) & (inside == np.median(inside))
    if not known.any() or not 0 < a < values.shape[1]:
        return np.full(len(levels), np.nan)
    permuted = [
        np.quantile(_score(generator.permuted(values[known], axis=1), a), levels)
        for _ in range(_PERMUTATIONS)
    ]
    return np.asarray(np.mean(permuted, axis=0))


def _score(values: Array, a: int) -> Array:
    """Compute M with the first a columns as the values in training."""
    units = np.arange(values.shape[1])
    sides = Side(values[:, :a], units[:a]), Side(values[:, a:], units[a:])
    return estimates(*sides)["score"]


@dataclass(frozen=True, eq=False)
class Contrast:
    """A run and its baseline, on the probes of both; higher is more.

    Attributes
    ----------
    run, baseline
        The runs.
    change
        How their scores differ. Intervals of the means hold for all contrasts of a study together.
    high
        The 95 % quantiles of M over these probes, of the run and of the baseline.
    """

    run: StudyRun
    baseline: StudyRun
    change: ScoreChange
    high: tuple[float, float]

    @property
    def memorization(self) -> Estimate:
        """Difference of the mean of mean_log, in nats."""
        return self.change.mean["mean_log"]

    @property
    def held_out(self) -> Estimate:
        """Difference of the mean held-out log p, in nats."""
        return self.change.held_out


def contrasts(runs: Sequence[StudyRun]) -> tuple[Contrast, ...]:
    """Compare each run with the one that its declaration names, if both have fits.

    With c comparisons each interval has level 1 - 0.05 / c (Bonferroni), so that in 95 % of studies
    all of them hold what they should.
    """
    by_name = {run.name: run for run in runs}
    pairs = [
        (run, by_name[run.declared.against])
        for run in runs
        if run.declared.against in by_name and run.declared.against != run.name
    ]
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    return tuple(_contrast(run, baseline, level) for run, baseline in pairs)


def _contrast(run: StudyRun, baseline: StudyRun, level: float) -> Contrast:
    change = score_change(baseline.run, run.run, level=level)
    high = tuple(score_quantile(each, change.ids, 0.95) for each in (run, baseline))
    return Contrast(run, baseline, change, (high[0], high[1]))
