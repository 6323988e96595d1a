"""A gate as JUnit XML, which continuous integration shows: one test case for each threshold.

A failed threshold is a failure. An inconclusive one is an error, not a skipped test: what could not
be measured must not look as if it passed.
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from byrote.report.gate import sentence
from byrote.report.text import printable
from byrote.scores.gate.threshold import Gate, Threshold, option

_ELEMENTS = {"failed": "failure", "inconclusive": "error"}


def render(gate: Gate) -> bytes:
    """The test suite of a gate."""
    cases = [_case(threshold) for threshold in gate.thresholds]
    return _suite(cases, str(gate.run.get("run_id", "")))


def unusable(thresholds: Sequence[str], error: Exception) -> bytes:
    """The test suite of a check that could not be made: an error for every threshold."""
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
        found = SubElement(case, _ELEMENTS[threshold.verdict], type=threshold.verdict, message=text)
        found.text = printable(threshold.covers or threshold.reason)
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
