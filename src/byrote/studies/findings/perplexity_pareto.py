"""The Pareto frontier of test perplexity and exposure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from byrote import figures
from byrote.report.figures.exposure_marks import EXPOSURE
from byrote.report.figures.pareto import PERPLEXITY
from byrote.report.format import insertions, number, with_interval
from byrote.stats.estimate import Estimate
from byrote.stats.pareto_frontier import pareto_frontier
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, Rows, mean_of, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CLOSE = 0.05  # largest relative difference of close perplexities


@dataclass(frozen=True, eq=False)
class Point:
    """A run by test perplexity and mean exposure at the level compared."""

    run: StudyRun
    perplexity: Estimate
    exposure: Estimate


def perplexity_pareto(runs: Sequence[StudyRun]) -> Findings:
    """Compare models trained on the same canaries in the same places."""
    levels = sorted(runs[0].declared.insertions)
    level = levels[len(levels) // 2]
    points = [
        Point(run, mean_of(run.exposures.perplexity()), run.mean_exposure(run.level_rows(level)))
        for run in runs
    ]
    known = [p for p in points if np.isfinite([p.perplexity.value, p.exposure.value]).all()]
    frontier = _frontier(known)
    return Findings(
        tables=(("Perplexity and exposure", _table(points, frontier, level)),),
        remarks=tuple(_remarks(points, frontier, level)),
        figures={"exposure-pareto": _figure(known)} if known else {},
        data={
            "insertions": level,
            "configurations": [
                {
                    "name": point.run.name,
                    "perplexity": numbers(point.perplexity),
                    "exposure": numbers(point.exposure),
                    "frontier": point in frontier,
                }
                for point in points
            ],
        },
    )


def _frontier(points: Sequence[Point]) -> list[Point]:
    """Return the members of the Pareto frontier by ascending perplexity."""
    if not points:
        return []
    x, y = np.array([(point.perplexity.value, point.exposure.value) for point in points]).T
    members = [points[place] for place in pareto_frontier(x, y).tolist()]
    return sorted(members, key=lambda point: point.perplexity.value)


def _table(points: Sequence[Point], frontier: Sequence[Point], level: int) -> Rows:
    head = (
        "",
        "test perplexity per character [95 %, fits]",
        f"exposure, {insertions(level)} [95 %, secrets]",
        "of controls",
        "weights",
        "frontier",
    )
    body = [
        (
            point.run.title,
            with_interval(point.perplexity),
            with_interval(point.exposure),
            with_interval(point.run.mean_exposure(point.run.level_rows(0))),
            f"{point.run.exposures.facts.get('model', {}).get('parameters', 0):,}",
            "yes" if point in frontier else "",
        )
        for point in sorted(points, key=lambda point: point.perplexity.value)
    ]
    return [head, *body]


def _figure(points: Sequence[Point]) -> "Figure":
    return figures.pareto(
        [
            figures.ParetoPoint(
                name=point.run.title,
                x=point.perplexity.value,
                y=point.exposure.value,
                x_interval=(point.perplexity.low, point.perplexity.high),
                y_interval=(point.exposure.low, point.exposure.high),
                bound=bool(point.exposure.bound),
            )
            for point in points
        ],
        PERPLEXITY,
        EXPOSURE,
        exposure=True,
        maximum=float(np.nanmax(points[0].run.exposures.exposure.maximum)),
    )


def _remarks(points: Sequence[Point], frontier: Sequence[Point], level: int) -> list[str]:
    if not frontier:
        return ["No configuration has both a perplexity and an exposure."]
    names = "; ".join(point.run.title for point in frontier)
    best, least = frontier[0], frontier[-1]
    bits, perplexities = (
        [number(getattr(point, name).value) for point in (best, least)]
        for name in ("exposure", "perplexity")
    )
    less = [
        point.run.title
        for point in points
        if point is not best
        and point.exposure.high < best.exposure.low
        and point.perplexity.value <= (1 + _CLOSE) * best.perplexity.value
    ]
    return [
        f"On the Pareto frontier, by ascending perplexity: {names}. The frontier ignores intervals;"
        " it compares means.",
        f"The most useful, {best.run.title}, has perplexity {perplexities[0]} and exposes a canary"
        f" {insertions(level)} by {bits[0]} bits on average; the least exposed of the frontier,"
        f" {least.run.title}, has {perplexities[1]} and {bits[1]} bits.",
        f"Less exposed than {best.run.title}, by intervals that do not overlap, at a perplexity at"
        f" most {_CLOSE:.0%} higher: {'; '.join(less) or 'none'}.",
    ]
