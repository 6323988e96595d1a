"""The report of a study: for the terminal, as Markdown, and as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import IncompleteRun, printable
from byrote.report import neighbors as neighbor_text
from byrote.report.format import new_table, plain
from byrote.report.markdown import pipes, safe
from byrote.runs.request import Settings
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.studies import what_was_run
from byrote.studies.execute import StudyRun
from byrote.studies.findings import FINDINGS
from byrote.studies.findings.finding import Findings, Rows, combine
from byrote.studies.requests import study_command


@dataclass(frozen=True, eq=False)
class StudyReport:
    """Findings of an executed study, with the commands that make the same runs."""

    data: Any  # the study at its scale, with its data
    runs: tuple[StudyRun, ...]  # those with a finished fit
    failed: tuple[str, ...]  # names of the others
    findings: Findings
    command: str
    score_command: str = ""  # byrote score, of a study of scores
    neighbors: NeighborResult | None = None  # with validation records

    @property
    def missing(self) -> dict[str, tuple[int, ...]]:
        """Missing fits by run."""
        return {run.name: run.run.missing for run in self.runs if run.run.missing}

    @property
    def complete(self) -> bool:
        """Whether every fit of every run is finished."""
        return not self.failed and not self.missing


def report_on(
    data: Any, runs: Sequence[StudyRun], settings: Settings, out: Path, **more: Any
) -> StudyReport:
    """Report on the runs of a study that have finished fits; ``more``: fields of the report.

    Raises
    ------
    IncompleteRun
        If no fit is finished.
    """
    if not runs:
        raise IncompleteRun(f"no fit of the study in {out} is finished; see its failures")
    names = {run.name for run in runs}
    return StudyReport(
        data=data,
        runs=tuple(runs),
        failed=tuple(run.name for run in data.scaled.runs if run.name not in names),
        findings=combine([FINDINGS[name](runs) for name in data.scaled.study.findings]),
        **{"command": study_command(data, settings, out), **more},
    )


# -- the page, block by block: (for the terminal, as Markdown), either of which may be None -------

Block = tuple[RenderableType | None, str | None]


def render(report: StudyReport) -> RenderableType:
    """Return the report for the terminal."""
    shown = [block for block, _ in _blocks(report, ()) if block is not None]
    return Group(*(part for block in shown for part in (block, Text(""))))


def markdown(report: StudyReport, figures: Sequence[str] = ()) -> str:
    """Return the report as the text of study.md; figures: their paths, relative to it."""
    return "\n\n".join(text for _, text in _blocks(report, figures) if text is not None) + "\n"


def _blocks(report: StudyReport, figures: Sequence[str]) -> list[Block]:
    data, study = report.data, report.data.scaled.study
    blocks: list[Block] = [
        (Text(study.title, style="bold"), f"# {study.title}"),
        (None, f"{study.question} After {study.source}." if study.question else f"{study.source}."),
        *_section("What was run", _table(what_was_run.facts(data, report.runs))),
        (None, f"    {printable(report.command)}"),
        *_same_run(report),
    ]
    if runs := what_was_run.run_table(data, report.runs):
        blocks.append(_table(runs))
    if study.kind != "scores":
        published = "\n".join(f"- {safe(sentence)}" for sentence in study.published)
        blocks += _section("What was published", (None, published))
    blocks.append((None, "## Results"))
    for title, rows in report.findings.tables:
        titled = Group(Text(title, style="bold"), table(rows))
        blocks.append((titled, f"### {safe(title)}\n\n{pipes(rows)}"))
    blocks += [(Text(sentence), safe(sentence)) for sentence in remarks(report)]
    blocks += _neighbors(report.neighbors)
    if figures:
        links = [(None, f"![{safe(name)}]({name})") for name in figures]
        blocks += _section("Figures", *links)
    return blocks


def _section(title: str, *blocks: Block) -> list[Block]:
    return [(None, f"## {title}"), *blocks]


def _same_run(report: StudyReport) -> list[Block]:
    """Return the command that makes the run of a study of scores."""
    if not report.score_command:
        return []
    command, title = printable(report.score_command), "The same run without the report:"
    return [(Text(f"{title}\n{command}", overflow="fold"), f"{title}\n\n    {command}")]


def _neighbors(result: NeighborResult | None) -> list[Block]:
    if result is None:
        return []
    rows = [neighbor_text.HEAD, *neighbor_text.rows(result)]
    sentences = [(None, safe(sentence)) for sentence in neighbor_text.remarks(result)]
    shown = neighbor_text.render(result, top=3)
    return [(shown, None), *_section("Nearest neighbours", (None, pipes(rows)), *sentences)]


def remarks(report: StudyReport) -> list[str]:
    """Return notes on missing fits, the remarks of the findings, and the check of the controls."""
    missing = what_was_run.missing_fits(report.runs, report.failed)
    return [*missing, *report.findings.remarks, *what_was_run.controls(report.data, report.runs)]


def _table(rows: Rows) -> Block:
    return table(rows), pipes(rows)


def table(rows: Rows) -> Table:
    """Return a table for the terminal; the first row is its head, hidden if empty."""
    head, *body = rows
    shown = new_table(*head, left=1 if len(head) > 2 else len(head))
    shown.show_header = any(head)
    for row in body:
        shown.add_row(*(Text(printable(cell)) for cell in row))
    return shown


def to_json(report: StudyReport, figures: Sequence[str] = ()) -> dict[str, Any]:
    """Return the report as plain data: NaN is null, infinities are text."""
    scaled = report.data.scaled
    common = {
        "study": scaled.study.name,
        "title": scaled.study.title,
        "source": scaled.study.source,
        "scale": scaled.scale,
        "overridden": {name: list(pair) for name, pair in scaled.overridden.items()},
        "command": report.command,
        "figures": list(figures),
    }
    if scaled.study.kind == "scores":
        tests = report.neighbors
        return plain(
            {
                **common,
                **report.findings.data,
                "score_command": report.score_command,
                "neighbors": None if tests is None else neighbor_text.to_json(tests, top=3),
            }
        )
    return plain(
        {
            **common,
            "published": list(scaled.study.published),
            **what_was_run.as_data(report.data, report.runs),
            "missing_fits": {name: list(fits) for name, fits in report.missing.items()},
            "failed": list(report.failed),
            "tables": [
                {"title": title, "rows": [list(row) for row in rows]}
                for title, rows in report.findings.tables
            ],
            "remarks": remarks(report),
            "found": dict(report.findings.data),
        }
    )
