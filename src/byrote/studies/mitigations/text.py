"""The report of a study of mitigations for the terminal, as Markdown, and as plain data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType

from byrote.report.format import duration
from byrote.studies import page
from byrote.studies.findings import Rows, named
from byrote.studies.mitigations.carried import Carried
from byrote.studies.mitigations.carrying import MitigationStudyReport
from byrote.studies.page import Page


def page_of(report: MitigationStudyReport) -> Page:
    """What the report says."""
    said = [*page.missing_fits(report), *report.findings.remarks]
    return Page(report, facts(report), runs(report), said)


def render(report: MitigationStudyReport) -> RenderableType:
    """The report for the terminal."""
    return page.render(page_of(report))


def markdown(report: MitigationStudyReport, figures: Sequence[str] = ()) -> str:
    """The report as the text of study.md; figures: paths of those drawn, beside it."""
    return page.markdown(page_of(report), figures)


def to_json(report: MitigationStudyReport, figures: Sequence[str] = ()) -> dict[str, Any]:
    """The report as plain data: NaN is null, infinities are text."""
    audited = report.records.audited
    return page.to_json(
        page_of(report),
        figures,
        data={
            "source": audited.source,
            "records": len(audited),
            "validation": len(report.records.validation),
        },
        configurations=[_as_data(one) for one in report.carried],
    )


def facts(report: MitigationStudyReport) -> Rows:
    """What was run, by name."""
    chosen, audited = report.chosen, report.records.audited
    manifest, first = report.carried[0].run.manifest, report.carried[0].configuration
    seconds = sum(float(np.nansum(one.run.fact("seconds"))) for one in report.carried)
    shape = " x ".join(map(str, audited.shape))
    return [
        ("", ""),
        ("scale", f"{chosen.scale}{page.overridden(chosen.overridden)}"),
        (
            "data",
            f"{audited.source}: {len(audited):,} records of shape {shape};"
            f" {len(report.records.validation):,} others set apart for validation",
        ),
        ("model", f"{first.kind}: {named(first.model)}"),
        ("seed, threads a fit", f"{manifest.seed}, {manifest.threads}"),
        ("time of all fits", f"{duration(seconds)}, one after the other"),
        ("settled", ", ".join(f"{k} {v}" for k, v in manifest.settled.items()) or "nothing"),
        ("versions", ", ".join(f"{k} {v}" for k, v in manifest.environment.items())),
    ]


def runs(report: MitigationStudyReport) -> Rows:
    """Each configuration: what was trained, on how many records."""
    head = ("runs", "", "in the model", "records", "probes", "fits", "epochs")
    common = report.carried[0].configuration.model
    alike: dict[tuple[str, ...], list[Carried]] = {}
    for one in report.carried:
        alike.setdefault(_run(one, common), []).append(one)
    return [head, *((_listed(runs), *said) for said, runs in alike.items())]


def _listed(carried: Sequence[Carried]) -> str:
    """Names of runs that differ in their seeds alone."""
    return ", ".join(f"{one.name} (seed {one.run.manifest.seed})" for one in carried)


def _run(one: Carried, common: Mapping[str, Any]) -> tuple[str, ...]:
    given, design = one.configuration, one.run.design
    changed = {name: value for name, value in given.model.items() if common.get(name) != value}
    return (
        one.title,
        named(changed) or "the same",
        f"{design.n:,}",
        f"{len(one.audit.ids):,}",
        f"{len(one.run.finished)} of {design.fits}",
        f"{given.epochs}",
    )


def _as_data(one: Carried) -> dict[str, Any]:
    return {
        **one.configuration.model_dump(),
        "folder": one.run.path.name,
        "records": one.run.design.n,
        "seconds": one.run.fact("seconds").tolist(),
    }
