"""Skew-normal curves through the references, and the estimators of exposure compared."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from byrote import figures
from byrote.attacks.enumeration import enumerate_bits
from byrote.attacks.ranks import find_ranks
from byrote.data.canaries import Canary
from byrote.report import exposure_notes as notes
from byrote.report.format import insertions, number, plain
from byrote.scores.exposure.best_estimate import exposure_of_ranks, model_sampled_only
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.exposure_result import LEVEL
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, Rows, combine

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
EXACT, SAMPLED, CURVE, MODEL = "exact", "sampled", "skew_normal", "model_sampled"
ENUMERATED = 1_000_000  # completions of a space that is small enough to be enumerated
QUERIES = 50_000  # budget of a search
_NAMES = (EXACT, SAMPLED, CURVE, MODEL)
_SHOWN = 40  # canaries in a figure


@dataclass(frozen=True, eq=False)
class Estimators:
    """The canaries of one pattern in the first fit, by every estimator.

    by: exposures by estimator. "exact" is NaN where the search did not find the rank.
    """

    pattern: Canary
    ids: NDArray[Any]  # (c,)
    inserted: NDArray[np.int64]  # (c,)
    references: Array  # (N,) log-perplexities of random candidates, bits
    space: Array | None  # (R,) of all candidates, where the space was enumerated
    by: Mapping[str, Exposure]

    @property
    def exact(self) -> Exposure:
        """The exposures that the others are compared with."""
        return self.by[EXACT]

    def by_curve(self, bits: Array) -> Exposure:
        """Estimate the exposures by a skew-normal curve through other log-perplexities."""
        return estimate_exposure(
            self.exact.log_perplexity,
            bits,
            space_size=self.pattern.space_size,
            method="skew_normal",
            ids=self.ids,
        )


def all_estimators(run: StudyRun) -> tuple[Estimators, ...]:
    """Estimate the exposures of each pattern in the first fit, whose model was kept."""
    model, fit = run.released_model, run.run.design.release
    bits = -run.run.folder.log_prob(fit) / np.log(2)
    patterns = range(len(run.records.patterns))
    return tuple(_of_pattern(run, model, number, bits) for number in patterns)


def _of_pattern(run: StudyRun, model: Any, number: int, bits: Array) -> Estimators:
    records, design = run.records, run.run.design
    pattern, size = records.patterns[number], records.patterns[number].space_size
    rows = np.flatnonzero(records.pattern == number)
    canaries, references = rows[rows < records.canaries], rows[rows >= records.canaries]
    texts, ids = [records.completions[row] for row in canaries], records.ids[canaries]
    small = size <= ENUMERATED
    sample: dict[str, Any] = {"space_size": size, "ids": ids}
    seed = run.request.settings.seed
    return Estimators(
        pattern=pattern,
        ids=ids,
        inserted=design.included(design.release)[canaries].astype(np.int64),
        references=bits[references],
        space=_enumerate(model, pattern) if small else None,
        by={
            EXACT: _by_rank(model, pattern, texts, ids, "enumeration" if small else "search"),
            SAMPLED: estimate_exposure(bits[canaries], bits[references], **sample),
            CURVE: estimate_exposure(
                bits[canaries], bits[references], method="skew_normal", **sample
            ),
            MODEL: _by_rank(model, pattern, texts, ids, "model_sampled", seed),
        },
    )


def _by_rank(
    model: Any,
    pattern: Canary,
    texts: Sequence[str],
    ids: NDArray[Any],
    method: str,
    seed: int = 0,
) -> Exposure:
    ranks = find_ranks(model, pattern, texts, method=method, max_queries=QUERIES, seed=seed)
    exposure = exposure_of_ranks(ranks, ids, level=LEVEL)
    if method == "model_sampled":
        exposure = model_sampled_only(exposure)
    unknown = exposure.saturated  # only a bound: the search ended first
    bits = np.where(unknown, np.nan, exposure.bits)
    return replace(exposure, bits=bits, saturated=np.zeros_like(unknown))


def _enumerate(model: Any, pattern: Canary) -> Array:
    bits = np.empty(pattern.space_size)
    for index, some in enumerate_bits(model, pattern):
        bits[index] = some
    return bits


@dataclass(frozen=True)
class Agreement:
    """An estimator compared with the exact exposures of the same canaries: counts, and bits."""

    known: int  # canaries with an exposure
    saturated: int  # of these, lower bounds
    canaries: int
    compared: int  # known, not lower bounds, and exact as well
    mean: float  # absolute difference from the exact exposures
    worst: float
    covered: int  # of those compared, with the exact exposure in their 95 % interval


def compare_with_exact(estimators: Estimators, name: str) -> Agreement:
    """Compare one estimator with the exact exposures."""
    exposure, exact = estimators.by[name], estimators.exact
    known = ~np.isnan(exposure.bits)
    both = known & ~exposure.saturated & ~np.isnan(exact.bits)
    apart = np.abs(exposure.bits[both] - exact.bits[both])
    within = (exposure.low[both] <= exact.bits[both]) & (exact.bits[both] <= exposure.high[both])
    return Agreement(
        known=int(known.sum()),
        saturated=int((exposure.saturated & known).sum()),
        canaries=len(known),
        compared=int(both.sum()),
        mean=float(apart.mean()) if len(apart) else np.nan,
        worst=float(apart.max()) if len(apart) else np.nan,
        covered=int(within.sum()),
    )


# -- the finding ----------------------------------------------------------------------------------


def skew_normal_fit(runs: Sequence[StudyRun]) -> Findings:
    """Tabulate the curves, and compare the estimators, in runs whose first model was kept."""
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
            (f"Compared with the exact exposure: {text}", _agreements(agreements)),
        ),
        remarks=(*_fitted(estimators), _agreement_in_words(estimators, agreements)),
        figures=_figures(estimators, name),
        data=plain({name: {each: asdict(agreement) for each, agreement in agreements.items()}}),
    )


def _curves_by_fit(run: StudyRun) -> Rows:
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
        rows.append((insertions(estimators.inserted[row]), *cells))
    return rows


def _cell(exposure: Exposure, row: int) -> str:
    ends = exposure.bits[row], exposure.low[row], exposure.high[row]
    bits, low, high = (round(float(value), 6) for value in ends)  # print nearly nothing as 0
    if np.isnan(bits):
        return f"– [{number(low)}, {number(high)}]" if not np.isnan(low) else "–"
    text = f"{'≥ ' if exposure.saturated[row] else ''}{number(bits)}"
    return text if low == high else f"{text} [{number(low)}, {number(high)}]"


def _agreements(agreements: dict[str, Agreement]) -> Rows:
    head = ("", "estimated", "lower bounds", "compared", "mean |difference|", "largest",
            "exact in 95 % interval")  # fmt: skip
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
    text = estimators.pattern.text
    remarks = [f"{text}: {sentence}" for sentence in notes.fits(estimators.by[CURVE])]
    if estimators.space is not None:
        sentences = notes.fits(estimators.by_curve(estimators.space))
        remarks += [f"{text}, the whole space: {sentence}" for sentence in sentences]
    return remarks


def _agreement_in_words(estimators: Estimators, agreements: dict[str, Agreement]) -> str:
    exact, text = estimators.exact, estimators.pattern.text
    methods = Counter(name for name in exact.method.tolist() if name)
    ways = ", ".join(f"{count} by {name}" for name, count in methods.items()) or "none"
    lacking = np.isnan(exact.bits)
    remark = (
        f"{text}: exact exposures of {int((~lacking).sum())} of {len(exact)} canaries ({ways});"
        " the search did not reach the others within its budget"
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
        parts.append(f"gives no estimate of {without}")
    if agreement.saturated:
        parts.append(
            f"gives only a lower bound of {agreement.saturated} (log2 of {references:,} references)"
        )
    if agreement.compared:
        parts.append(
            f"differs by {number(agreement.mean)} bits on average, {number(agreement.worst)} at"
            f" most, from the exact exposures of {agreement.compared}"
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
                bits,
                fit,
                float(exact.log_perplexity[most]),
                name=f"canary {insertions(inserted[most])}",
            )
    order = np.argsort(inserted, kind="stable")[-_SHOWN:]
    parts = ("bits", "low", "high", "saturated")
    estimates = {
        each: figures.Estimates(*(getattr(exposure, part)[order] for part in parts))
        for each, exposure in estimators.by.items()
    }
    drawn[f"estimators-{name}"] = figures.exposure_by_estimator(
        estimates,
        [insertions(count) for count in inserted[order].tolist()],
        maximum=float(exact.maximum[0]),
    )
    return drawn
