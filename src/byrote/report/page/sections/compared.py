"""Runs compared with the first, the baseline."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from byrote.errors import InvalidInput, printable
from byrote.report import comparison as text
from byrote.report.comparison_verdicts import verdicts
from byrote.report.format import signed, with_interval
from byrote.report.page import cells
from byrote.report.page.content import Block, Cell, Figure, Grid, Prose, Section
from byrote.report.page.plot import Axis, Rule, whiskers
from byrote.scores.compare.compare import compare
from byrote.scores.compare.comparison import Comparison, ScoreChange
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate

_TITLE = "How the runs differ"


def compared(runs: Mapping[str, Run]) -> Section:
    """Return how runs differ from the first; match by ids where their data or plans differ."""
    try:
        comparison = _compare(runs)
    except InvalidInput as error:
        sentence = f"These runs cannot be compared: {error}."
        return Section("compared", _TITLE, (Prose((sentence,), "alarm"),), {"reason": str(error)})
    names = [printable(run.name) for run in comparison.runs]
    rows = tuple(cells.row(_title(title), *row) for title, row in text.rows(comparison))
    grid = Grid("Each run, and its differences from the first", ("", *names), rows)
    blocks: tuple[Block, ...] = (Prose(tuple(verdicts(comparison))), *_figure(comparison), grid)
    return Section("compared", _TITLE, blocks, _data(comparison))


def _data(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain data, without paths and what the chapters describe."""
    data = text.to_json(comparison)
    for run in data["runs"]:
        del run["path"], run["description"]
    return data


def _title(text: str) -> Cell:
    """Return the title of a row; one that belongs to the row above is moved in."""
    return Cell(text.strip(), look="under" if text.startswith(" ") else "")


def _compare(runs: Mapping[str, Run]) -> Comparison:
    listed, names = list(runs.values()), list(runs)
    try:
        return compare(listed, names=names, partial=True)
    except InvalidInput:
        return compare(listed, names=names, match="ids", partial=True)


def _figure(comparison: Comparison) -> list[Figure]:
    """Draw the mean differences with their intervals."""
    changes = _differences(comparison)
    known = {name: change for name, change in changes.items() if not np.isnan(change.low)}
    if not known:
        return []
    ends = [0.0, *(end for change in known.values() for end in change.interval)]
    unit = "nats" if comparison.kind == "scores" else "bits"
    x = Axis.through(
        min(ends), max(ends), f"difference from {printable(comparison.baseline.name)} ({unit})"
    )
    named = [(name, with_interval(change, sign=True), change) for name, change in known.items()]
    plot = whiskers(x, Rule("chance", x=0.0, text="no change"), named)
    rows = tuple(
        cells.row(name, signed(c.value), cells.ends(*c.interval)) for name, c in known.items()
    )
    grid = Grid("Differences", ("", unit, "[95 %]"), rows)
    title = "What changes from the first run"
    return [Figure("differences", title, "Mean differences with 95% intervals.", plot, grid)]


def _differences(comparison: Comparison) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for change in comparison.changes:
        name = printable(change.name)
        if isinstance(change, ScoreChange):
            found[f"{name}: effect of training"] = change.mean["mean_log"]
            found[f"{name}: held-out log-likelihood"] = change.held_out
        else:
            for level, mean in change.levels.items():
                if level:
                    found[f"{name}: exposure, inserted {level:,} times"] = mean
    return found
