"""The report of a study of several runs: for the terminal, as Markdown, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from byrote.errors import printable
from byrote.report.format import plain
from byrote.studies.carrying import ConfiguredReport
from byrote.studies.findings import Rows
from byrote.studies.tables import pipes, safe, table


@dataclass(frozen=True)
class Page:
    """What a report says.

    Attributes
    ----------
    report
        Of which study.
    facts, runs
        Tables: what was run, by name; each configuration.
    remarks
        What must be known to read the numbers, and what they say.
    """

    report: ConfiguredReport
    facts: Rows
    runs: Rows
    remarks: Sequence[str]


def render(page: Page) -> RenderableType:
    """The report for the terminal."""
    report = page.report
    parts: list[RenderableType] = [Text(report.chosen.study.title, style="bold")]
    parts += [table(page.facts), table(page.runs)]
    for title, rows in report.findings.tables:
        parts.append(Group(Text(title, style="bold"), table(rows)))
    parts += [Text(sentence) for sentence in page.remarks]
    return Group(*(part for each in parts for part in (each, Text(""))))


def markdown(page: Page, figures: Sequence[str] = ()) -> str:
    """The report as the text of study.md; figures: paths of those drawn, beside it."""
    report, study = page.report, page.report.chosen.study
    blocks = [
        f"# {study.title}",
        f"{study.question} After {study.source}.",
        "## What was run",
        pipes(page.facts),
        f"    {printable(report.command)}",
        pipes(page.runs),
        "## What was published",
        "\n".join(f"- {safe(sentence)}" for sentence in study.published),
        "## What came out",
    ]
    for title, rows in report.findings.tables:
        blocks += [f"### {safe(title)}", pipes(rows)]
    blocks += [safe(sentence) for sentence in page.remarks]
    if figures:
        shown = [f"![{safe(name)}]({name})" for name in figures]
        blocks += ["## Figures", *shown]
    return "\n\n".join(blocks) + "\n"


def to_json(
    page: Page,
    figures: Sequence[str] = (),
    *,
    data: Mapping[str, Any],
    configurations: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The report as plain data: NaN is null, infinities are text."""
    report, chosen = page.report, page.report.chosen
    return dict(
        plain(
            {
                "study": chosen.study.name,
                "title": chosen.study.title,
                "source": chosen.study.source,
                "published": list(chosen.study.published),
                "scale": chosen.scale,
                "overridden": {name: list(pair) for name, pair in chosen.overridden.items()},
                "data": dict(data),
                "configurations": list(configurations),
                "missing_fits": {name: list(fits) for name, fits in report.missing.items()},
                "failed": list(report.failed),
                "tables": [
                    {"title": title, "rows": [list(row) for row in rows]}
                    for title, rows in report.findings.tables
                ],
                "remarks": list(page.remarks),
                "found": dict(report.findings.data),
                "figures": list(figures),
                "command": report.command,
            }
        )
    )


def missing_fits(report: ConfiguredReport) -> list[str]:
    """Which fits are not there, if any."""
    said = []
    for one in report.carried:
        if one.run.missing:
            count, fits = len(one.run.missing), one.run.design.fits
            said.append(
                f"INCOMPLETE: {count} of {fits} fits of {one.name} are missing; these are the"
                " numbers of the others."
            )
    return [*said, *(f"INCOMPLETE: no fit of {name} is finished." for name in report.failed)]


def overridden(changed: Mapping[str, tuple[int, Any]]) -> str:
    """What was asked for in place of what is declared, in words; empty if nothing was."""
    words = [
        f"{name} {value:,} in place of {_declared(declared)}"
        for name, (value, declared) in changed.items()
    ]
    return f", overridden: {'; '.join(words)}" if words else ""


def _declared(value: Any) -> str:
    if value is None:
        return "all"
    return f"{value:,}" if isinstance(value, int) else " or ".join(f"{one:,}" for one in value)
