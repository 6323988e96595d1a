"""Audits of the same probes: means, quantiles, attacks, and contrasts with a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import seeds
from byrote.plans import IN
from byrote.report.format import duration, number, with_interval
from byrote.runs.table import Table
from byrote.scores.compare.compare import score_change
from byrote.scores.compare.comparison import ScoreChange
from byrote.scores.compare.matched_records import mean_log_prob
from byrote.scores.compare.score_difference import EvaluatedTable
from byrote.scores.privacy.membership import MembershipInference
from byrote.stats.estimate import LEVEL, Estimate, from_error
from byrote.stats.memorization import Side, estimates
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Rows, numbers

Array = NDArray[np.float64]
Quantiles = dict[float, float]  # by level
LEVELS = (0.5, 0.95, 0.999)
_PERMUTATIONS = 20


def memorization(run: StudyRun) -> Estimate:
    """Estimate the mean of mean_log over the probes, in nats."""
    audit = EvaluatedTable(run.run.table(partial=True), run.run.evaluation)
    values = audit.evaluation.estimate["mean_log"]
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if len(known) else float("nan")
    error, degrees = audit.evaluation.mean_error("mean_log"), audit.mean_degrees()
    return from_error(mean, error, degrees, units="fits")


def detectable(run: StudyRun) -> str:
    """State which effect on a single record the audit would find, or what that needs."""
    summary = run.memorization.summary()
    effect = summary.sensitivity.detectable
    if np.isfinite(effect):
        return f"a single record that rises by {number(effect)} nats is found with 80 % power"
    if np.isposinf(effect):
        return "no single record could be found with so few fits"
    return f"the smallest possible p-value is {number(summary.smallest_p)}"


def held_out(run: StudyRun) -> Estimate:
    """Estimate the mean log p of the probes in the fits that hold them out, in nats."""
    return mean_log_prob(run.run.table(partial=True), "out")


def score_quantile(run: StudyRun, ids: NDArray[Any], level: float) -> float:
    """Return a quantile of M over some of the probes; NaN if none has a score."""
    return quantile(run.probe_scores("score")[np.isin(run.probe_ids(), ids)], level)


def quantile(values: Array, level: float) -> float:
    """Return a quantile of the values that are not NaN, NaN if there are none."""
    known = values[~np.isnan(values)]
    return float(np.quantile(known, level)) if len(known) else float("nan")


def chance_quantiles(table: Table, levels: tuple[float, ...], *, seed: int) -> Array:
    """Estimate quantiles of M if nothing were memorized, (levels,).

    Without memorization a record's values in and out are exchangeable, so that M is distributed as
    that of a random permutation. Mean over 20 permutations, of the records without missing values.
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


def by_chance(run: StudyRun, levels: tuple[float, ...]) -> Quantiles:
    """Return the quantiles of ``chance_quantiles`` for a run, by level."""
    table, seed = run.run.table(partial=True), run.run.manifest.seed
    return dict(zip(levels, chance_quantiles(table, levels, seed=seed).tolist(), strict=True))


def _score(values: Array, a: int) -> Array:
    """Compute M with the first a columns as the values in training."""
    units = np.arange(values.shape[1])
    sides = Side(values[:, :a], units[:a]), Side(values[:, a:], units[a:])
    return estimates(*sides)["score"]


def quantiles_of(run: StudyRun, estimator: str = "score") -> Quantiles:
    """Return the quantiles ``LEVELS`` of an estimator over the probes, by level."""
    return {level: quantile(run.probe_scores(estimator), level) for level in LEVELS}


def membership(run: StudyRun, attack: str) -> MembershipInference:
    """Infer the membership of the probes in the finished fits."""
    return run.run.membership(attack, partial=True)


def epsilon(run: StudyRun) -> tuple[float, float] | None:
    """Return the largest epsilon that a fit guarantees, and delta; None if it is not private."""
    spent = run.facts("privacy")
    if not spent:
        return None
    epsilons = [np.inf if s["epsilon"] is None else float(s["epsilon"]) for s in spent]
    return max(epsilons), max(float(s["delta"]) for s in spent)


