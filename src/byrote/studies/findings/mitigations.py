"""Which changes of training lower memorization, and what they cost."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from byrote import figures
from byrote.report.figures.pareto import difference_labels
from byrote.report.format import duration, number
from byrote.scores.privacy.membership import MembershipInference
from byrote.stats.estimate import Estimate
from byrote.stats.pareto_frontier import pareto_frontier
from byrote.studies.execute import StudyRun
from byrote.studies.findings.audits import (
    Contrast,
    chance_quantiles,
    contrasts,
    held_out,
    memorization,
    quantile,
)
from byrote.studies.findings.conclusions import conclusions
from byrote.studies.findings.finding import Findings, Rows, numbers, with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEVELS = (0.5, 0.95, 0.999)
ATTACKS = ("loss", "lira")

Quantiles = dict[float, float]


def compare_mitigations(runs: Sequence[StudyRun]) -> Findings:
    """Compare runs that audit the same probes, each with its baseline."""
    pairs = contrasts(runs)
    frontier = _frontier(pairs)
    chance = {run.name: _by_chance(run) for run in runs}
    return Findings(
        tables=(
            ("Memorization and usefulness", _audits(runs)),
            ("M by quantiles, nats", _quantiles(runs, chance)),
            ("What changes", _changes(pairs, frontier)),
        ),
        remarks=tuple(conclusions(runs, pairs, frontier)),
        figures=_figures(runs, chance, pairs),
        data={
            "audits": [_audit_as_data(run, chance[run.name]) for run in runs],
            "differences": [_contrast_as_data(pair, pair in frontier) for pair in pairs],
        },
    )


def _by_chance(run: StudyRun) -> Quantiles:
    table, seed = run.run.table(partial=True), run.run.manifest.seed
    return dict(zip(LEVELS, chance_quantiles(table, LEVELS, seed=seed).tolist(), strict=True))


def quantiles_of(run: StudyRun, estimator: str = "score") -> Quantiles:
    """Return quantiles of an estimator over the probes."""
    return {level: quantile(run.probe_scores(estimator), level) for level in LEVELS}


def membership(run: StudyRun, attack: str) -> MembershipInference:
    """Attack the probes of the finished fits."""
    return run.run.membership(attack, partial=True)


def epsilon(run: StudyRun) -> tuple[float, float] | None:
    """Return the largest epsilon that a fit guarantees, and delta; None if it is not private."""
    spent = run.facts("privacy")
    if not spent:
        return None
    epsilons = [np.inf if s["epsilon"] is None else float(s["epsilon"]) for s in spent]
    return max(epsilons), max(float(s["delta"]) for s in spent)


def _audits(runs: Sequence[StudyRun]) -> Rows:
    head = ("", "probes", "held-out log p [95 %]", "mean of mean_log [95 %]",
            "significant (q ≤ 0.05)", "AUC, loss [95 %]", "AUC, LiRA [95 %]", "epsilon promised",
            "a fit")  # fmt: skip
    return [head, *map(_audit, runs)]


def _audit(run: StudyRun) -> tuple[str, ...]:
    seconds, promised = run.median_seconds(), epsilon(run)
    significant = run.memorization.summary().significant
    attacks = [membership(run, attack) for attack in ATTACKS]
    return (
        run.title,
        f"{len(run.probe_rows()):,}",
        with_interval(held_out(run)),
        with_interval(memorization(run)),
        "–" if significant is None else f"{significant:,}",
        *(with_interval(Estimate(attack.auc, *attack.interval)) for attack in attacks),
        "" if promised is None else f"{number(promised[0])} (delta {promised[1]:g})",
        "–" if np.isnan(seconds) else duration(seconds),
    )


def _quantiles(runs: Sequence[StudyRun], chance: Mapping[str, Quantiles]) -> Rows:
    head = ("", "median (by chance)", "95 % (by chance)", "99.9 % (by chance)", "halves agree")
    rows = []
    for run in runs:
        values, permuted = quantiles_of(run), chance[run.name]
        cells = [f"{number(values[level])} ({number(permuted[level])})" for level in LEVELS]
        rows.append((run.title, *cells, number(run.memorization.summary().reliability.score)))
    return [head, *rows]


def _changes(pairs: Sequence[Contrast], frontier: Sequence[Contrast]) -> Rows:
    head = ("", "against", "probes of both", "memorization, mean of mean_log [95 % together]",
            "95 % quantile of M, and there", "held-out log p [95 % together]",
            "frontier")  # fmt: skip
    rows = [
        (
            pair.run.title,
            pair.baseline.title,
            f"{len(pair.change.ids):,}",
            with_interval(pair.memorization),
            " and ".join(number(value) for value in pair.high),
            with_interval(pair.held_out),
            "yes" if pair in frontier else "",
        )
        for pair in pairs
    ]
    return [head, *rows]


def _frontier(pairs: Sequence[Contrast]) -> list[Contrast]:
    """Return what nothing both memorizes less than and predicts better, by the means.

    The baseline is at 0, 0.
    """
    x = np.array([0.0, *(-pair.held_out.value for pair in pairs)])
    y = np.array([0.0, *(pair.memorization.value for pair in pairs)])
    return [pairs[place - 1] for place in pareto_frontier(x, y).tolist() if place]


def _figures(
    runs: Sequence[StudyRun], chance: Mapping[str, Quantiles], pairs: Sequence[Contrast]
) -> "dict[str, Figure]":
    rows = [
        figures.Quantiles(run.title, values, chance[run.name])
        for run in runs
        for values in [quantiles_of(run)]
        if np.isfinite(list(values.values())).all()
    ]
    drawn: dict[str, Figure] = {}
    if rows:
        drawn["memorization-quantiles"] = figures.quantiles_by_configuration(rows)
    known = [p for p in pairs if np.isfinite([p.held_out.value, p.memorization.value]).all()]
    if known:
        base = known[0].baseline.title
        points = [_point(pair, base) for pair in known]
        drawn["mitigations-pareto"] = figures.pareto(
            points, *difference_labels(base), baseline=base
        )
    return drawn


def _point(pair: Contrast, base: str) -> figures.ParetoPoint:
    name, cost, more = pair.run.title, pair.held_out, pair.memorization
    if pair.baseline.title != base:
        name = f"{name} (against {pair.baseline.title})"
    return figures.ParetoPoint(
        name=name,
        x=-cost.value,
        y=more.value,
        x_interval=(-cost.high, -cost.low),
        y_interval=(more.low, more.high),
    )


def _audit_as_data(run: StudyRun, chance: Quantiles) -> dict[str, Any]:
    promised = epsilon(run) or (None, None)
    return {
        "name": run.name,
        "probes": len(run.probe_rows()),
        "held_out": numbers(held_out(run)),
        "mean_log": numbers(memorization(run)),
        "significant": run.memorization.summary().significant,
        "quantiles": {name: quantiles_of(run, name) for name in ("score", "matched", "mean_log")},
        "by_chance": chance,
        "membership": {attack: membership(run, attack).to_dict() for attack in ATTACKS},
        "epsilon": promised[0],
        "delta": promised[1],
    }


def _contrast_as_data(pair: Contrast, frontier: bool) -> dict[str, Any]:
    return {
        "name": pair.run.name,
        "against": pair.baseline.name,
        "probes": len(pair.change.ids),
        "paired": pair.change.paired,
        "memorization": numbers(pair.memorization),
        "held_out": numbers(pair.held_out),
        "frontier": frontier,
    }
