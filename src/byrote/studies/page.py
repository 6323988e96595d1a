"""The report of a study: for the terminal, as Markdown, and as plain data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from byrote.errors import IncompleteRun, printable
from byrote.report import neighbors as neighbor_text
from byrote.report.format import plain
from byrote.runs.request import Settings
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.studies import what_was_run
from byrote.studies.execute import StudyRun
from byrote.studies.findings import (
    by_insertions,
    extraction,
    mitigations,
    onion,
    over_training,
    perplexity_pareto,
    privacy,
    published_scores,
    skew_normal,
)
from byrote.studies.findings.finding import Findings, Rows, combine
from byrote.studies.requests import study_command

FINDINGS: Mapping[str, Callable[[Sequence[StudyRun]], Findings]] = {
    "published-scores": published_scores.compare_with_published,
    "exposure-over-training": over_training.exposure_over_training,
    "exposure-by-insertions": by_insertions.exposure_by_insertions,
    "extraction": extraction.extraction,
    "model-size": by_insertions.model_size,
    "perplexity-pareto": perplexity_pareto.perplexity_pareto,
    "skew-normal-fit": skew_normal.skew_normal_fit,
    "privacy": privacy.exposure_by_privacy,
    "mitigations": mitigations.compare_mitigations,
    "onion": onion.onion,
}


@dataclass(frozen=True, eq=False)
class StudyReport:
    """A study that was executed.

    Attributes
    ----------
    data
        The study at its scale, with its data.
    runs
        The runs with at least one finished fit.
    failed
        Names of the others.
    findings
        What the runs show.
    command
        The command that makes the same runs.
    score_command
        Of a study of scores: the ``byrote score`` command that makes the same run.
    neighbors
        Nearest-neighbor tests, where there were validation records.
    """

    data: Any
    runs: tuple[StudyRun, ...]
    failed: tuple[str, ...]
    findings: Findings
    command: str
    score_command: str = ""
    neighbors: NeighborResult | None = None

    @property
    def missing(self) -> dict[str, tuple[int, ...]]:
        """Fits that failed, by run."""
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
        If there is no such run.
    """
    if not runs:
        raise IncompleteRun(f"no fit of the study in {out} is finished: its failures say why")
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
    """Return the report as the text of study.md; figures: paths of those drawn, relative to it."""
    return "\n\n".join(text for _, text in _blocks(report, figures) if text is not None) + "\n"


def _blocks(report: StudyReport, figures: Sequence[str]) -> list[Block]:
    of_scores = report.data.scaled.study.kind == "scores"
    return (_scores_page if of_scores else _runs_page)(report, figures)


def _scores_page(report: StudyReport, figures: Sequence[str]) -> list[Block]:
    study, (scores, likelihoods) = report.data.scaled.study, report.findings.tables
    command = printable(report.score_command)
    same = Text(f"The same run without the report:\n{command}", overflow="fold")
    blocks: list[Block] = [
        _title(study.title),
        (None, f"{study.source}."),
        _heading("What was run"),
        _table(what_was_run.facts(report.data, report.runs)),
        (None, f"    {printable(report.command)}"),
        (same, f"The same run without the report:\n\n    {command}"),
        _heading(scores[0]),
        _table(scores[1]),
        (table(likelihoods[1]), None),
        *((Text(sentence), sentence) for sentence in report.findings.remarks),
        _heading(likelihoods[0]),
        (None, pipes(likelihoods[1])),
    ]
    if report.neighbors is not None:
        rows = [neighbor_text.HEAD, *neighbor_text.rows(report.neighbors)]
        cautions = map(safe, neighbor_text.remarks(report.neighbors))
        shown = Group(Text(""), Text(""), neighbor_text.render(report.neighbors, top=3))
        blocks += [(shown, None), _heading("Nearest neighbours"), (None, pipes(rows))]
        blocks += [(None, sentence) for sentence in cautions]
    if figures:
        blocks += [_heading("Figures"), (None, "\n".join(f"- {safe(name)}" for name in figures))]
    return blocks


def _runs_page(report: StudyReport, figures: Sequence[str]) -> list[Block]:
    study = report.data.scaled.study
    published = "\n".join(f"- {safe(sentence)}" for sentence in study.published)
    blocks: list[Block] = [
        _title(study.title),
        (None, f"{study.question} After {study.source}."),
        _heading("What was run"),
        _table(what_was_run.facts(report.data, report.runs)),
        (None, f"    {printable(report.command)}"),
        _table(what_was_run.run_table(report.data, report.runs)),
        _heading("What was published"),
        (None, published),
        _heading("What came out"),
    ]
    for title, rows in report.findings.tables:
        titled = Group(Text(title, style="bold"), table(rows))
        blocks.append((titled, f"### {safe(title)}\n\n{pipes(rows)}"))
    blocks += [(Text(sentence), safe(sentence)) for sentence in remarks(report)]
    if figures:
        blocks += [_heading("Figures"), *((None, f"![{safe(name)}]({name})") for name in figures)]
    return blocks


def remarks(report: StudyReport) -> list[str]:
    """Return what must be known to read the numbers, and what they say."""
    missing = what_was_run.missing_fits(report.runs, report.failed)
    return [*missing, *report.findings.remarks, *what_was_run.controls(report.data, report.runs)]


def _title(text: str) -> Block:
    return Text(text, style="bold"), f"# {text}"


def _heading(text: str) -> Block:
    return None, f"## {text}"


def _table(rows: Rows) -> Block:
    return table(rows), pipes(rows)


def table(rows: Rows) -> Table:
    """Return a table for the terminal; the first row is its head, which may be empty."""
    head, *body = rows
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(head))
    shown.add_column(head[0])
    for title in head[1:]:
        shown.add_column(title, justify="right" if len(head) > 2 else "left")
    for row in body:
        shown.add_row(*(Text(printable(cell)) for cell in row))
    return shown


def pipes(rows: Rows) -> str:
    """Return a Markdown table."""
    head, *body = rows
    right = "---:" if len(head) > 2 else "---"
    lines = [head, ["---", *[right] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(safe(cell) for cell in line)} |" for line in lines)


def safe(cell: str) -> str:
    """Escape text so that it stays within its cell and is not markup."""
    text = printable(cell).replace("\\", "\\\\")
    for mark in "|`*_<[":
        text = text.replace(mark, f"\\{mark}")
    return text


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
