"""Copying: whether what the density memorizes also comes out in samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from byrote import figures
from byrote.data.records import Records
from byrote.report.format import number, with_interval
from byrote.scores.neighbors.extracted_records import (
    NEIGHBORS,
    ExtractedRecords,
    extracted_records,
    memorization_ratio,
)
from byrote.stats.estimate import Estimate, proportion
from byrote.studies.execute import StudyRun
from byrote.studies.findings import audits
from byrote.studies.findings.finding import Findings, Rows, mean_of, numbers

_SAMPLES = 200  # of each fit
MEASURES = RATIO, EXTRACTION = "ratio below 1/3", "extraction"


@dataclass(frozen=True)
class Copies:
    """What samples of a run's fits copy.

    shares, controls: by measure, of samples that copy a record that the fit trained on, or one that
    it held out. gaps: the differences of both. out: mean number of the training records of a fit
    that are extracted; ``of``: their number.
    """

    run: StudyRun
    shares: Mapping[str, Estimate]
    controls: Mapping[str, Estimate]
    gaps: Mapping[str, Estimate]
    out: Estimate
    of: float


def compare_copying(runs: Sequence[StudyRun]) -> Findings:
    """Compare memorization in the density with what samples of the same fits copy."""
    copies, pairs = [copies_of(run) for run in runs], audits.contrasts(runs)
    scores = "Memorization and held-out log p"
    beside = [("Beside another model", audits.contrasts_table(pairs))] if pairs else []
    return Findings(
        tables=(
            (scores, audits.scores_table(runs)),
            ("Copies among samples", _table(copies)),
            *beside,
        ),
        remarks=(_ABOUT, *map(_remark, copies), *map(audits.verdict, pairs)),
        figures={"copying": _figure(copies)},
        data={"copying": [{**audits.scores_as_data(c.run), **_as_data(c)} for c in copies]},
    )


def copies_of(run: StudyRun) -> Copies:
    """Sample each finished fit, and compare with its training and its held-out records.

    Intervals are over fits, for the samples of a fit share its model.
    """
    found = [_found(run, fit) for fit in run.run.finished]
    shares, controls = (
        {name: _share([of_fit[name][side] for of_fit in found]) for name in MEASURES}
        for side in (0, 1)
    )
    gaps = {
        name: mean_of([_rate(of_fit[name][0]) - _rate(of_fit[name][1]) for of_fit in found])
        for name in MEASURES
    }
    extracted = [of_fit[EXTRACTION][0] for of_fit in found]
    out = mean_of([float(len(each.rows)) for each in extracted])
    of = mean_of([float(len(each.counts)) for each in extracted])
    return Copies(run, shares, controls, gaps, out, of.value)


def _found(run: StudyRun, fit: int) -> dict[str, list[ExtractedRecords]]:
    """Find what samples of a fit copy, by measure: of its training records, and of the others."""
    trained, records = run.run.design.trained_on(fit), run.request.records
    assert isinstance(records, Records)  # noqa: S101 (of a study that audits records)
    samples = run.run.sample(_SAMPLES, fit=fit, model=run.request.model)
    sides = records.x[trained], records.x[~trained]
    neighbors = min(NEIGHBORS, *map(len, sides))
    return {
        RATIO: [memorization_ratio(side, samples) for side in sides],
        EXTRACTION: [extracted_records(side, samples, neighbors=neighbors) for side in sides],
    }


def _rate(found: ExtractedRecords) -> float:
    return found.rate.value


def _share(by_fit: Sequence[ExtractedRecords]) -> Estimate:
    """Estimate the share over fits; where all have the same, its interval is over samples."""
    rates = [_rate(found) for found in by_fit]
    if min(rates) == max(rates):
        samples = sum(len(found.distance) for found in by_fit)
        return proportion(round(rates[0] * samples), samples)
    share = mean_of(rates)
    return replace(share, low=max(share.low, 0.0), high=min(share.high, 1.0))


_ABOUT = (
    f"{_SAMPLES} samples of each fit, beside the images that it trained on and as many held out."
    f" {RATIO.capitalize()}: the nearest image is nearer than a third of the distance to the second"
    " nearest. Extraction: the adaptive distance of Carlini et al. (2023) to the nearest is below"
    f" 0.5, by the {NEIGHBORS} nearest images, or all where they are fewer. Intervals are over"
    " fits, or over samples where all fits have the same share. Memorization shows in a share if it"
    " is above that of held-out images, by the fits' differences, and in M if mean_log is above 0."
)


def _table(copies: Sequence[Copies]) -> Rows:
    head = ("", f"{RATIO} [95 %]", "of held-out images", "extraction [95 %]", "of held-out images",
            "images extracted [95 %]", "of")  # fmt: skip
    return [head, *map(_row, copies)]


def _row(copies: Copies) -> tuple[str, ...]:
    shares = [
        _percent(side[measure]) for measure in MEASURES for side in (copies.shares, copies.controls)
    ]
    return copies.run.title, *shares, with_interval(copies.out), number(copies.of)


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}] %"


def _remark(copies: Copies) -> str:
    """State which of the three measures show memorization."""
    signs = {
        "M": audits.memorization(copies.run).sign > 0,
        **{name: copies.gaps[name].sign > 0 for name in MEASURES},
    }
    shown = ", ".join(name for name, sign in signs.items() if sign)
    others = ", ".join(name for name, sign in signs.items() if not sign)
    if not shown:
        return f"{copies.run.title}: memorization shows in none of {others}."
    return f"{copies.run.title}: memorization shows in {shown}{others and f', not in {others}'}."


def _figure(copies: Sequence[Copies]) -> Any:
    rows = [
        figures.Copying(c.run.title, c.shares, c.controls, audits.memorization(c.run))
        for c in copies
    ]
    return figures.copies_by_configuration(rows)


def _as_data(copies: Copies) -> dict[str, Any]:
    return {
        "shares": {name: numbers(share) for name, share in copies.shares.items()},
        "gaps": {name: numbers(gap) for name, gap in copies.gaps.items()},
        "controls": {name: numbers(share) for name, share in copies.controls.items()},
        "extracted": numbers(copies.out),
        "trained_on": copies.of,
    }
