"""Exposure and test loss with and without differential privacy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from byrote import figures
from byrote.report.format import insertions, number, with_interval
from byrote.scores.exposure.levels import mean_exposure
from byrote.scores.privacy.guarantee import ExposureBound, exposure_bound
from byrote.studies.execute import StudyRun
from byrote.studies.findings.extraction import Extraction, extract_most_inserted
from byrote.studies.findings.finding import Findings, Rows, mean_of

# The post's table (Carlini 2019): models trained with privacy, then without.
_INFINITE = float("inf")
POST = (
    figures.PublishedModel(0.65, 1.69, 1.1, "DP-SGD"),
    figures.PublishedModel(1.21, 1.59, 2.3, "DP-SGD"),
    figures.PublishedModel(5.26, 1.41, 1.8, "DP-SGD"),
    figures.PublishedModel(89, 1.34, 2.1, "DP-SGD"),
    figures.PublishedModel(2e8, 1.32, 3.2, "DP-SGD"),
    figures.PublishedModel(1e9, 1.26, 2.8, "DP-SGD"),
    figures.PublishedModel(_INFINITE, 1.86, 9.5, "SGD"),
    figures.PublishedModel(_INFINITE, 1.17, 31.0, "RMSProp"),
)
_EXTRACTED = "RMSProp"  # the only model of the post whose secret was extracted
_SIGNIFICANT = 0.01  # p-value below which a canary differs from chance

Extractions = Mapping[str, tuple[Extraction, ...]]


def exposure_by_privacy(runs: Sequence[StudyRun]) -> Findings:
    """Compare runs with and without privacy on the same canaries."""
    extractions = {run.name: extract_most_inserted(run) for run in runs}
    private = [run for run in runs if guarantee(run) is not None]
    tables: list[tuple[str, Rows]] = [("Privacy, usefulness, exposure", _table(runs, extractions))]
    if private:
        tables.append(("Guarantees by the accountants", _guarantees(private)))
    tables.append(("The post's table (other data and model)", _published()))
    figure = figures.exposure_by_epsilon(
        [_model(run) for run in runs],
        published=POST,
        maximum=float(np.nanmax(runs[0].exposures.exposure.maximum)),
    )
    data = {
        "extractions": {
            name: [search.to_dict() for search in searches]
            for name, searches in extractions.items()
        },
        "privacy": {run.name: guarantee(run) for run in runs},
    }
    return Findings(
        tuple(tables), tuple(_remarks(runs, extractions)), {"exposure-by-epsilon": figure}, data
    )


def guarantee(run: StudyRun) -> dict[str, Any] | None:
    """Return the weakest guarantee among the fits; None if none has one."""
    known = [facts["privacy"] for facts in run.run.facts if "privacy" in facts]
    return max(known, key=_epsilon) if known else None


def _epsilon(privacy: Mapping[str, Any] | None) -> float:
    epsilon = None if privacy is None else privacy["epsilon"]
    return _INFINITE if epsilon is None else float(epsilon)


def _model(run: StudyRun) -> figures.PrivateModel:
    exposure = run.exposures.exposure
    return figures.PrivateModel(
        name=run.title.rpartition(", ")[2],
        epsilon=_epsilon(guarantee(run)),
        test_loss=run.exposures.test_loss,
        insertions=run.exposures.inserted,
        bits=exposure.bits,
        saturated=exposure.saturated,
        secrets=exposure.ids,
    )


def _levels(run: StudyRun) -> list[int]:
    return [level for level in np.unique(run.exposures.inserted).tolist() if level]


def _table(runs: Sequence[StudyRun], extractions: Extractions) -> Rows:
    levels = _levels(runs[0])
    head = ("", "epsilon", "test loss [95 %, fits]",
            *(f"exposure, {insertions(level)}" for level in levels),
            "never inserted", "extracted")  # fmt: skip
    return [
        head,
        *(
            (
                run.title,
                _shown(_epsilon(guarantee(run))),
                with_interval(mean_of(run.exposures.test_loss)),
                *(
                    with_interval(run.mean_exposure(run.level_rows(level)))
                    for level in (*levels, 0)
                ),
                f"{_extracted(extractions[run.name])} of {len(extractions[run.name])}",
            )
            for run in runs
        ),
    ]


def _shown(epsilon: float) -> str:
    return "none" if np.isinf(epsilon) else number(epsilon)


def _extracted(searches: Sequence[Extraction]) -> int:
    return sum(search.found for search in searches)


def _guarantees(runs: Sequence[StudyRun]) -> Rows:
    head = ("", "epsilon, checked", "delta", "noise", "largest gradient", "sampling rate, steps",
            "exposure, inserted once: mean at most")  # fmt: skip
    return [head, *(_guarantee(run, guarantee(run) or {}) for run in runs)]


def _guarantee(run: StudyRun, privacy: Mapping[str, Any]) -> tuple[str, ...]:
    checked, bound = privacy.get("epsilon_checked"), _bound(run, privacy)
    return (
        run.title,
        f"{_shown(_epsilon(privacy))}, {'–' if checked is None else number(checked)}",
        f"{privacy['delta']:g}",
        f"{privacy['noise_multiplier']:.3g}",
        f"{privacy['max_grad_norm']:g}",
        f"{privacy['sample_rate']:.3g}, {privacy['steps']:,}",
        "nothing" if bound is None else f"{number(bound.mean_bits)} bits",
    )


def _bound(run: StudyRun, privacy: Mapping[str, Any]) -> ExposureBound | None:
    """Bound the exposure of a canary inserted once, which several windows may share."""
    if privacy["epsilon"] is None:
        return None
    longest = max(map(len, run.records.completions))
    size = run.records.patterns[0].space_size
    bound = exposure_bound(
        epsilon=privacy["epsilon"],
        delta=privacy["delta"],
        insertions=1 + -(-(longest - 1) // privacy["window"]),
        space_size=size,
    )
    return bound if bound.mean_bits < np.log2(float(size)) else None


def _published() -> Rows:
    rows = [
        (
            model.name,
            _shown(model.epsilon),
            f"{model.test_loss:g}",
            f"{model.exposure:g}",
            "yes" if model.name == _EXTRACTED else "no",
        )
        for model in POST
    ]
    return [("trained by", "epsilon", "test loss", "exposure", "extracted"), *rows]


def _remarks(runs: Sequence[StudyRun], extractions: Extractions) -> list[str]:
    level = _levels(runs[0])[-1]
    baseline = next((run for run in runs if guarantee(run) is None), None)
    remarks = [_exposed(run, level, extractions[run.name]) for run in runs]
    if baseline is not None:
        private = [run for run in runs if guarantee(run) is not None]
        remarks += [_compare(baseline, run, level) for run in private]
    return remarks


def _exposed(run: StudyRun, level: int, searches: Sequence[Extraction]) -> str:
    rows = run.level_rows(level)
    exposed = int((run.exposures.exposure.p_value[rows] < _SIGNIFICANT).sum())
    label = (guarantee(run) or {}).get("label")
    return (
        f"{run.title}{f' ({label})' if label else ''}: {exposed} of {len(rows)} canaries"
        f" {insertions(level)} have p below {_SIGNIFICANT}; the search extracts"
        f" {_extracted(searches)} of {len(searches)} from the first fit's model."
    )


def _compare(baseline: StudyRun, run: StudyRun, level: int) -> str:
    """Return the differences of exposure and test loss from the run without privacy.

    Both runs plant the same secrets in the same places, so rows pair; those of one secret in
    several fits count once. Lower bounds count as exposures here, unlike in ``compare``.
    """
    if baseline.run.missing or run.run.missing:
        return f"{run.title}: fits are missing, so canaries do not pair with {baseline.title}."
    rows, before = baseline.level_rows(level), baseline.exposures.exposure
    lower = before.bits[rows] - run.exposures.exposure.bits[rows]
    exposure = mean_exposure(lower, before.ids[rows])
    loss = mean_of(run.exposures.test_loss - baseline.exposures.test_loss)
    return (
        f"{run.title}, compared with {baseline.title}: exposure of canaries {insertions(level)} is"
        f" lower by {with_interval(exposure)} bits, test loss higher by {with_interval(loss)} nats"
        " per token."
    )
