"""The report of a study of exposure for the terminal, as Markdown, and as plain data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType

from byrote.report.format import byte_size, duration, number
from byrote.scores.exposure.levels import check_controls
from byrote.studies import page
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.carrying import ExposureStudyReport
from byrote.studies.findings import Rows, mean_of, named, plural, with_interval
from byrote.studies.page import Page


def page_of(report: ExposureStudyReport) -> Page:
    """What the report says."""
    return Page(report, facts(report), runs(report), remarks(report))


def render(report: ExposureStudyReport) -> RenderableType:
    """The report for the terminal."""
    return page.render(page_of(report))


def markdown(report: ExposureStudyReport, figures: Sequence[str] = ()) -> str:
    """The report as the text of study.md; figures: paths of those drawn, beside it."""
    return page.markdown(page_of(report), figures)


def to_json(report: ExposureStudyReport, figures: Sequence[str] = ()) -> dict[str, Any]:
    """The report as plain data: NaN is null, infinities are text."""
    return page.to_json(
        page_of(report),
        figures,
        data={"source": report.corpus.source, "characters": report.corpus.characters},
        configurations=[_as_data(one) for one in report.carried],
    )


def facts(report: ExposureStudyReport) -> Rows:
    """What was run, by name."""
    chosen, corpus, first = report.chosen, report.corpus, report.carried[0]
    manifest, records = first.run.manifest, first.records
    test = 0 if records.held_out is None else records.held_out.characters
    notes = ", ".join(f"{name} {value}" for name, value in corpus.notes.items())
    seconds = sum(float(np.nansum(one.run.fact("seconds"))) for one in report.carried)
    settled = manifest.settled
    return [
        ("", ""),
        ("scale", f"{chosen.scale}{page.overridden(chosen.overridden)}"),
        (
            "data",
            f"{corpus.source}: {corpus.characters:,} characters, {byte_size(corpus.size)}"
            f" ({byte_size(corpus.compressed)} compressed)" + (f"; {notes}" if notes else ""),
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
    levels = ", ".join(map(str, given.insertions))
    seconds = one.run.fact("seconds")
    known = seconds[~np.isnan(seconds)]
    controls = np.flatnonzero(one.result.inserted == 0)
    return (
        one.title,
        f"{given.kind}: {named(given.model)}",
        f"{levels} ({given.canaries_per_level}), {given.controls}",
        f"{given.references:,}",
        f"{len(one.run.finished)} of {one.run.design.fits}",
        f"{given.epochs}",
        duration(float(np.median(known))) if len(known) else "–",
        with_interval(mean_of(one.result.test_loss)),
        with_interval(one.mean_exposure(controls)),
    )


def remarks(report: ExposureStudyReport) -> list[str]:
    """What must be known to read the numbers, and what they say."""
    return [*page.missing_fits(report), *report.findings.remarks, _controls(report)]


def _controls(report: ExposureStudyReport) -> str:
    """Whether canaries that were never inserted look as they should."""
    checked = {
        one.title: check_controls(one.result.exposure, one.result.inserted)
        for one in report.carried
        if (one.result.inserted == 0).any()
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


def _as_data(one: Carried) -> dict[str, Any]:
    return {
        **one.configuration.model_dump(),
        "folder": one.run.path.name,
        "test_loss": one.result.test_loss.tolist(),
        "seconds": one.run.fact("seconds").tolist(),
        "asking_seconds": one.run.fact("asking_seconds").tolist(),
        "controls": check_controls(one.result.exposure, one.result.inserted).to_dict(),
    }
