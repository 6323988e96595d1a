"""Runs beside their baseline as text for the terminal, or as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.comparison_words import (
    signed,
    times,
    verdicts,
    with_interval,
)
from byrote.report.text import headline_of, number, plain, printable
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
from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.stats.estimate import Estimate

_ACROSS = 3  # runs beside the baseline in one table
_QUANTILES = {"q0.5": "median", "q0.95": "95th percentile", "q0.999": "99.9th percentile"}
_MATCHED = {"matched": "matched", "score": "score M"}
Row = tuple[str, list[str]]


def render(found: Comparison, *, top: int = 10) -> RenderableType:
    """What is compared, a table of the runs, what the intervals support, what changed most."""
    parts: list[RenderableType] = [_headline(found)]
    others = list(range(1, len(found.runs)))
    for start in range(0, len(others), _ACROSS):
        parts += [_table(found, [0, *others[start : start + _ACROSS]]), Text("")]
    parts += [Text(line) for line in verdicts(found)]
    for change in found.changes if top else ():
        if len(change.order()):
            parts += [Text(""), _changed_most(change, found.baseline.name, top)]
    return Group(*parts)


def to_json(found: Comparison, *, top: int = 10) -> dict[str, Any]:
    """The same as plain data that JSON can hold: NaN is null, infinities are text."""
    changes = []
    for change in found.changes:
        frame = change.to_frame().iloc[change.order()[:top]]
        changes.append({**change.to_dict(), "changed_most": frame.to_dict(orient="records")})
    return plain(
        {
            "kind": found.kind,
            "match": found.match,
            "matched": found.matched,
            "of": list(found.of),
            "missing": {name: list(fits) for name, fits in found.missing.items()},
            "runs": [_run(run) for run in found.runs],
            "changes": changes,
            "verdicts": verdicts(found),
        }
    )


def _run(run: ComparedRun) -> dict[str, Any]:
    found = asdict(run)
    if isinstance(run, ComparedExposures):
        found["perplexity"] = asdict(run.perplexity)
    return found


def _headline(found: Comparison) -> Text:
    lines = headline_of(found.baseline.description)
    lines.append("Baseline: ", style="not bold")
    lines.append(printable(found.baseline.name), style="bold")
    for run in found.runs[1:]:
        lines.append(f"\n{printable(run.name)}", style="bold")
        lines.append(f": {_differs(run.differs)}")
    what = "records" if found.kind == "scores" else "canaries in fits"
    if found.match == "ids":
        each = ", ".join(f"{of:,}" for of in found.of)
        lines.append(f"\nMatched by id: {found.matched:,} {what}, of {each}")
    else:
        lines.append(f"\n{found.matched:,} {what}")
    for change in found.changes:
        if isinstance(change, ScoreChange) and not change.paired:
            lines.append(f"\n{printable(change.name)}: fits do not pair, variances add")
    for name, missing in found.missing.items():
        lines.append(f"\nINCOMPLETE: {printable(name)} without {len(missing)} fits", "bold red")
    lines.append("\n")
    return lines


def _differs(differs: Mapping[str, tuple[Any, Any]]) -> str:
    if not differs:
        return "the same model"
    told = [
        f"{name} {_brief(own)} instead of {_brief(base)}" for name, (base, own) in differs.items()
    ]
    return printable("; ".join(told))


def _brief(value: Any) -> str:
    """An object by what it was made of, without what was left out.

    Examples
    --------
    >>> _brief({"class": "some.Noise", "scale": 2.0, "delta": None})
    'Noise(scale=2.0)'
    """
    if not isinstance(value, Mapping):
        return "none" if value is None else str(value)
    name = str(value.get("class", "")).rpartition(".")[2]
    kept = {k: v for k, v in value.items() if v is not None and k != "class"}
    return f"{name}({', '.join(f'{k}={_brief(v)}' for k, v in kept.items())})"


def _table(found: Comparison, chosen: Sequence[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for place in chosen:
        title = "baseline" if place == 0 else ""
        name = printable(found.runs[place].name)
        table.add_column(Text(f"{name}\n{title}" if title else name), justify="right")
    for title, cells in rows(found):
        table.add_row(Text(title), *(Text(cells[place]) for place in chosen))
    return table


def rows(found: Comparison) -> list[Row]:
    """The table: title and one cell a run."""
    runs: list[Any] = list(found.runs)
    changes: list[Any] = [None, *found.changes]
    made = _of_scores(runs, changes) if found.kind == "scores" else _of_exposures(runs, changes)
    return [*made, *_of_evidence([run.evidence for run in runs])]


def _of_scores(runs: list[ComparedScores], changes: list[ScoreChange | None]) -> list[Row]:
    made = [
        ("held-out log p, nats", [with_interval(run.held_out) for run in runs]),
        ("  difference", _differences(changes, lambda change: change.held_out)),
        ("mean of mean_log, nats", [with_interval(run.mean["mean_log"]) for run in runs]),
        ("  difference", _differences(changes, lambda change: change.mean["mean_log"])),
    ]
    for name, title in _MATCHED.items():
        for key, words in _QUANTILES.items():
            first = f"{title}, {words}" if key == "q0.5" else f"  {words}"
            made.append((first, [number(run.quantiles[name][key]) for run in runs]))
    made.append((f"memorized, q ≤ {SIGNIFICANCE:g}", [_memorized(run) for run in runs]))
    made += [(f"  {one}", [_crossed(change, one) for change in changes]) for one in CROSSINGS[2:]]
    made.append(("  less / more than baseline", [_changed(change) for change in changes]))
    return made


def _memorized(run: ComparedScores) -> str:
    return "–" if run.significant is None else f"{run.significant:,} of {run.scored:,}"


def _differences(changes: Sequence[Any], of: Any) -> list[str]:
    return ["" if c is None else with_interval(of(c), sign=True) for c in changes]


def _crossed(change: ScoreChange | None, crossing: str) -> str:
    if change is None:
        return ""
    return "–" if (change.crossing < 0).all() else f"{change.count(crossing):,}"


def _changed(change: ScoreChange | None) -> str:
    if change is None:
        return ""
    return "–" if np.isnan(change.q_value).all() else f"{change.less:,} / {change.more:,}"


def _of_exposures(runs: list[ComparedExposures], changes: list[ExposureChange | None]) -> list[Row]:
    made = [
        ("test perplexity per token", [with_interval(run.perplexity) for run in runs]),
        ("test loss, nats: difference", _differences(changes, lambda change: change.test_loss)),
    ]
    for place, level in enumerate(runs[0].levels):
        title = f"exposure, {times(level.insertions)}, bits"
        means = [run.levels[place] for run in runs]
        cells = [
            with_interval(Estimate(m.mean, m.low, m.high, bound="at least" if m.saturated else ""))
            for m in means
        ]
        made.append((title, cells))
        key = level.insertions
        made.append(("  difference", _differences(changes, lambda c, key=key: c.levels[key])))
    return made


def _of_evidence(evidence: list[EvidenceSummary]) -> list[Row]:
    attacks = dict.fromkeys(name for one in evidence for name in one.auc)
    made = [
        (
            f"membership, AUC of {attack}",
            [with_interval(e.auc[attack]) if attack in e.auc else "–" for e in evidence],
        )
        for attack in attacks
    ]
    if not all(np.isnan(one.epsilon.value) for one in evidence):
        made.append(("epsilon proven", [_proven(one) for one in evidence]))
    if any(one.promised for one in evidence):
        made.append(("epsilon promised", [_promised(one) for one in evidence]))
    return made


def _proven(one: EvidenceSummary) -> str:
    if np.isnan(one.epsilon.value):
        return "–"
    delta = f", δ {one.delta:.2g}" if one.delta else ""
    return f"{with_interval(one.epsilon)}{delta}"


def _promised(one: EvidenceSummary) -> str:
    if not one.promised:
        return "none"
    epsilon = one.promised.get("epsilon")
    delta = one.promised.get("delta")
    told = "∞" if epsilon is None else number(float(epsilon))
    return f"{told}, δ {delta:.2g}" if delta else told


def _changed_most(change: ScoreChange | ExposureChange, baseline: str, top: int) -> Table:
    if isinstance(change, ScoreChange):
        return _records(change, baseline, top)
    return _canaries(change, baseline, top)


def _titled(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )


def _records(change: ScoreChange, baseline: str, top: int) -> Table:
    table = _titled(f"changed most: {printable(change.name)} minus {printable(baseline)}")
    table.add_column("record")
    for title in (
        "M",
        "M here",
        "matched",
        "here",
        "mean_log changed by",
        "[95 %]",
        "q",
        "memorized",
    ):
        table.add_column(Text(title), justify="right", no_wrap=title in ("[95 %]", "q"))
    for row in change.order()[:top]:
        pairs = [(change.baseline[n][row], change.difference[n][row]) for n in ("score", "matched")]
        low, high = change.interval[row]
        table.add_row(
            Text(printable(change.ids[row])),
            *(number(value) for before, by in pairs for value in (before, before + by)),
            signed(change.difference["mean_log"][row]),
            Text("–" if np.isnan(low) else f"[{number(low)}, {number(high)}]"),
            number(change.q_value[row]),
            ("–", *CROSSINGS)[change.crossing[row] + 1],
        )
    return table


def _canaries(change: ExposureChange, baseline: str, top: int) -> Table:
    table = _titled(f"changed most: {printable(change.name)} minus {printable(baseline)}")
    table.add_column("canary")
    for title in ("fit", "inserted", "exposure", "here", "difference"):
        table.add_column(title, justify="right")
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
