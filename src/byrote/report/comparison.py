"""Comparisons with a baseline as text for the terminal, or as plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.comparison_verdicts import verdicts
from byrote.report.format import (
    call,
    insertions,
    interval,
    new_table,
    number,
    plain,
    plural,
    signed,
    statistic_of,
    with_interval,
)
from byrote.report.settings import headline_of
from byrote.scores.compare.comparison import (
    CROSSINGS,
    ComparedExposures,
    ComparedRun,
    ComparedScores,
    Comparison,
    EvidenceSummary,
    ExposureChange,
    ScoreChange,
)
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.stats.estimate import Estimate

_COLUMNS = 3  # runs next to the baseline in one table
_QUANTILES = {"q0.5": "median", "q0.95": "95th percentile", "q0.999": "99.9th percentile"}
_MATCHED = {"matched": "matched", "score": "score M"}
Row = tuple[str, list[str]]


def render(comparison: Comparison, *, top: int = 10) -> RenderableType:
    """Return tables of the runs, the conclusions, and the records or canaries that changed most."""
    parts: list[RenderableType] = [_headline(comparison)]
    count = len(comparison.runs)
    for start in range(1, count, _COLUMNS):
        places = [0, *range(start, min(start + _COLUMNS, count))]
        parts += [_table(comparison, places), Text("")]
    parts += [Text(line) for line in verdicts(comparison)]
    for change in comparison.changes if top else ():
        if len(change.order()):
            parts += [Text(""), _changed_most(change, comparison.baseline.name, top)]
    return Group(*parts)


def to_json(comparison: Comparison, *, top: int = 10) -> dict[str, Any]:
    """Return a comparison as plain data for JSON."""
    changes = []
    for change in comparison.changes:
        frame = change.to_frame().iloc[change.order()[:top]]
        changes.append({**change.to_dict(), "changed_most": frame.to_dict(orient="records")})
    return plain(
        {
            "kind": comparison.kind,
            "match": comparison.match,
            "matched": comparison.matched,
            "of": list(comparison.of),
            "missing": {name: list(fits) for name, fits in comparison.missing.items()},
            "runs": [_run(run) for run in comparison.runs],
            "changes": changes,
            "verdicts": verdicts(comparison),
        }
    )


def _run(run: ComparedRun) -> dict[str, Any]:
    more = {"perplexity": asdict(run.perplexity)} if isinstance(run, ComparedExposures) else {}
    return {**asdict(run), **more}


def _headline(comparison: Comparison) -> Text:
    text = headline_of(comparison.baseline.description)
    text.append("Baseline: ", style="not bold")
    text.append(printable(comparison.baseline.name), style="bold")
    for run in comparison.runs[1:]:
        text.append(f"\n{printable(run.name)}", style="bold")
        text.append(f": {_differences_of(run.differs)}")
    records = comparison.kind == "scores"
    matched = plural(comparison.matched, "record" if records else "canary")
    matched += "" if records else " in fits"
    if comparison.match == "ids":
        totals = ", ".join(f"{total:,}" for total in comparison.of)
        text.append(f"\nMatched by id: {matched}, of {totals}")
    else:
        text.append(f"\n{matched}")
    for change in comparison.changes:
        if isinstance(change, ScoreChange) and not change.paired:
            text.append(f"\n{printable(change.name)}: fits do not pair, variances add")
    for name, missing in comparison.missing.items():
        text.append(
            f"\nINCOMPLETE: {printable(name)} without {plural(len(missing), 'fit')}", "bold red"
        )
    text.append("\n")
    return text


def _differences_of(parameters: Mapping[str, tuple[Any, Any]]) -> str:
    if not parameters:
        return "the same model"
    changes = [
        f"{name} {_value(value)} instead of {_value(base)}"
        for name, (base, value) in parameters.items()
    ]
    return printable("; ".join(changes))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        parameters = {key: part for key, part in value.items() if key != "class"}
        name = str(value.get("class", "")).rpartition(".")[2]
        return call(name, parameters)
    return "none" if value is None else str(value)


def _table(comparison: Comparison, places: Sequence[int]) -> Table:
    names = [printable(comparison.runs[place].name) for place in places]
    table = new_table("", f"{names[0]}\nbaseline", *names[1:])
    for title, cells in rows(comparison):
        table.add_row(Text(title), *(Text(cells[place]) for place in places))
    return table


def rows(comparison: Comparison) -> list[Row]:
    """Return the rows of the table: a title and one cell per run."""
    runs: list[Any] = list(comparison.runs)
    changes: list[Any] = [None, *comparison.changes]
    body = _scores if comparison.kind == "scores" else _exposures
    return [*body(runs, changes), *_evidence([run.evidence for run in runs])]


def _scores(runs: list[ComparedScores], changes: list[ScoreChange | None]) -> list[Row]:
    name, _ = statistic_of(runs[0].description)
    rows = [
        (f"held-out {name}, nats", [with_interval(run.held_out) for run in runs]),
        ("  difference", _differences(changes, lambda change: change.held_out)),
        ("mean of mean_log, nats", [with_interval(run.mean["mean_log"]) for run in runs]),
        ("  difference", _differences(changes, lambda change: change.mean["mean_log"])),
    ]
    for name, title in _MATCHED.items():
        for key, quantile in _QUANTILES.items():
            label = f"{title}, {quantile}" if key == "q0.5" else f"  {quantile}"
            rows.append((label, [number(run.quantiles[name][key]) for run in runs]))
    rows.append((f"memorized, q ≤ {SIGNIFICANCE:g}", [_memorized(run) for run in runs]))
    rows += [
        (f"  {crossing}", [_crossed(change, crossing) for change in changes])
        for crossing in CROSSINGS[2:]
    ]
    rows.append(("  less / more than baseline", [_changed(change) for change in changes]))
    return rows


def _memorized(run: ComparedScores) -> str:
    return "–" if run.significant is None else f"{run.significant:,} of {run.scored:,}"


def _differences(changes: Sequence[Any], estimate_of: Callable[[Any], Estimate]) -> list[str]:
    return ["" if c is None else with_interval(estimate_of(c), sign=True) for c in changes]


def _crossed(change: ScoreChange | None, crossing: str) -> str:
    if change is None:
        return ""
    return "–" if (change.crossing < 0).all() else f"{change.count(crossing):,}"


def _changed(change: ScoreChange | None) -> str:
    if change is None:
        return ""
    return "–" if np.isnan(change.q_value).all() else f"{change.less:,} / {change.more:,}"


def _exposures(runs: list[ComparedExposures], changes: list[ExposureChange | None]) -> list[Row]:
    rows = [
        ("test perplexity per token", [with_interval(run.perplexity) for run in runs]),
        ("test loss, nats: difference", _differences(changes, lambda change: change.test_loss)),
    ]
    for place, level in enumerate(runs[0].levels):
        title = f"exposure, {insertions(level.insertions)}, bits"
        means = [run.levels[place] for run in runs]
        cells = [
            with_interval(Estimate(m.mean, m.low, m.high, bound="at least" if m.saturated else ""))
            for m in means
        ]
        rows.append((title, cells))
        rows.append(("  difference", _differences(changes, partial(_level, level.insertions))))
    return rows


def _level(count: int, change: ExposureChange) -> Estimate:
    return change.levels[count]


def _evidence(evidence: list[EvidenceSummary]) -> list[Row]:
    attacks = dict.fromkeys(name for each in evidence for name in each.auc)
    rows = [
        (
            f"membership, AUC of {attack}",
            [with_interval(e.auc[attack]) if attack in e.auc else "–" for e in evidence],
        )
        for attack in attacks
    ]
    if not all(np.isnan(each.epsilon.value) for each in evidence):
        rows.append(("epsilon proven", [_proven(each) for each in evidence]))
    if any(each.guarantee for each in evidence):
        rows.append(("epsilon guaranteed", [_guaranteed(each) for each in evidence]))
    return rows


def _proven(evidence: EvidenceSummary) -> str:
    if np.isnan(evidence.epsilon.value):
        return "–"
    delta = f", δ {evidence.delta:.2g}" if evidence.delta else ""
    return f"{with_interval(evidence.epsilon)}{delta}"


def _guaranteed(evidence: EvidenceSummary) -> str:
    if not evidence.guarantee:
        return "none"
    epsilon = evidence.guarantee.get("epsilon")
    delta = evidence.guarantee.get("delta")
    value = "∞" if epsilon is None else number(float(epsilon))
    return f"{value}, δ {delta:.2g}" if delta else value


def _changed_most(change: ScoreChange | ExposureChange, baseline: str, top: int) -> Table:
    if isinstance(change, ScoreChange):
        return _records(change, baseline, top)
    return _canaries(change, baseline, top)


def _records(change: ScoreChange, baseline: str, top: int) -> Table:
    titles = (
        "M\nbaseline", "run", "matched\nbaseline", "run", "mean_log\nrun - baseline", "[95 %]", "q",
        "memorized",
    )  # fmt: skip
    title = f"changed most: {printable(change.name)} minus {printable(baseline)}"
    table = new_table("record", *titles, title=title, whole=("[95 %]", "q"))
    for row in change.order()[:top]:
        pairs = [(change.baseline[n][row], change.difference[n][row]) for n in ("score", "matched")]
        table.add_row(
            Text(printable(change.ids[row])),
            *(number(value) for before, by in pairs for value in (before, before + by)),
            signed(change.difference["mean_log"][row]),
            Text(interval(*change.interval[row])),
            number(change.q_value[row]),
            ("–", *CROSSINGS)[change.crossing[row] + 1],
        )
    return table


def _canaries(change: ExposureChange, baseline: str, top: int) -> Table:
    title = f"changed most: {printable(change.name)} minus {printable(baseline)}"
    table = new_table(
        "canary", "fit", "inserted", "exposure\nbaseline", "run", "difference", title=title
    )
    for row in change.order()[:top]:
        before, by = change.baseline[row], change.difference[row]
        bound = f"{change.bound[row]} " if change.bound[row] else ""
        table.add_row(
            Text(printable(change.ids[row])),
            f"{change.fit[row]}",
            f"{change.inserted[row]:,}",
            number(before),
            number(before + by),
            f"{bound}{signed(by)}",
        )
    return table
