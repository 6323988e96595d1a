"""Scores and likelihoods of a run compared with the published ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from byrote.report.format import number, with_error
from byrote.scores.memorization.memorization_result import MemorizationResult
from byrote.scores.memorization.statistic import Statistic
from byrote.scores.memorization.top_records import central_share, highly_memorized
from byrote.stats.memorization import ESTIMATORS
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import Findings, Rows

# By published figure: the statistic of the summary, and its title.
STATISTICS = {
    "median": ("median", "median"),
    "minimum": ("minimum", "lowest"),
    "maximum": ("maximum", "highest"),
    "q95": ("q0.95", "95th percentile"),
}
_CENTRAL = "highly memorized (top 5 %) within the central 90 % of log P"
_SIDES = {"in": "in training", "out": "held out"}

Statistics = Mapping[str, Mapping[str, float]]  # by estimator and published figure


def compare_with_published(runs: Sequence[StudyRun]) -> Findings:
    """Compare the scores of the study's run with the published ones."""
    (run,) = runs
    result, study = run.memorization, run.scaled.study
    statistics = {
        estimator: {name: statistic(result, name, estimator) for name in STATISTICS}
        for estimator in ESTIMATORS
    }
    central = _central_share(result)
    departures = departures_of(run)
    setting = {
        **run.declared.scaled_settings(),
        "track": list(run.declared.track),
        "records": run.scaled.size.records,
        "keep_models": run.declared.keep_models,
    }
    return Findings(
        tables=(
            ("Scores (nats)", _scores(study.published, statistics, central)),
            ("Likelihoods", _likelihoods(result)),
        ),
        remarks=(_setting(run.scaled.scale, departures), _bias(statistics)),
        data={
            "setting": setting,
            "departures": {name: list(pair) for name, pair in departures.items()},
            "published": study.published.model_dump(),
            "found": statistics,
            "median_above_matched": _excess(statistics),
            "central_share": central,
            "bits_per_dimension": {side: bits_per_dimension(result, side).value for side in _SIDES},
            "summary": result.summary().to_dict(),
            "description": dict(result.description),
            "missing_fits": list(result.missing),
            "seconds": run.run.fact("seconds").tolist(),
        },
    )


def statistic(result: MemorizationResult, name: str, estimator: str) -> float:
    """Return the statistic of an estimator for a published figure, in nats."""
    return result.summary().distribution[estimator][STATISTICS[name][0]].value


def departures_of(run: StudyRun) -> dict[str, tuple[Any, Any]]:
    """Return the settings that differ from the paper's, by name: here, and in the paper."""
    study = run.scaled.study
    (paper,) = study.runs("paper")
    here = {**run.declared.scaled_settings(), "records": len(run.memorization)}
    published = {**paper.scaled_settings(), "records": study.images.records}
    pairs = {name: (here[name], published[name]) for name in here}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def bits_per_dimension(result: MemorizationResult, side: str) -> Statistic:
    """Return -log2 p per value of an image, and its standard error over retrainings."""
    mean = result.summary().mean_log_prob[side]
    size = np.prod(result.description["data"]["shape"]) * np.log(2)
    return Statistic(float(-mean.value / size), float(mean.standard_error / size))


def _central_share(result: MemorizationResult) -> float:
    scored = np.where(np.isnan(result.score), np.nan, result.log_prob_in)
    return central_share(highly_memorized(result.score), scored)


def _scores(published: Any, statistics: Statistics, central: float) -> Rows:
    rows: list[Sequence[str]] = [("", "paper, M", "this run, M", "matched", "mean_log")]
    for name, (_, title) in STATISTICS.items():
        cells = [number(statistics[estimator][name]) for estimator in ESTIMATORS]
        rows.append((title, str(getattr(published, name)), *cells))
    share = "–" if np.isnan(central) else f"{central:.0%}"
    return [*rows, (_CENTRAL, str(published.central_share), share, "", "")]


def _likelihoods(result: MemorizationResult) -> Rows:
    means = result.summary().mean_log_prob
    rows = [("", "mean log p (nats)", "bits per dimension")]
    for side, title in _SIDES.items():
        bits = with_error(bits_per_dimension(result, side))
        rows.append((title, with_error(means[side]), bits))
    return rows


def _setting(scale: str, departures: Mapping[str, tuple[Any, Any]]) -> str:
    if not departures:
        return (
            "The published setting and number of records. Scores of other scales or data sizes are"
            " not comparable."
        )
    words = {"redraw": "noise drawn"}
    differing = [
        f"{words.get(name, name)} {_named(here)} ({_named(there)})"
        for name, (here, there) in departures.items()
    ]
    return (
        f"Scale {scale}, not the published setting. Differences (the paper's in brackets):"
        f" {'; '.join(differing)}. Scores of other scales or data sizes are not comparable: the"
        " paper's figures are for orientation only."
    )


def _named(value: Any) -> str:
    if isinstance(value, bool):
        return "at every evaluation" if value else "once"
    return f"{value:,}"


def _excess(statistics: Statistics) -> float:
    return statistics["score"]["median"] - statistics["matched"]["median"]


def _bias(statistics: Statistics) -> str:
    median = {name: number(statistics[name]["median"]) for name in ESTIMATORS}
    return (
        f"The median of M is {median['score']}, of matched {median['matched']} and of mean_log"
        f" {median['mean_log']}: {number(_excess(statistics))} nats of the median of M come from"
        " averaging more values in training than held out, not from memorization."
    )
