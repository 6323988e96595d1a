"""Which models predict the text well and memorize little."""

from collections.abc import Sequence

import numpy as np

from byrote.report import figures
from byrote.report.format import number
from byrote.stats.pareto_frontier import pareto_frontier
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.findings import times
from byrote.studies.findings import Findings, mean_of, with_interval

Mean = tuple[float, float, float]


_CLOSE = 0.05  # share by which perplexities may differ that are called close


def findings(carried: Sequence[Carried]) -> Findings:
    """Of configurations of one model, with the same canaries in the same places."""
    level = _level(carried)
    perplexity = [mean_of(one.result.perplexity()) for one in carried]
    exposed = [_exposure(one, level) for one in carried]
    known = [i for i in range(len(carried)) if np.isfinite([perplexity[i][0], exposed[i][0]]).all()]
    points = [_point(carried[i], perplexity[i], exposed[i], level) for i in known]
    members = _frontier(known, perplexity, exposed)
    labels = figures.PERPLEXITY, figures.EXPOSURE
    figure = None
    if points:
        figure = figures.pareto(points, *labels, exposure=True, maximum=_maximum(carried))
    return Findings(
        tables=(("Perplexity and exposure", _rows(carried, members, exposed, perplexity, level)),),
        remarks=tuple(_remarks(carried, members, exposed, perplexity, level)),
        figures={"exposure-pareto": figure} if figure is not None else {},
        data={
            "insertions": level,
            "configurations": [
                {
                    "name": one.name,
                    "perplexity": list(perplexity[i]),
                    "exposure": list(exposed[i]),
                    "frontier": i in members,
                }
                for i, one in enumerate(carried)
            ],
        },
    )


def _frontier(known: list[int], perplexity: list[Mean], exposed: list[Mean]) -> list[int]:
    """The members of the Pareto frontier by rising perplexity, of the configurations known."""
    if not known:
        return []
    x, y = (np.array([means[i][0] for i in known]) for means in (perplexity, exposed))
    return sorted((known[i] for i in pareto_frontier(x, y)), key=lambda i: perplexity[i][0])


def _rows(
    carried: Sequence[Carried],
    members: list[int],
    exposed: list[Mean],
    perplexity: list[Mean],
    level: int,
) -> list[tuple[str, ...]]:
    """The table, by rising perplexity."""
    head = (
        "",
        "test perplexity per character [95 %, fits]",
        f"exposure, {times(level)} [95 %, secrets]",
        "of controls",
        "weights",
        "frontier",
    )
    body = [
        (
            one.title,
            with_interval(perplexity[place]),
            with_interval(exposed[place], _bound(one, level)),
            with_interval(_exposure(one, 0)),
            f"{one.result.facts.get('model', {}).get('parameters', 0):,}",
            "yes" if place in members else "",
        )
        for place, one in sorted(enumerate(carried), key=lambda pair: perplexity[pair[0]][0])
    ]
    return [head, *body]


def _level(carried: Sequence[Carried]) -> int:
    """The middle one of the levels of insertion."""
    levels = sorted(carried[0].configuration.insertions)
    return levels[len(levels) // 2]


def _exposure(one: Carried, level: int) -> Mean:
    return one.mean_exposure(one.rows(0, level))


def _bound(one: Carried, level: int) -> bool:
    return bool(one.result.exposure.saturated[one.rows(0, level)].any())


def _maximum(carried: Sequence[Carried]) -> float:
    return float(np.nanmax(carried[0].result.exposure.maximum))


def _point(one: Carried, perplexity: Mean, exposed: Mean, level: int) -> figures.ParetoPoint:
    return figures.ParetoPoint(
        name=one.title,
        x=perplexity[0],
        y=exposed[0],
        x_interval=perplexity[1:],
        y_interval=exposed[1:],
        bound=_bound(one, level),
    )


def _remarks(
    carried: Sequence[Carried],
    members: list[int],
    exposed: list[Mean],
    perplexity: list[Mean],
    level: int,
) -> list[str]:
    if not members:
        return ["No configuration has both a perplexity and an exposure."]
    names = "; ".join(carried[i].title for i in members)
    best, least = members[0], members[-1]
    apart = [
        carried[i].title
        for i in range(len(carried))
        if i != best
        and exposed[i][2] < exposed[best][1]
        and perplexity[i][0] <= (1 + _CLOSE) * perplexity[best][0]
    ]
    said = [
        f"On the Pareto frontier, by rising perplexity: {names}. Membership goes by the means; the"
        " intervals say how far they can be told apart.",
        f"The most useful, {carried[best].title}, has perplexity {number(perplexity[best][0])} and"
        f" exposes a canary {times(level)} by {number(exposed[best][0])} bits on average; the least"
        f" exposed of the frontier, {carried[least].title}, has {number(perplexity[least][0])} and"
        f" {number(exposed[least][0])} bits.",
    ]
    which = "; ".join(apart) or "none"
    said.append(
        f"Less exposed than {carried[best].title}, by intervals that do not meet, at a mean"
        f" perplexity at most {_CLOSE:.0%} higher: {which}."
    )
    return said