@dataclass(frozen=True, eq=False)
class Contrast:
    """A run minus its baseline, on the probes of both.

    Intervals of the means hold for all contrasts of a study together.
    """

    run: StudyRun
    baseline: StudyRun
    change: ScoreChange
    high: tuple[float, float]  # 95 % quantiles of M over these probes, of run and baseline

    @property
    def memorization(self) -> Estimate:
        """Difference of the mean of mean_log, in nats."""
        return self.change.mean["mean_log"]

    @property
    def held_out(self) -> Estimate:
        """Difference of the mean held-out log p, in nats."""
        return self.change.held_out


def contrasts(runs: Sequence[StudyRun]) -> tuple[Contrast, ...]:
    """Compare each run with the baseline that it declares, if both have fits.

    With c comparisons each interval has level 1 - 0.05 / c (Bonferroni), so that all of them cover
    the true differences in 95 % of studies.
    """
    by_name = {run.name: run for run in runs}
    pairs = [
        (run, by_name[run.declared.baseline])
        for run in runs
        if run.declared.baseline in by_name and run.declared.baseline != run.name
    ]
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    return tuple(_contrast(run, baseline, level) for run, baseline in pairs)


def _contrast(run: StudyRun, baseline: StudyRun, level: float) -> Contrast:
    change = score_change(baseline.run, run.run, level=level)
    high = tuple(score_quantile(each, change.ids, 0.95) for each in (run, baseline))
    return Contrast(run, baseline, change, (high[0], high[1]))


# -- tables and sentences ------------------------------------------------------------------------


def scores_table(runs: Sequence[StudyRun]) -> Rows:
    """Tabulate held-out log p and memorization of the probes, one row a run."""
    head = ("", "held-out log p [95 %]", "mean of mean_log [95 %]", "significant (q ≤ 0.05)",
            "M: median", "95 % (by chance)", "a fit")  # fmt: skip
    return [head, *map(_scores, runs)]


def _scores(run: StudyRun) -> tuple[str, ...]:
    values, chance = quantiles_of(run), by_chance(run, LEVELS)
    seconds = run.median_seconds()
    return (
        run.title,
        with_interval(held_out(run)),
        with_interval(memorization(run)),
        "–" if run.significant is None else f"{run.significant:,} of {len(run.probe_rows()):,}",
        number(values[0.5]),
        f"{number(values[0.95])} ({number(chance[0.95])})",
        "–" if np.isnan(seconds) else duration(seconds),
    )


def contrasts_table(pairs: Sequence[Contrast]) -> Rows:
    """Tabulate the differences of runs and their baselines."""
    head = ("", "beside", "held-out log p [95 % together]", "mean of mean_log [95 % together]")
    rows = [
        (
            pair.run.title,
            pair.baseline.title,
            with_interval(pair.held_out),
            with_interval(pair.memorization),
        )
        for pair in pairs
    ]
    return [head, *rows]


def verdict(pair: Contrast) -> str:
    """Say whether a model memorizes more than another, and what it predicts beside it."""
    memorizes = _compared(pair.memorization, "more", "less")
    predicts = _compared(pair.held_out, "better", "worse")
    return (
        f"{pair.run.title}: memorizes {memorizes} than {pair.baseline.title}, and predicts held-out"
        f" records {predicts}."
    )


def _compared(difference: Estimate, above: str, below: str) -> str:
    neither = f"neither significantly {above} nor {below}"
    return {1: above, 0: neither, -1: below}[difference.sign]


def scores_as_data(run: StudyRun) -> dict[str, Any]:
    """Return the numbers of ``scores_table`` as plain data."""
    return {
        "name": run.name,
        "held_out": numbers(held_out(run)),
        "mean_log": numbers(memorization(run)),
        "significant": run.significant,
        "quantiles": quantiles_of(run),
        "by_chance": by_chance(run, LEVELS),
        "seconds": run.median_seconds(),
    }
