"""The report of a study of exposure for the terminal, as Markdown, and as plain data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from byrote.report.exposure_notes import size_of
from byrote.report.forecast import duration
from byrote.report.text import number, plain, printable
from byrote.scores.exposure.levels import check_controls
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.carrying import ExposureStudyReport
from byrote.studies.exposure.findings import Rows, mean_of, plural, with_interval
from byrote.studies.tables import pipes, safe, table


def render(report: ExposureStudyReport) -> RenderableType:
    """The report for the terminal."""
    parts: list[RenderableType] = [Text(report.chosen.study.title, style="bold")]
    parts += [table(facts(report)), table(runs(report))]
    for title, rows in report.findings.tables:
        parts.append(Group(Text(title, style="bold"), table(rows)))
    parts += [Text(sentence) for sentence in remarks(report)]
    return Group(*(part for each in parts for part in (each, Text(""))))


def markdown(report: ExposureStudyReport, figures: Sequence[str] = ()) -> str:
    """The report as the text of study.md; figures: paths of those drawn, beside it."""
    study = report.chosen.study
    blocks = [
        f"# {study.title}",
        f"{study.question} After {study.source}.",
        "## What was run",
        pipes(facts(report)),
        f"    {printable(report.command)}",
        pipes(runs(report)),
        "## What was published",
        "\n".join(f"- {safe(sentence)}" for sentence in study.published),
        "## What came out",
    ]
    for title, rows in report.findings.tables:
        blocks += [f"### {safe(title)}", pipes(rows)]
    blocks += [safe(sentence) for sentence in remarks(report)]
    if figures:
        shown = [f"![{safe(name)}]({name})" for name in figures]
        blocks += ["## Figures", *shown]
    return "\n\n".join(blocks) + "\n"


def to_json(report: ExposureStudyReport, figures: Sequence[str] = ()) -> dict[str, Any]:
    """The report as plain data: NaN is null, infinities are text."""
    chosen = report.chosen
    return dict(
        plain(
            {
                "study": chosen.study.name,
                "title": chosen.study.title,
                "source": chosen.study.source,
                "published": list(chosen.study.published),
                "scale": chosen.scale,
                "overridden": {name: list(pair) for name, pair in chosen.overridden.items()},
                "data": {"source": report.corpus.source, "characters": report.corpus.characters},
                "configurations": [_as_data(one) for one in report.carried],
                "missing_fits": {name: list(fits) for name, fits in report.missing.items()},
                "failed": list(report.failed),
                "tables": [
                    {"title": title, "rows": [list(row) for row in rows]}
                    for title, rows in report.findings.tables
                ],
                "remarks": remarks(report),
                "found": dict(report.findings.data),
                "figures": list(figures),
                "command": report.command,
            }
        )
    )


def facts(report: ExposureStudyReport) -> Rows:
    """What was run, by name."""
    chosen, corpus, first = report.chosen, report.corpus, report.carried[0]
    manifest, records = first.folder.manifest, first.records
    test = 0 if records.held_out is None else records.held_out.characters
    notes = ", ".join(f"{name} {value}" for name, value in corpus.notes.items())
    seconds = sum(float(np.nansum(one.of_fits("seconds"))) for one in report.carried)
    settled = manifest.settled
    return [
        ("", ""),
        ("scale", f"{chosen.scale}{_overridden(report)}"),
        (
            "data",
            f"{corpus.source}: {corpus.characters:,} characters, {size_of(corpus.size)}"
            f" ({size_of(corpus.compressed)} compressed)" + (f"; {notes}" if notes else ""),
        ),
        ("trained on, tested on", f"{records.corpus.characters:,}, {test:,} characters"),
        ("seed, threads a fit", f"{manifest.seed}, {manifest.threads}"),
        ("time of all fits", f"{duration(seconds)}, one after the other"),
        ("settled", ", ".join(f"{k} {v}" for k, v in settled.items()) or "nothing"),
        ("versions", ", ".join(f"{k} {v}" for k, v in manifest.environment.items())),
    ]


def runs(report: ExposureStudyReport) -> Rows:
    """Each configuration: what was planted and trained, and whether controls are as by chance."""
    head = (
        "run",
        "model",
        "inserted (canaries each), never",
        "references",
        "fits",
        "epochs",
        "a fit",
        "test loss [95 %]",
        "mean of controls",
    )
    return [head, *(_run(one) for one in report.carried)]


def _run(one: Carried) -> tuple[str, ...]:
    given = one.configuration
    parameters = ", ".join(f"{name} {value}" for name, value in given.model.items())
    levels = ", ".join(map(str, given.insertions))
    seconds = one.of_fits("seconds")
    known = seconds[~np.isnan(seconds)]
    controls = one.run.exposure.bits[one.run.inserted == 0]
    return (
        one.title,
        f"{given.kind}: {parameters}",
        f"{levels} ({given.canaries_per_level}), {given.controls}",
        f"{given.references:,}",
        f"{len(one.fits)} of {one.folder.design.fits}",
        f"{given.epochs}",
        duration(float(np.median(known))) if len(known) else "–",
        with_interval(mean_of(one.run.test_loss)),
        with_interval(mean_of(controls)),
    )


def remarks(report: ExposureStudyReport) -> list[str]:
    """What must be known to read the numbers, and what they say."""
    said = []
    for one in report.carried:
        if one.missing:
            count, fits = len(one.missing), one.folder.design.fits
            said.append(
                f"INCOMPLETE: {count} of {fits} fits of {one.name} are missing; these are the"
                " numbers of the others."
            )
    said += [f"INCOMPLETE: no fit of {name} is finished." for name in report.failed]
    return [*said, *report.findings.remarks, _controls(report)]


def _controls(report: ExposureStudyReport) -> str:
    """Whether canaries that were never inserted look as they should."""
    checked = {
        one.title: check_controls(one.run.exposure, one.run.inserted)
        for one in report.carried
        if (one.run.inserted == 0).any()
    }
    if not checked:
        return "No canary was left out: nothing shows what exposure is by chance."
    doubtful = [title for title, found in checked.items() if not found.calibrated]
    count = sum(found.controls for found in checked.values())
    mean = sum(found.mean * found.controls for found in checked.values()) / max(1, count)
    sentence = (
        f"Controls, never inserted: mean exposure {number(mean)} bits over {count:,} in"
        f" {plural(len(checked), 'run')} (1.44 expected by chance)"
    )
    if not doubtful:
        return f"{sentence}; in no run are they told from chance, at 1 % each test."
    return f"{sentence}; NOT as by chance, at 1 % each test: {'; '.join(doubtful)}."


def _overridden(report: ExposureStudyReport) -> str:
    changed = [
        f"{name} {value:,} in place of {_declared(declared)}"
        for name, (value, declared) in report.chosen.overridden.items()
    ]
    return f", overridden: {'; '.join(changed)}" if changed else ""


def _declared(value: Any) -> str:
    if value is None:
        return "all"
    return f"{value:,}" if isinstance(value, int) else " or ".join(f"{one:,}" for one in value)


def _as_data(one: Carried) -> dict[str, Any]:
    return {
        **one.configuration.model_dump(),
        "folder": one.folder.paths.root.name,
        "test_loss": one.run.test_loss.tolist(),
        "seconds": one.of_fits("seconds").tolist(),
        "asking_seconds": one.of_fits("asking_seconds").tolist(),
        "controls": check_controls(one.run.exposure, one.run.inserted).to_dict(),
    }
