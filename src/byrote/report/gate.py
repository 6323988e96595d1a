"""A gate as text for the terminal: a line for each threshold, and the verdict."""

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.text import number
from byrote.scores.gate.threshold import Gate, Threshold, option

_STYLES = {"passed": "green", "failed": "bold red", "inconclusive": "bold yellow"}


def render(gate: Gate) -> RenderableType:
    """A line for each threshold, what it speaks of and why it does not pass, and the verdict."""
    parts: list[RenderableType] = [_table(gate)]
    parts += [
        Text(f"{option(threshold.name)}: {said}.")
        for threshold in gate.thresholds
        if (said := _said(threshold))
    ]
    parts.append(Text(f"{gate.headline}.", style=_STYLES[gate.verdict]))
    return Group(*parts)


def sentence(threshold: Threshold) -> str:
    """What was asked and found of a threshold, and why it does not pass, in a sentence.

    Examples
    --------
    >>> threshold = Threshold("max_significant", 0.01, 0.02, 0.015, 0.03, 0.95, "share", "failed",
    ...     "the whole interval is above the threshold", "", {})
    >>> sentence(threshold)
    'asked at most 1%, found 2% [1.5%, 3%]: the whole interval is above the threshold'
    """
    asked, found = (value(v, threshold.unit) for v in (threshold.asked, threshold.found))
    text = f"asked at most {asked}, found {found}"
    if not np.isnan(threshold.low):
        text += f" {interval(threshold)}"
    return text + (f": {threshold.reason}" if threshold.reason else "")


def value(amount: float, unit: str) -> str:
    """A number in its unit."""
    if np.isnan(amount):
        return "–"
    if unit == "share":
        return f"{100 * amount:.3g}%"
    return number(amount) + (f" {unit}" if unit in ("bits", "nats") else "")


def interval(threshold: Threshold) -> str:
    """The interval of a threshold, or a dash."""
    if np.isnan(threshold.low):
        return "–"
    low, high = (
        value(end, threshold.unit).removesuffix(f" {threshold.unit}") for end in threshold.interval
    )
    return f"[{low}, {high}]"


def _said(threshold: Threshold) -> str:
    reason = f"{threshold.verdict}: {threshold.reason}" if threshold.reason else ""
    return ". ".join(text for text in (threshold.covers, reason) if text)


def _table(gate: Gate) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("threshold", "asked", "found", f"[{100 * gate.level:.3g} %]", "verdict"):
        numbers = title not in ("threshold", "verdict")
        table.add_column(Text(title), justify="right" if numbers else "left", no_wrap=True)
    for threshold in gate.thresholds:
        table.add_row(
            option(threshold.name),
            Text(f"<= {value(threshold.asked, threshold.unit)}"),
            value(threshold.found, threshold.unit),
            Text(interval(threshold)),
            Text(threshold.verdict, style=_STYLES[threshold.verdict]),
        )
    return table
