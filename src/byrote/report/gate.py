"""A gate as text for the terminal, and as JUnit XML."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import new_table, number
from byrote.scores.gate.threshold import Gate, Threshold, Verdict, option

CONSEQUENCES: Mapping[Verdict, str] = {
    "passed": "It is within the limits that were set, which say nothing of what was not tested.",
    "failed": "It is not within the limits that were set: change the data or the training (byrote"
    " prune, stronger regularization, differential privacy), and audit again.",
    "inconclusive": "That is not a pass: this run cannot say whether the model is within the"
    " limits.",
}
_STYLES = {"passed": "green", "failed": "bold red", "inconclusive": "bold yellow"}
_NAMED = 5  # records in a remark
_ELEMENTS = {"failed": "failure", "inconclusive": "error"}


def render(gate: Gate) -> RenderableType:
    """Return a row and a remark for each threshold, and the verdict."""
    parts: list[RenderableType] = [_table(gate)]
    parts += [
        Text(f"{option(threshold.name)}: {remark}.")
        for threshold in gate.thresholds
        if (remark := _remark(threshold))
    ]
    parts.append(Text(f"{gate.headline}.", style=_STYLES[gate.verdict]))
    parts.append(Text(CONSEQUENCES[gate.verdict]))
    return Group(*parts)


def sentence(threshold: Threshold) -> str:
    """Return limit and measurement of a threshold, and why it does not pass, in a sentence.

    Examples
    --------
    >>> threshold = Threshold("max_significant", 0.01, 0.02, 0.015, 0.03, 0.95, "share", "failed",
    ...     "the whole interval is above the threshold", "", {})
    >>> sentence(threshold)
    'limit 1%, measured 2% [1.5%, 3%]: the whole interval is above the threshold'
    """
    limit, measured = (value(v, threshold.unit) for v in (threshold.asked, threshold.found))
    text = f"limit {limit}, measured {measured}"
    if not np.isnan(threshold.low):
        text += f" {interval(threshold)}"
    return text + (f": {threshold.reason}" if threshold.reason else "")


def value(amount: float, unit: str) -> str:
    """Format a number in its unit."""
    if np.isnan(amount):
        return "–"
    if unit == "share":
        return f"{100 * amount:.3g}%"
    return number(amount) + (f" {unit}" if unit in ("bits", "nats") else "")


def interval(threshold: Threshold) -> str:
    """Format the interval of a threshold, or a dash."""
    if np.isnan(threshold.low):
        return "–"
    low, high = (
        value(end, threshold.unit).removesuffix(f" {threshold.unit}") for end in threshold.interval
    )
    return f"[{low}, {high}]"


def _remark(threshold: Threshold) -> str:
    reason = f"{threshold.verdict}: {threshold.reason}" if threshold.reason else ""
    return ". ".join(text for text in (threshold.covers, reason, _named(threshold)) if text)


def _named(threshold: Threshold) -> str:
    """Return the first of the records above a threshold."""
    if not threshold.records:
        return ""
    shown = ", ".join(map(printable, threshold.records[:_NAMED]))
    more = len(threshold.records) - _NAMED
    title = "Memorized" if threshold.name == "max_significant" else "Above it"
    return f"{title}: {shown}" + (f" and {more:,} more" if more > 0 else "")


def _table(gate: Gate) -> Table:
    titles = ("threshold", "limit", "measured", f"[{100 * gate.level:.3g} %]", "verdict")
    table = new_table(*titles, whole=titles)
    table.columns[-1].justify = "left"
    for threshold in gate.thresholds:
        table.add_row(
            option(threshold.name),
            Text(f"<= {value(threshold.asked, threshold.unit)}"),
            value(threshold.found, threshold.unit),
            Text(interval(threshold)),
            Text(threshold.verdict, style=_STYLES[threshold.verdict]),
        )
    return table


# -- JUnit XML ------------------------------------------------------------------------------------


def to_junit(gate: Gate) -> bytes:
    """Return the gate as JUnit XML with a test case for each threshold.

    An inconclusive threshold is an error, not a skipped test: what could not be measured must not
    look as if it passed.
    """
    cases = [_case(threshold) for threshold in gate.thresholds]
    return _suite(cases, str(gate.run.get("run_id", "")))


def unusable_junit(thresholds: Sequence[str], error: Exception) -> bytes:
    """Return the JUnit XML of a check that was not possible: an error for every threshold."""
    cases = []
    for name in thresholds:
        case = Element("testcase", name=option(name), classname="byrote.check", time="0")
        SubElement(case, "error", type="unusable", message=printable(str(error)))
        cases.append(case)
    return _suite(cases, "")


def _case(threshold: Threshold) -> Element:
    case = Element("testcase", name=option(threshold.name), classname="byrote.check", time="0")
    text = printable(sentence(threshold))
    if threshold.verdict in _ELEMENTS:
        element = SubElement(
            case, _ELEMENTS[threshold.verdict], type=threshold.verdict, message=text
        )
        texts = (threshold.covers or threshold.reason, _named(threshold))
        element.text = printable(". ".join(text for text in texts if text))
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
