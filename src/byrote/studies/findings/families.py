"""Families of models on the same records: memorization beside held-out log-likelihood."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from byrote import figures
from byrote.report.format import duration, number, with_interval
from byrote.stats.estimate import Estimate
from byrote.studies.execute import StudyRun
from byrote.studies.findings import audits
from byrote.studies.findings.audits import LEVELS, Contrast
from byrote.studies.findings.finding import Findings, Rows, numbers


def compare_families(runs: Sequence[StudyRun]) -> Findings:
    """Compare models that see the same numbers, so that their log p can be compared too."""
    pairs = audits.contrasts(runs)
    return Findings(
        tables=(
            ("Memorization and held-out log p, per level", _families(runs)),
            ("Beside another model", _differences(pairs)),
        ),
        remarks=tuple(_remarks(runs, pairs)),
        figures={"families": _figure(runs)},
        data={"families": [_as_data(run) for run in runs]},
    )


def _families(runs: Sequence[StudyRun]) -> Rows:
    head = ("", "held-out log p [95 %]", "mean of mean_log [95 %]", "significant (q ≤ 0.05)",
            "M: median", "95 % (by chance)", "a fit")  # fmt: skip
    return [head, *map(_family, runs)]


def _family(run: StudyRun) -> tuple[str, ...]:
    values, chance = audits.quantiles_of(run), audits.by_chance(run, LEVELS)
    seconds = run.median_seconds()
    return (
        run.title,
        with_interval(audits.held_out(run)),
        with_interval(audits.memorization(run)),
        "–" if run.significant is None else f"{run.significant:,} of {len(run.probe_rows()):,}",
        number(values[0.5]),
        f"{number(values[0.95])} ({number(chance[0.95])})",
        "–" if np.isnan(seconds) else duration(seconds),
    )


def _differences(pairs: Sequence[Contrast]) -> Rows:
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


def _remarks(runs: Sequence[StudyRun], pairs: Sequence[Contrast]) -> list[str]:
    most = max(runs, key=lambda run: audits.memorization(run).value)
    sentences = [
        "All models score the same continuous numbers, with one draw of noise for each record, so"
        " log p can be compared between them. Flows are trained with new noise at each step.",
        f"The largest mean of mean_log over the probes is that of: {most.title}"
        f" ({with_interval(audits.memorization(most))} nats).",
    ]
    return [*sentences, *map(_verdict, pairs)]


def _verdict(pair: Contrast) -> str:
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


def _figure(runs: Sequence[StudyRun]) -> Any:
    points = []
    for run in runs:
        cost, more = audits.held_out(run), audits.memorization(run)
        if np.isfinite([cost.value, more.value]).all():
            interval = (-cost.high, -cost.low)
            point = figures.ParetoPoint(
                run.title, -cost.value, more.value, interval, (more.low, more.high)
            )
            points.append(point)
    return figures.pareto(points, "minus held-out log p (nats)", "mean of mean_log (nats)")


def _as_data(run: StudyRun) -> dict[str, Any]:
    return {
        "name": run.name,
        "held_out": numbers(audits.held_out(run)),
        "mean_log": numbers(audits.memorization(run)),
        "significant": run.significant,
        "quantiles": audits.quantiles_of(run),
        "by_chance": audits.by_chance(run, LEVELS),
        "seconds": run.median_seconds(),
    }
