"""What exposures rest on: secrets that were never inserted, and the number of completions."""

import numpy as np

from byrote.errors import printable
from byrote.report import exposure_notes
from byrote.report.format import number, plural
from byrote.report.page import cells
from byrote.report.page.audit import Audit
from byrote.report.page.content import Block, Facts, Prose, Section
from byrote.report.page.sections.registry import section
from byrote.scores.exposure.exposure_result import ExposureResult
from byrote.scores.exposure.levels import NULL_MEAN, Controls, by_insertions, check_controls


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
    blocks: list[Block] = [Prose(tuple(cautions), "alarm")] if cautions else []
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
        control = (
            f"{plural(checked.controls, 'secret')} never inserted: mean {number(checked.mean)}"
            f" bits, {NULL_MEAN:.2f} expected if the measure is right (p"
            f" of a difference: {cells.probability(checked.mean_p_value).text}). {_wolf(checked)}"
        )
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


def _wolf(checked: Controls) -> str:
    """Return what the control shows of the measure; it says nothing of inserted secrets."""
    if np.isnan(checked.mean_p_value):
        return "Not tested, since some are only bounds"
    if checked.calibrated:
        return "Passed: the measure does not cry wolf over secrets that were not planted"
    return "FAILED: the measure is wrong for secrets that were not planted, and not to be relied on"
