"""Families of models on the same records: memorization beside held-out log-likelihood."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from byrote import figures
from byrote.report.format import with_interval
from byrote.studies.execute import StudyRun
from byrote.studies.findings import audits
from byrote.studies.findings.audits import Contrast
from byrote.studies.findings.finding import Findings


def compare_families(runs: Sequence[StudyRun]) -> Findings:
    """Compare models that see the same numbers, so that their log p can be compared too."""
    pairs = audits.contrasts(runs)
    return Findings(
        tables=(
            ("Memorization and held-out log p, per level", audits.scores_table(runs)),
            ("Beside another model", audits.contrasts_table(pairs)),
        ),
        remarks=tuple(_remarks(runs, pairs)),
        figures={"families": _figure(runs)},
        data={"families": [audits.scores_as_data(run) for run in runs]},
    )


def _remarks(runs: Sequence[StudyRun], pairs: Sequence[Contrast]) -> list[str]:
    most = max(runs, key=lambda run: audits.memorization(run).value)
    sentences = [
        "All models score the same continuous numbers, with one draw of noise for each record, so"
        " log p can be compared between them. Flows are trained with new noise at each step.",
        f"The largest mean of mean_log over the probes is that of: {most.title}"
        f" ({with_interval(audits.memorization(most))} nats).",
    ]
    return [*sentences, *_with_noise(runs), *map(audits.verdict, pairs)]


def _with_noise(runs: Sequence[StudyRun]) -> list[str]:
    """Say of which models log p is that of records with noise, in a sentence."""
    levels = {run.title: run.facts("sigma_min") for run in runs}
    return [
        f"{title}: log p is that of the same numbers with noise of standard deviation {known[0]:g},"
        " so that even the best model's held-out log p is lower than without."
        for title, known in levels.items()
        if known
    ]


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
