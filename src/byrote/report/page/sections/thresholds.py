"""The thresholds that were set, what was measured, and the verdict on each."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from byrote.report import gate as gate_text
from byrote.report.page.audit import Audit
from byrote.report.page.cells import NO_LIMITS, row, words
from byrote.report.page.content import Cell, Grid, Section, Tone
from byrote.report.page.drawing import Drawing, draw
from byrote.report.page.plot import Axis, Plot, Rule, Whisker
from byrote.report.page.sections.registry import section
from byrote.scores.gate.threshold import UNMEASURED, Threshold, Verdict, option

_WIDTH, _HEIGHT = 150.0, 26.0
_TONES: Mapping[Verdict, Tone] = {"passed": "strong", "failed": "alarm", "inconclusive": "unknown"}


@section(order=10)
def thresholds(audit: Audit) -> Section | None:
    """Return the gate's verdicts; None if no thresholds were set."""
    gate = audit.gate
    if gate is None:
        return None
    level = f"{100 * gate.level:.3g} %"
    rows = [
        row(
            option(each.name),
            Cell(each.verdict, tone=_TONES[each.verdict], look=f"status {each.verdict}"),
            words(f"≤ {gate_text.value(each.asked, each.unit)}"),
            _value(each),
            words(gate_text.interval(each)),
            Cell("", strip=_strip(each)),
            words("; ".join(filter(None, (each.reason, each.covers)))),
        )
        for each in gate.thresholds
    ]
    head = ("threshold", "verdict", "limit", "measured", f"[{level}]", "", "why")
    several = "s hold together" if len(rows) > 1 else " holds"
    wider = ": each is wider here than where it stands alone" if len(rows) > 1 else ""
    title = (
        f"Limits as they were asked for with this page. The interval{several} with probability"
        f" {level}{wider}."
    )
    grid = Grid(title, head, tuple(rows), left=7)
    data = {name: part for name, part in gate.to_dict().items() if name != "run"}
    return Section("thresholds", "Was it within the limits?", (grid,), data)


def _value(threshold: Threshold) -> Cell:
    if np.isnan(threshold.found):
        return words(UNMEASURED, tone="unknown")
    if np.isneginf(threshold.low):
        return words(NO_LIMITS, tone="unknown")
    return words(gate_text.value(threshold.found, threshold.unit))


def _strip(threshold: Threshold) -> Drawing | None:
    """Draw the interval beside the limit; None if nothing was measured."""
    low, high = threshold.interval
    if np.isnan(low):
        return None
    least = 0.5 if threshold.unit == "area" else 0.0
    ends = [end for end in (low, high, threshold.asked, threshold.found) if np.isfinite(end)]
    span = max(ends) - min(least, *ends)
    axis = Axis(min(least, *ends), max(ends) + 0.15 * (span or 1.0))
    look = {"passed": "plain", "failed": "found", "inconclusive": "doubt"}[threshold.verdict]
    marks = (
        Rule("limit", x=threshold.asked),
        Whisker(threshold.found, low, high, 0.5, look),
    )
    label = f"{option(threshold.name)}: {gate_text.sentence(threshold)}"
    plot = Plot(axis, Axis(0, 1), marks, height=_HEIGHT)
    return replace(draw(plot, _WIDTH), label=label)
