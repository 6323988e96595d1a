"""Does a skew-normal curve describe the candidates, and where do the estimators agree?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from byrote import figures
from byrote.report import exposure_notes as notes
from byrote.report.format import number, plain
from byrote.scores.exposure.exposure import Exposure
from byrote.studies.execute import StudyRun
from byrote.studies.findings.estimators import (
    CURVE,
    EXACT,
    MODEL,
    SAMPLED,
    Agreement,
    Estimators,
    all_estimators,
    compare_with_exact,
)
from byrote.studies.findings.finding import Findings, Rows, combine, times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = (EXACT, SAMPLED, CURVE, MODEL)
_SHOWN = 40  # canaries in a figure


def skew_normal_fit(runs: Sequence[StudyRun]) -> Findings:
    """Judge the curves, and compare the estimators, in runs whose first model was kept."""
    parts = []
    for run in runs:
        title = f"Curves through the references of every fit, {run.title}"
        parts.append(Findings(tables=((title, _curves_by_fit(run)),)))
        patterns = enumerate(all_estimators(run), start=1)
        parts += [_one_pattern(by, f"{run.name}-{place}") for place, by in patterns]
    return combine(parts)


def _one_pattern(estimators: Estimators, name: str) -> Findings:
    text = estimators.pattern.text
    agreements = {each: compare_with_exact(estimators, each) for each in _NAMES[1:]}
    return Findings(
        tables=(
            (f"Exposure in bits by each estimator: {text}", _canaries(estimators)),
            (f"Beside the exact exposure: {text}", _agreements(agreements)),
        ),
        remarks=(*_fitted(estimators), _agreement_in_words(estimators, agreements)),
        figures=_figures(estimators, name),
        data=plain({name: {each: asdict(agreement) for each, agreement in agreements.items()}}),
    )


def _curves_by_fit(run: StudyRun) -> Rows:
    """Tabulate the curve of each pattern in each fit, to show how much fits differ."""
    head = ("", "fit", "location", "scale", "shape", "KS distance", "off at 1 in 1,000", "accepted")
    curves = iter(run.run.exposure(method=CURVE, partial=True).exposure.fits)
    rows: list[Sequence[str]] = [head]
    for fit in run.run.finished:
        for pattern in run.records.patterns:
            curve = next(curves)
            off = curve.quantile_errors.get("0.001", np.nan)
            cells = map(number, (curve.location, curve.scale, curve.shape, curve.ks, off))
            rows.append((pattern.text, f"{fit}", *cells, "yes" if curve.accepted else "no"))
    return rows


def _canaries(estimators: Estimators) -> Rows:
    rows: list[Sequence[str]] = [("canary", *_NAMES)]
    for row in np.argsort(estimators.inserted, kind="stable").tolist():
        cells = [_cell(estimators.by[name], row) for name in _NAMES]
        rows.append((times(estimators.inserted[row]), *cells))
    return rows


def _cell(exposure: Exposure, row: int) -> str:
    ends = exposure.bits[row], exposure.low[row], exposure.high[row]
    bits, low, high = (round(float(value), 6) for value in ends)  # print nearly nothing as 0
    if np.isnan(bits):
        return f"– [{number(low)}, {number(high)}]" if not np.isnan(low) else "–"
    text = f"{'≥ ' if exposure.saturated[row] else ''}{number(bits)}"
    return text if low == high else f"{text} [{number(low)}, {number(high)}]"


def _agreements(agreements: dict[str, Agreement]) -> Rows:
    head = ("", "gives a number", "lower bounds", "compared", "mean |difference|", "largest",
            "exact within 95 %")  # fmt: skip
    return [
        head,
        *(
            (
                name,
                f"{agreement.known} of {agreement.canaries}",
                f"{agreement.saturated}",
                f"{agreement.compared}",
                number(agreement.mean),
                number(agreement.worst),
                f"{agreement.covered} of {agreement.compared}",
            )
            for name, agreement in agreements.items()
        ),
    ]


def _fitted(estimators: Estimators) -> list[str]:
    """Return the fit of the curve through the references, and the whole space if it is known."""
    text = estimators.pattern.text
    remarks = [f"{text}: {sentence}" for sentence in notes.fits(estimators.by[CURVE])]
    if estimators.space is not None:
        sentences = notes.fits(estimators.by_curve(estimators.space))
        remarks += [f"{text}, the whole space: {sentence}" for sentence in sentences]
    return remarks


def _agreement_in_words(estimators: Estimators, agreements: dict[str, Agreement]) -> str:
    """Return where each estimator gives none, a bound, or a number other than the exact one."""
    exact, text = estimators.exact, estimators.pattern.text
    methods = Counter(name for name in exact.method.tolist() if name)
    ways = ", ".join(f"{count} by {name}" for name, count in methods.items()) or "none"
    lacking = np.isnan(exact.bits)
    remark = (
        f"{text}: exact exposures of {int((~lacking).sum())} of {len(exact)} canaries ({ways});"
        " for the others the search's budget ended first"
        if lacking.any()
        else f"{text}: exact exposures of all {len(exact)} canaries ({ways})"
    )
    references = len(estimators.references)
    parts = [_compared(name, agreement, references) for name, agreement in agreements.items()]
    return "; ".join([remark, *parts]) + "."


def _compared(name: str, agreement: Agreement, references: int) -> str:
    without = agreement.canaries - agreement.known
    parts = []
    if without:
        parts.append(f"gives no number for {without}")
    if agreement.saturated:
        parts.append(
            f"only a lower bound for {agreement.saturated} (log2 of its {references:,} references)"
        )
    if agreement.compared:
        parts.append(
            f"differs by {number(agreement.mean)} bits on average, {number(agreement.worst)} at"
            f" most, from the exact ones it can be compared with ({agreement.compared})"
        )
    return f"{name} {', '.join(parts) or 'cannot be compared'}"


def _figures(estimators: Estimators, name: str) -> "dict[str, Figure]":
    inserted, exact = estimators.inserted, estimators.exact
    most = int(inserted.argmax())
    drawn = {}
    for what, bits in (("references", estimators.references), ("space", estimators.space)):
        fit = None if bits is None else estimators.by_curve(bits).fits[0]
        if bits is not None and fit is not None and np.isfinite(fit.location):
            drawn[f"skew-normal-{name}-{what}"] = figures.skew_normal_fit(
                bits, fit, float(exact.log_perplexity[most]), name=f"canary {times(inserted[most])}"
            )
    order = np.argsort(inserted, kind="stable")[-_SHOWN:]
    estimates = {
        each: figures.Estimates(
            exposure.bits[order],
            exposure.low[order],
            exposure.high[order],
            exposure.saturated[order],
        )
        for each, exposure in estimators.by.items()
    }
    drawn[f"estimators-{name}"] = figures.exposure_by_estimator(
        estimates,
        [times(count) for count in inserted[order].tolist()],
        maximum=float(exact.maximum[0]),
    )
    return drawn
