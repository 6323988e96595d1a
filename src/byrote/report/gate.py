"""A gate as text for the terminal, and as JUnit XML."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import number
from byrote.report.tables import new_table
from byrote.scores.gate import Bar, Gate
from byrote.scores.gate.gate import option

_STYLES = {"passed": "green", "failed": "bold red", "inconclusive": "bold yellow"}
_ELEMENTS = {"failed": "failure", "inconclusive": "error"}


def render(gate: Gate) -> RenderableType:
    """Return a line for each bar, what it speaks of and why it does not pass, and the verdict."""
    parts: list[RenderableType] = [_table(gate)]
    parts += [
        Text(f"{option(bar.name)}: {remark}.") for bar in gate.bars if (remark := _remark(bar))
    ]
    parts.append(Text(f"{gate.headline}.", style=_STYLES[gate.verdict]))
    return Group(*parts)


def sentence(bar: Bar) -> str:
    """Return what was asked and found of a bar, and why it does not pass, in a sentence.

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
    """Format a number in its unit."""
    if np.isnan(amount):
        return "–"
    if unit == "share":
        return f"{100 * amount:.3g}%"
    return number(amount) + (f" {unit}" if unit in ("bits", "nats") else "")


def interval(bar: Bar) -> str:
    """Format the interval of a bar, or a dash."""
    if np.isnan(bar.low):
        return "–"
    low, high = (value(end, bar.unit).removesuffix(f" {bar.unit}") for end in bar.interval)
    return f"[{low}, {high}]"


def _remark(bar: Bar) -> str:
    reason = f"{bar.verdict}: {bar.reason}" if bar.reason else ""
    return ". ".join(text for text in (bar.covers, reason) if text)


def _table(gate: Gate) -> Table:
    titles = ("bar", "asked", "found", f"[{100 * gate.level:.3g} %]", "verdict")
    table = new_table(*titles, whole=titles)
    table.columns[-1].justify = "left"
    for bar in gate.bars:
        table.add_row(
            option(bar.name),
            Text(f"<= {value(bar.asked, bar.unit)}"),
            value(bar.found, bar.unit),
            Text(interval(bar)),
            Text(bar.verdict, style=_STYLES[bar.verdict]),
        )
    return table


# -- JUnit XML ------------------------------------------------------------------------------------


def to_junit(gate: Gate) -> bytes:
    """Return the gate as JUnit XML, which continuous integration shows: a test case a bar.

    One that failed is a failure. An inconclusive one is an error, not a skipped test: what could
    not be measured must not look as if it passed.
    """
    cases = [_case(bar) for bar in gate.bars]
    return _suite(cases, str(gate.run.get("run_id", "")))


def unusable_junit(bars: Sequence[str], error: Exception) -> bytes:
    """Return the test suite of a check that could not be made, every bar in error."""
    cases = []
    for name in bars:
        case = Element("testcase", name=option(name), classname="byrote.check", time="0")
        SubElement(case, "error", type="unusable", message=printable(str(error)))
        cases.append(case)
    return _suite(cases, "")


def _case(bar: Bar) -> Element:
    case = Element("testcase", name=option(bar.name), classname="byrote.check", time="0")
    text = printable(sentence(bar))
    if bar.verdict in _ELEMENTS:
        element = SubElement(case, _ELEMENTS[bar.verdict], type=bar.verdict, message=text)
        element.text = printable(bar.covers or bar.reason)
    SubElement(case, "system-out").text = text
    return case


def _suite(cases: Sequence[Element], run: str) -> bytes:
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": 0,
    }
    numbers = {name: str(count) for name, count in counts.items()}
    attributes = {"name": "byrote check", **numbers, "time": "0"}
    whole = Element("testsuites", attributes)
    suite = SubElement(whole, "testsuite", attributes)
    if run:
        SubElement(SubElement(suite, "properties"), "property", name="run_id", value=run)
    suite.extend(cases)
    indent(whole)
    return tostring(whole, encoding="utf-8", xml_declaration=True) + b"\n"
