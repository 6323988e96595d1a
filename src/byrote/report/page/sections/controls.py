"""What exposures rest on: secrets that were never inserted, and the number of completions."""

import numpy as np

from byrote.errors import printable
from byrote.report import exposure_notes
from byrote.report.page.audit import Audit
from byrote.report.page.content import Block, Facts, Prose, Section
from byrote.report.page.sections.registry import section
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import by_insertions, check_controls


@section(order=30)
def controls(audit: Audit) -> Section | None:
    """Return what the exposures rest on; None of a run without canaries."""
    result = audit.exposures
    if result is None:
        return None
    levels = by_insertions(result.exposure, result.inserted)
    checked = check_controls(result.exposure, result.inserted)
    cautions = exposure_notes.cautions(result.exposure, levels, checked)
    sentences = exposure_notes.fits(result.exposure)
    found = exposure_notes.reach(result)
    blocks: list[Block] = [Prose(tuple(found))] if found else []
    blocks += [Prose(tuple(cautions), "alarm")] if cautions else []
    blocks += [Facts(tuple(_facts(audit, result)))]
    blocks += [Prose(tuple(sentences), "note")] if sentences else []
    return Section(
        "reach",
        "What could have been found",
        tuple(blocks),
        {"controls": checked.to_dict(), "cautions": cautions},
        untested=(
            "The real content of the text: only secrets planted in it were audited.",
            "Secrets of other formats and at other places: canaries speak of secrets like them.",
        ),
    )


def _facts(audit: Audit, result: ExposureResult) -> list[tuple[str, str]]:
    checked = check_controls(result.exposure, result.inserted)
    most = np.unique(result.exposure.maximum[~np.isnan(result.exposure.maximum)])
    control = "none: the exposure of secrets that were never inserted is not checked"
    if checked.controls:
        control = exposure_notes.control(checked).removeprefix("Negative control: ")
    return [
        ("fits", f"{len(audit.run.finished):,} of {audit.run.design.fits:,} trained and scored"),
        ("secrets", "drawn at random from their format, so chance is known"),
        ("negative control", control),
        (
            "largest possible exposure",
            exposure_notes.ceiling(float(most[-1])) if len(most) else "unknown",
        ),
        ("patterns", "; ".join(map(printable, result.patterns))),
    ]
