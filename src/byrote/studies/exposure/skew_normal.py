"""Does a skew-normal curve describe the candidates, and where do the estimators agree?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from byrote.report import exposure_notes as notes
from byrote.report import figures
from byrote.report.format import number, plain
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.result import Exposure
from byrote.studies.exposure.carried import Carried
from byrote.studies.exposure.estimators import (
    CURVE,
    EXACT,
    MODEL,
    SAMPLED,
    Agreement,
    SideBySide,
    agreement,
    side_by_side,
)
from byrote.studies.exposure.findings import times
from byrote.studies.findings import Findings, Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = (EXACT, SAMPLED, CURVE, MODEL)


def findings(carried: Sequence[Carried]) -> Findings:
    """Of configurations whose first fit's model was kept."""
    tables: list[tuple[str, Rows]] = []
    remarks: list[str] = []
    drawn: dict[str, Figure] = {}
    data = {}
    for one in carried:
        tables.append((f"Curves through the references of every fit, {one.title}", _fits(one)))
        for place, found in enumerate(side_by_side(one), start=1):
            name = f"{one.name}-{place}"
            tables.append(
                (f"Exposure in bits by each estimator: {found.pattern.text}", _canaries(found))
            )
            tables.append((f"Beside the exact exposure: {found.pattern.text}", _agreements(found)))
            remarks += [*_curves(found), _failures(found)]
            drawn |= _drawn(found, name)
            data[name] = {each: asdict(agreement(found, each)) for each in _NAMES[1:]}
    return Findings(tuple(tables), tuple(remarks), drawn, plain(data))


def _fits(one: Carried) -> Rows:
    """The curve of each pattern in each fit: how much fits differ."""
    head = ("", "fit", "location", "scale", "shape", "KS distance", "off at 1 in 1,000", "accepted")
    curves = iter(one.by("skew_normal").exposure.fits)
    rows: list[Sequence[str]] = [head]
    for fit in one.run.finished:
        for pattern in one.records.patterns:
            curve = next(curves)
            numbers = (curve.location, curve.scale, curve.shape, curve.ks)
            off = curve.quantile_errors.get("0.001", np.nan)
            verdict = "yes" if curve.accepted else "no"
            rows.append((pattern.text, f"{fit}", *map(number, (*numbers, off)), verdict))
    return rows


def _canaries(found: SideBySide) -> Rows:
    rows: list[Sequence[str]] = [("canary", *_NAMES)]
    for row in np.argsort(found.inserted, kind="stable").tolist():
        cells = [_cell(found.by[name], row) for name in _NAMES]
        rows.append((times(found.inserted[row]), *cells))
    return rows


def _cell(exposure: Exposure, row: int) -> str:
    ends = exposure.bits[row], exposure.low[row], exposure.high[row]
    bits, low, high = (round(float(value), 6) for value in ends)  # nearly nothing is said to be 0
    if np.isnan(bits):
        return f"– [{number(low)}, {number(high)}]" if not np.isnan(low) else "–"
    text = f"{'≥ ' if exposure.saturated[row] else ''}{number(bits)}"
    return text if low == high else f"{text} [{number(low)}, {number(high)}]"


def _agreements(found: SideBySide) -> Rows:
    head = (
        "",
        "gives a number",
        "lower bounds",
        "compared",
        "mean |difference|",
        "largest",
        "exact within 95 %",
    )
    rows: list[Sequence[str]] = [head]
    for name in _NAMES[1:]:
        one = agreement(found, name)
        rows.append(
            (
                name,
                f"{one.known} of {one.canaries}",
                f"{one.saturated}",
                f"{one.compared}",
                number(one.mean),
                number(one.worst),
                f"{one.covered} of {one.compared}",
            )
        )
    return rows


def _curves(found: SideBySide) -> list[str]:
    """The curve through the references and, where there is one, through the whole space."""
    said = [f"{found.pattern.text}: {sentence}" for sentence in notes.fits(found.by[CURVE])]
    if found.whole is not None:
        whole = _through(found, found.whole)
        said += [f"{found.pattern.text}, the whole space: {one}" for one in notes.fits(whole)]
    return said


def _through(found: SideBySide, bits: NDArray[np.float64]) -> Exposure:
    """The canaries by a curve through other log-perplexities."""
    return estimate_exposure(
        found.exact.log_perplexity,
        bits,
        space_size=found.pattern.space_size,
        method="skew_normal",
        ids=found.ids,
    )


def _failures(found: SideBySide) -> str:
    """Where each estimator gives none, a bound, or another number than the exact one."""
    exact = found.exact
    how = Counter(name or "none" for name in exact.method.tolist())
    ways = ", ".join(f"{count} by {name}" for name, count in how.items() if name != "none")
    said = [
        f"{found.pattern.text}: exact exposures of {int((~np.isnan(exact.bits)).sum())} of"
        f" {len(exact)} canaries ({ways or 'none'}); for the others the search's budget ended first"
        if np.isnan(exact.bits).any()
        else f"{found.pattern.text}: exact exposures of all {len(exact)} canaries ({ways})"
    ]
    said += [_failure(name, agreement(found, name), found) for name in _NAMES[1:]]
    return "; ".join(said) + "."


def _failure(name: str, one: Agreement, found: SideBySide) -> str:
    without = one.canaries - one.known
    parts = []
    if without:
        parts.append(f"gives no number for {without}")
    if one.saturated:
        parts.append(
            f"only a lower bound for {one.saturated} (log2 of its {len(found.references):,}"
            " references)"
        )
    if one.compared:
        parts.append(
            f"differs by {number(one.mean)} bits on average, {number(one.worst)} at most, from the"
            f" exact ones it can be compared with ({one.compared})"
        )
    return f"{name} {', '.join(parts) or 'cannot be compared'}"


def _drawn(found: SideBySide, name: str) -> "dict[str, Figure]":
    most = int(found.inserted.argmax())
    label = f"canary {times(found.inserted[most])}"
    drawn = {}
    for what, bits in (("references", found.references), ("space", found.whole)):
        if bits is None:
            continue
        fit = _through(found, bits).fits[0]
        if np.isfinite(fit.location):
            canary = float(found.exact.log_perplexity[most])
            drawn[f"skew-normal-{name}-{what}"] = figures.skew_normal_fit(
                bits, fit, canary, name=label
            )
    order = np.argsort(found.inserted, kind="stable")[-40:]
    estimates = {
        each: figures.Estimates(
            exposure.bits[order],
            exposure.low[order],
            exposure.high[order],
            exposure.saturated[order],
        )
        for each, exposure in found.by.items()
    }
    drawn[f"estimators-{name}"] = figures.exposure_by_estimator(
        estimates,
        [times(count) for count in found.inserted[order].tolist()],
        maximum=float(found.exact.maximum[0]),
    )
    return drawn
