"""A gate as text for the terminal: a line for each bar, and the verdict."""

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.report.text import number
from byrote.scores.gate import Bar, Gate
from byrote.scores.gate.gate import option

_STYLES = {"passed": "green", "failed": "bold red", "inconclusive": "bold yellow"}


def render(gate: Gate) -> RenderableType:
    """A line for each bar, what it speaks of and why it does not pass, and the verdict."""
    parts: list[RenderableType] = [_table(gate)]
    parts += [Text(f"{option(bar.name)}: {said}.") for bar in gate.bars if (said := _said(bar))]
    parts.append(Text(f"{gate.headline}.", style=_STYLES[gate.verdict]))
    return Group(*parts)


def sentence(bar: Bar) -> str:
    """What was asked and found of a bar, and why it does not pass, in a sentence.

    Examples
    --------
    >>> bar = Bar("max_significant", 0.01, 0.02, 0.015, 0.03, 0.95, "share", "failed",
    ...     "the whole interval is above the bar", "", {})
    >>> sentence(bar)
    'asked at most 1%, found 2% [1.5%, 3%]: the whole interval is above the bar'
    """
    text = f"asked at most {value(bar.asked, bar.unit)}, found {value(bar.found, bar.unit)}"
    if not np.isnan(bar.low):
        text += f" {interval(bar)}"
    return text + (f": {bar.reason}" if bar.reason else "")


def value(amount: float, unit: str) -> str:
    """A number in its unit."""
    if np.isnan(amount):
        return "–"
    if unit == "share":
        return f"{100 * amount:.3g}%"
    return number(amount) + (f" {unit}" if unit in ("bits", "nats") else "")


def interval(bar: Bar) -> str:
    """The interval of a bar, or a dash."""
    if np.isnan(bar.low):
        return "–"
    low, high = (value(end, bar.unit).removesuffix(f" {bar.unit}") for end in bar.interval)
    return f"[{low}, {high}]"


def _said(bar: Bar) -> str:
    reason = f"{bar.verdict}: {bar.reason}" if bar.reason else ""
    return ". ".join(text for text in (bar.covers, reason) if text)


def _table(gate: Gate) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("bar", "asked", "found", f"[{100 * gate.level:.3g} %]", "verdict"):
        numbers = title not in ("bar", "verdict")
        table.add_column(Text(title), justify="right" if numbers else "left", no_wrap=True)
    for bar in gate.bars:
        table.add_row(
            option(bar.name),
            Text(f"<= {value(bar.asked, bar.unit)}"),
            value(bar.found, bar.unit),
            Text(interval(bar)),
            Text(bar.verdict, style=_STYLES[bar.verdict]),
        )
    return table
