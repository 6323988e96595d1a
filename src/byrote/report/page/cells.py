"""Cells and numbers of a page: what was not measured says so, and never looks like zero."""

import numpy as np

from byrote.report import gate
from byrote.report.format import interval, number, p_value, with_interval
from byrote.report.page.content import Cell, Number, Row, Tone
from byrote.scores.gate.threshold import UNMEASURED, Measured
from byrote.stats.estimate import Estimate

UNKNOWN = "unknown"
NO_LIMITS = "too few fits for limits that hold for all records"


def words(text: object, *, tone: Tone = "", href: str = "") -> Cell:
    """Return a cell of text."""
    return Cell(str(text), tone=tone, href=href)


def value(amount: float, *, tone: Tone = "") -> Cell:
    """Return a cell with a number; one that does not exist is unknown.

    Examples
    --------
    >>> value(12.345).text, value(float("nan")).text
    ('12.3', 'unknown')
    """
    if np.isnan(amount):
        return Cell(UNKNOWN, tone="unknown")
    return Cell(number(amount), float(amount), tone)


def count(amount: int) -> Cell:
    """Return a cell with a count."""
    return Cell(f"{amount:,}", float(amount))


def probability(amount: float) -> Cell:
    """Return a cell with a p- or q-value."""
    if np.isnan(amount):
        return Cell("not tested", tone="unknown")
    return Cell(p_value(amount), float(amount))


def ends(low: float, high: float) -> Cell:
    """Return a cell with the ends of an interval, sorted by the lower one."""
    if np.isnan(low):
        return Cell("no interval", tone="unknown")
    return Cell(interval(low, high), float(low))


def estimate(result: Estimate) -> Cell:
    """Return a cell with an estimate and its interval, or the reason why it is unknown."""
    if np.isnan(result.value):
        return Cell(result.reason or UNKNOWN, tone="unknown")
    text = with_interval(result)
    if np.isnan(result.low) and not result.bound and result.reason:
        text += f" ({result.reason})"
    return Cell(text, float(result.value))


def part(shown: int, total: int) -> str:
    """Format how many rows of a table are shown, of how many.

    Examples
    --------
    >>> part(20, 1000), part(7, 7)
    ('20 of 1,000', '7')
    """
    return f"{shown:,} of {total:,}" if shown < total else f"{total:,}"


def row(*cells: Cell | str, anchor: str = "") -> Row:
    """Return a row of cells; text becomes a cell."""
    return Row(tuple(words(c) if isinstance(c, str) else c for c in cells), anchor)


def measured(name: str, result: Measured, metric: str = "", *, note: str = "") -> Number:
    """Return what a threshold would judge as a number, with its interval or what it lacks."""
    if np.isnan(result.found) or np.isneginf(result.low):
        reason = "; ".join(result.doubts).removeprefix(f"{UNMEASURED}: ")
        return Number(name, "", note=reason or NO_LIMITS)
    amount = gate.value(result.found, result.unit)
    known = Estimate(result.found, result.low, result.high)
    reach = span(result) or "no interval"
    return Number(name, amount, reach, note or result.covers, metric, known)


def estimated(name: str, result: Estimate, metric: str, note: str) -> Number:
    """Return an estimate as a number, with its interval or the reason why it is unknown."""
    if np.isnan(result.value):
        return Number(name, "", note=result.reason or UNKNOWN)
    bound = {"at least": "≥ ", "at most": "≤ ", "": ""}[result.bound]
    level = f"{100 * result.level:.3g}%"
    reach = f"{level}: {number(result.low)} to {number(result.high)}"
    if result.bound:
        reach = f"a bound at {level} confidence"
    elif np.isnan(result.low):
        reach = f"no interval: {result.reason}" if result.reason else "no interval"
    return Number(name, f"{bound}{number(result.value)}", reach, note, metric, result)


def span(result: Measured) -> str:
    """Return the interval of what a threshold would judge in words; "" if it has none."""
    if np.isnan(result.low):
        return ""
    low, high = (gate.value(end, result.unit) for end in (result.low, result.high))
    if np.isposinf(result.high):
        return f"95%: {low} or more"
    return f"95%: {low.removesuffix(f' {result.unit}')} to {high}"
