"""Which changes of training lower memorization, and what they cost."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from byrote.report import figures
from byrote.report.format import duration, number
from byrote.scores.membership import MembershipInference
from byrote.stats.pareto_frontier import pareto_frontier
from byrote.studies.findings import Findings, Rows, with_interval
from byrote.studies.mitigations.against import Against, compared
from byrote.studies.mitigations.carried import Carried
from byrote.studies.mitigations.measures import by_chance
from byrote.studies.mitigations.said import remarks

LEVELS = (0.5, 0.95, 0.999)
ATTACKS = ("loss", "lira")


def findings(carried: Sequence[Carried]) -> Findings:
    """Of audits of the same probes, each compared with another."""
    pairs = compared(carried)
    chance = {one.name: _by_chance(one) for one in carried}
    attacks = {one.name: {name: one.attacked(name) for name in ATTACKS} for one in carried}
    members = _frontier(pairs)
    return Findings(
        tables=(
            ("Memorization and usefulness", _absolute(carried, attacks)),
            ("M by quantiles, nats", _quantiles(carried, chance)),
            ("What changes", _changes(pairs, members)),
        ),
        remarks=tuple(remarks(carried, pairs, members)),
        figures=_figures(carried, chance, pairs),
        data={
            "audits": [_as_data(one, attacks[one.name], chance[one.name]) for one in carried],
            "differences": [_difference_as_data(pair, pair in members) for pair in pairs],
        },
    )


def _by_chance(one: Carried) -> dict[float, float]:
    seed = one.run.manifest.seed
    return dict(zip(LEVELS, by_chance(one.audit.table, LEVELS, seed=seed).tolist(), strict=True))


def quantiles_of(one: Carried, estimator: str = "score") -> dict[float, float]:
    """Quantiles of an estimator over the probes."""
    values = one.scores[estimator]
    known = values[~np.isnan(values)]
    if not len(known):
        return dict.fromkeys(LEVELS, float("nan"))
    return {level: float(np.quantile(known, level)) for level in LEVELS}


def _absolute(carried: Sequence[Carried], attacks: dict[str, Any]) -> Rows:
    head = (
        "",
        "probes",
        "held-out log p [95 %]",
        "mean of mean_log [95 %]",
        "significant (q ≤ 0.05)",
        "AUC, loss [95 %]",
        "AUC, LiRA [95 %]",
        "epsilon promised",
        "a fit",
    )
    return [head, *(_row(one, attacks[one.name]) for one in carried)]


def _row(one: Carried, attacks: dict[str, MembershipInference]) -> tuple[str, ...]:
    seconds = one.run.fact("seconds")
    known = seconds[~np.isnan(seconds)]
    significant = one.result.summary().significant
    return (
        one.title,
        f"{len(one.audit.ids):,}",
        with_interval(one.audit.held_out.interval()),
        with_interval(one.audit.memorization.interval()),
        "–" if significant is None else f"{significant:,}",
        *(with_interval((attacks[name].auc, *attacks[name].interval)) for name in ATTACKS),
        _promised(one),
        duration(float(np.median(known))) if len(known) else "–",
    )


def _promised(one: Carried) -> str:
    if one.epsilon is None:
        return ""
    epsilon, delta = one.epsilon
    return f"{number(epsilon)} (delta {delta:g})"


def _quantiles(carried: Sequence[Carried], chance: dict[str, dict[float, float]]) -> Rows:
    head = ("", "median (by chance)", "95 % (by chance)", "99.9 % (by chance)", "halves agree")
    rows = []
    for one in carried:
        found, shuffled = quantiles_of(one), chance[one.name]
        cells = [f"{number(found[level])} ({number(shuffled[level])})" for level in LEVELS]
        rows.append((one.title, *cells, number(one.result.summary().reliability.score)))
    return [head, *rows]


def _changes(pairs: Sequence[Against], members: Sequence[Against]) -> Rows:
    head = (
        "",
        "against",
        "probes of both",
        "memorization, mean of mean_log [95 % together]",
        "95 % quantile of M, and there",
        "held-out log p [95 % together]",
        "frontier",
    )
    return [
        head,
        *(
            (
                pair.one.title,
                pair.base.title,
                f"{pair.records:,}",
                with_interval(pair.memorization),
                " and ".join(number(value) for value in pair.high),
                with_interval(pair.held_out),
                "yes" if pair in members else "",
            )
            for pair in pairs
        ),
    ]


def _frontier(pairs: Sequence[Against]) -> list[Against]:
    """What nothing both memorizes less than and predicts better, by the means; 0 stands for both.

    The audit with which others are compared is at 0, 0.
    """
    x = np.array([0.0, *(-pair.held_out[0] for pair in pairs)])
    y = np.array([0.0, *(pair.memorization[0] for pair in pairs)])
    return [pairs[place - 1] for place in pareto_frontier(x, y).tolist() if place]


def _figures(
    carried: Sequence[Carried], chance: dict[str, dict[float, float]], pairs: Sequence[Against]
) -> dict[str, Any]:
    rows = [
        figures.Quantiles(one.title, quantiles_of(one), chance[one.name])
        for one in carried
        if np.isfinite(list(quantiles_of(one).values())).all()
    ]
    drawn: dict[str, Any] = {}
    if rows:
        drawn["memorization-quantiles"] = figures.quantiles_by_configuration(rows)
    known = [p for p in pairs if np.isfinite([p.held_out[0], p.memorization[0]]).all()]
    if known:
        base = next(pair.base.title for pair in known)
        points = [_point(pair, base) for pair in known]
        drawn["mitigations-pareto"] = figures.pareto(
            points, *figures.difference_labels(base), baseline=base
        )
    return drawn


def _point(pair: Against, base: str) -> figures.ParetoPoint:
    name = pair.one.title
    if pair.base.title != base:
        name = f"{name} (against {pair.base.title})"
    value, low, high = pair.held_out
    return figures.ParetoPoint(
        name=name,
        x=-value,
        y=pair.memorization[0],
        x_interval=(-high, -low),
        y_interval=pair.memorization[1:],
    )


def _as_data(
    one: Carried, attacks: dict[str, MembershipInference], chance: dict[float, float]
) -> dict[str, Any]:
    return {
        "name": one.name,
        "probes": len(one.audit.ids),
        "held_out": list(one.audit.held_out.interval()),
        "mean_log": list(one.audit.memorization.interval()),
        "significant": one.result.summary().significant,
        "quantiles": {name: quantiles_of(one, name) for name in ("score", "matched", "mean_log")},
        "by_chance": chance,
        "membership": {name: found.to_dict() for name, found in attacks.items()},
        "epsilon": None if one.epsilon is None else one.epsilon[0],
        "delta": None if one.epsilon is None else one.epsilon[1],
    }


def _difference_as_data(pair: Against, frontier: bool) -> dict[str, Any]:
    return {
        "name": pair.one.name,
        "against": pair.base.name,
        "probes": pair.records,
        "paired": pair.paired,
        "memorization": list(pair.memorization),
        "held_out": list(pair.held_out),
        "frontier": frontier,
    }
