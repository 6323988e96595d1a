"""The page of one run, or of several compared: chapters, sections, and the same as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from byrote import __version__
from byrote.errors import printable
from byrote.report.format import plain
from byrote.report.page.audit import Audit
from byrote.report.page.content import Chapter, Page, Section
from byrote.report.page.sections import registry
from byrote.report.page.sections.compared import compared
from byrote.report.page.sections.coverage import coverage, signature
from byrote.report.page.sections.made import made
from byrote.scores.gate.threshold import Gate
from byrote.scores.run import Run

FORMAT = "byrote-report-1"


def page_of(
    runs: Mapping[str, Run],
    *,
    gates: Mapping[str, Gate] | None = None,
    show_records: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Page:
    """Return the page of runs by name, the first one the baseline.

    Parameters
    ----------
    gates
        Checks of the runs against thresholds, by name.
    show_records
        Whether the page shows what records and secrets hold.
    settings
        How the page was asked for, which it carries to be made again.
    """
    several = len(runs) > 1
    audits = [
        Audit(run, name, (gates or {}).get(name), show_records, f"run{place}-" if several else "")
        for place, (name, run) in enumerate(runs.items(), start=1)
    ]
    chapters = tuple(map(_chapter, audits))
    comparison = compared(runs) if several else None
    data = {
        "format": FORMAT,
        "byrote": __version__,
        "settings": dict(settings or {}),
        "runs": {chapter.name: _data(chapter) for chapter in chapters},
        "compared": None if comparison is None else comparison.data,
    }
    return Page(_title(audits), chapters, comparison, plain(data))


def _title(audits: list[Audit]) -> str:
    if len(audits) == 1:
        return f"{audits[0].model} on {audits[0].source}"
    return f"{len(audits)} runs, side by side"


def _chapter(audit: Audit) -> Chapter:
    _ = audit.evidence  # which takes the most memory, before other results stay in memory
    sections = registry.sections_of(audit)
    sections = (*sections, coverage(audit, sections), made(audit), signature())
    placed = tuple(_placed(section, audit) for section in sections)
    return Chapter(
        name=audit.name,
        anchor=audit.place("top"),
        question=_question(audit),
        conclusion=audit.conclusion,
        numbers=tuple(number for section in sections for number in section.numbers),
        untested=tuple(sentence for section in sections for sentence in section.untested),
        words=tuple(word for section in sections for word in section.words),
        sections=placed,
    )


def _placed(section: Section, audit: Audit) -> Section:
    """Give a section an anchor that is its run's alone."""
    return replace(section, name=audit.place(section.name))


def _question(audit: Audit) -> str:
    data = audit.run.manifest.data
    if audit.exposures is not None:
        return f"Would a secret in {audit.source} come out of {audit.model}?"
    nouns = "texts" if data.texts else "records"
    return (
        f"Which of the {data.records:,} {nouns} of {audit.source} did {audit.model} learn by rote?"
    )


def _data(chapter: Chapter) -> dict[str, Any]:
    conclusion = chapter.conclusion
    return {
        "question": chapter.question,
        "verdict": conclusion.verdict,
        "judgement": conclusion.judgement,
        "consequence": conclusion.consequence,
        "headline": list(conclusion.headline),
        "incomplete": conclusion.incomplete,
        "exit_code": conclusion.exit_code,
        "numbers": [asdict(number) for number in chapter.numbers],
        "untested": list(chapter.untested),
        "sections": {printable(section.name): section.data for section in chapter.sections},
    }
