"""A run in a few numbers, each with its uncertainty or the reason why it has none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from byrote.columnar import PlainData
from byrote.runs.table import Table
from byrote.scores.memorization import held_out, sensitivity
from byrote.scores.memorization.diagnostics import DiagnosticsSummary
from byrote.scores.memorization.evaluation import Evaluation, estimates_without
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.memorization.per_token import TokenSummary
from byrote.scores.memorization.sensitivity import Sensitivity
from byrote.scores.memorization.statistic import Statistic
from byrote.scores.memorization.stopping import Look
from byrote.stats.memorization import ESTIMATORS
from byrote.stats.ranks import rank_correlation
from byrote.stats.rows import groups
from byrote.stats.threads import in_order

Array = NDArray[np.float64]
QUANTILES = (0.05, 0.5, 0.95, 0.999)


class Reason(IntEnum):
    """Why a record has no score."""

    NONE = 0
    NOT_SCORED = 1
    NEVER_IN = 2
    NEVER_OUT = 3
    ZERO_DENSITY = 4

    def __str__(self) -> str:
        return _REASONS[self]


_REASONS = {
    Reason.NONE: "",
    Reason.NOT_SCORED: "not scored by the plan",
    Reason.NEVER_IN: "never trained on",
    Reason.NEVER_OUT: "never held out",
    Reason.ZERO_DENSITY: "zero density both in and out",
}


@dataclass(frozen=True)
class Reliability:
    """Rank correlation between the scores from one half of the fits and from the other half.

    It measures how repeatable the ranking is at half the budget; NaN where halves are impossible.
    """

    score: float = float("nan")
    matched: float = float("nan")
    mean_log: float = float("nan")


@dataclass(frozen=True)
class LabelSummary:
    """The scores of one label."""

    records: int
    median: float
    q95: float
    significant: int


@dataclass(frozen=True)
class Summary(PlainData):
    """The numbers that ``MemorizationResult.summary`` returns, in nats.

    Attributes
    ----------
    records, scored
        Number of records, and of those with a score.
    unscored
        Number of records without a score, by reason.
    undefined
        Number of records with a score but no ``matched`` or ``mean_log``, by estimator: a
        difference of infinities, of densities that are zero on both sides.
    distribution
        For each estimator (score, matched, mean_log): mean, median, skewness, the quantiles
        q0.05, q0.5, q0.95 and q0.999, minimum and maximum.
    significant, share_significant
        Records with q <= 0.05; None and NaN where the plan allows no p-value.
    smallest_p, smallest_q
        Attainable under this plan: by one record, and by all records at once.
    needed
        How many records must reach the smallest p for any to have q <= 0.05.
    p_value_method
        "moderated t", "exact", "normal approximation", or "none: " and the reason.
    sensitivity
        What the run could find, and what its negative control showed.
    standard_error_reason
        Why standard errors are missing; empty where they are not.
    reliability, labels
        Agreement between halves; the scores of each label.
    mean_log_prob
        Mean over records of their mean log p in the fits that trained on them, "in", and in those
        that did not, "out", with its error over retrainings.
    diagnostics
        Accuracy of the log-likelihoods, where the model reports it.
    per_token
        Of texts: bits per token, accuracy, counterfactual memorization.
    look
        Of a run that may stop early: the latest look, and whether its question is answered.
    """

    records: int
    scored: int
    unscored: Mapping[str, int]
    undefined: Mapping[str, int]
    distribution: Mapping[str, Mapping[str, Statistic]]
    significant: int | None
    share_significant: float
    smallest_p: float
    smallest_q: float
    needed: int | None
    p_value_method: str
    sensitivity: Sensitivity
    standard_error_reason: str
    reliability: Reliability
    labels: Mapping[str, LabelSummary] = field(default_factory=dict)
    mean_log_prob: Mapping[str, Statistic] = field(default_factory=dict)
    diagnostics: DiagnosticsSummary | None = None
    per_token: TokenSummary | None = None
    look: Look | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Summary":
        """Restore a summary from what ``to_dict`` returned."""
        return TypeAdapter(cls).validate_python(data)


def summarize(
    table: Table,
    evaluation: Evaluation,
    q_value: Array,
    reason: NDArray[np.int8],
    labels: NDArray[Any] | None,
    diagnostics: DiagnosticsSummary | None = None,
    per_token: TokenSummary | None = None,
    look: Look | None = None,
) -> Summary:
    """Summarize an evaluated table; arrays are (r,), labels (n,)."""
    score = evaluation.estimate["score"]
    tested = int(np.count_nonzero(~np.isnan(q_value)))
    discoveries = q_value <= SIGNIFICANCE
    smallest = evaluation.smallest_p if tested else float("nan")
    return Summary(
        records=table.design.n,
        scored=int(np.count_nonzero(~np.isnan(score))),
        unscored=_count(reason, table.design.n),
        undefined=_undefined(evaluation),
        distribution={name: distribution(evaluation, name) for name in ESTIMATORS},
        significant=int(discoveries.sum()) if tested else None,
        share_significant=float(discoveries.sum() / tested) if tested else float("nan"),
        smallest_p=smallest,
        smallest_q=smallest,  # of Benjamini-Hochberg, when every record reaches the smallest p
        needed=sensitivity.needed_discoveries(smallest, tested) if tested else None,
        p_value_method=_p_value_method(table, evaluation, tested),
        sensitivity=sensitivity.sensitivity_of(evaluation, q_value),
        standard_error_reason=why_no_errors(table, evaluation),
        reliability=reliability(table),
        labels=_by_label(score, discoveries, None if labels is None else labels[table.rows]),
        mean_log_prob=_mean_log_prob(table),
        diagnostics=diagnostics,
        per_token=per_token,
        look=look,
    )


def describe(values: Array) -> dict[str, float]:
    """Compute statistics of one estimator over records; NaN values are left out."""
    values = values[~np.isnan(values)]
    names = ["mean", "skewness", *(f"q{q:g}" for q in QUANTILES), "minimum", "maximum"]
    if len(values) == 0:
        return dict.fromkeys(["median", *names], float("nan"))
    finite = bool(np.isfinite(values).all())
    opposite = bool(np.isposinf(values).any() and np.isneginf(values).any())
    numbers = [
        np.nan if opposite else values.mean(),
        _skewness(values) if finite else np.nan,
        *quantiles(values, QUANTILES),
        values.min(),
        values.max(),
    ]
    statistics = dict(zip(names, map(float, numbers), strict=True))
    return {"median": statistics["q0.5"], **statistics}


def quantiles(values: Array, levels: tuple[float, ...]) -> list[float]:
    """Compute quantiles, interpolated only where all values are finite."""
    finite = bool(np.isfinite(values).all())
    values_at = np.quantile(values, levels, method="linear" if finite else "lower")
    return [float(value) for value in values_at]


def distribution(evaluation: Evaluation, name: str) -> dict[str, Statistic]:
    """Describe one estimator; the mean has its jackknife standard error."""
    described = describe(evaluation.estimate[name])
    statistics = {key: Statistic(value) for key, value in described.items()}
    return statistics | {"mean": Statistic(described["mean"], evaluation.mean_error(name))}


def reliability(table: Table) -> Reliability:
    """Compute split-half reliability, of many records a sample's: even against odd units."""
    table = table.sampled()
    fits = np.flatnonzero(table.counting())
    units = np.zeros(table.design.fits, dtype=np.intp)
    by_fit = table.design.units == "fits"
    keys = np.arange(len(fits)) if by_fit else table.design.repeat[fits]
    units[fits] = np.unique(keys, return_inverse=True)[1]
    odd = units % 2 == 1
    if not odd.any():
        return Reliability()
    first, second = estimates_without(table, odd), estimates_without(table, ~odd)
    halves = [(first[name], second[name]) for name in ESTIMATORS]  # in the order of the fields
    return Reliability(*in_order(_rank_correlation, halves, size=6 * len(table.rows)))


def _mean_log_prob(table: Table) -> dict[str, Statistic]:
    means = {side: held_out.mean_log_prob(table, side) for side in ("in", "out")}
    return {side: Statistic(mean.value, mean.error) for side, mean in means.items()}


def _skewness(values: Array) -> float:
    """Third central moment over the second's power of 3/2; NaN of values alike but for rounding."""
    if not np.ptp(values) > 1e-7 * np.abs(values).max():
        return float("nan")
    deviations = values - values.mean()
    squares = deviations**2
    return float((deviations * squares).mean() / squares.mean() ** 1.5)


def _rank_correlation(halves: tuple[Array, Array]) -> float:
    known = ~np.isnan(halves).any(axis=0)
    first, second = (half[known] for half in halves)
    if len(first) < 3 or (first == first[0]).all() or (second == second[0]).all():
        return float("nan")
    return rank_correlation(first, second)


def _count(reason: NDArray[np.int8], n: int) -> dict[str, int]:
    counts = {str(code): int(np.count_nonzero(reason == code)) for code in Reason if code}
    counts[str(Reason.NOT_SCORED)] += n - len(reason)
    return {text: count for text, count in counts.items() if count}


def _undefined(evaluation: Evaluation) -> dict[str, int]:
    scored = ~np.isnan(evaluation.estimate["score"])
    counts = {
        name: int(np.count_nonzero(scored & np.isnan(evaluation.estimate[name])))
        for name in ESTIMATORS
    }
    return {name: count for name, count in counts.items() if count}


def _p_value_method(table: Table, evaluation: Evaluation, tested: int) -> str:
    if not table.design.randomized:
        return "none: the plan's membership is not known to be random"
    if not tested:
        return "none: no record was both in and out"
    if evaluation.discovery.control is not None:
        return "moderated t"
    return "exact" if evaluation.exact_tests.exact else "normal approximation"


def why_no_errors(table: Table, evaluation: Evaluation) -> str:
    """State why standard errors are missing; empty where some are known."""
    if not np.isnan(evaluation.standard_error["mean_log"]).all():
        return ""
    if table.design.units == "fits":
        return "a standard error needs at least two values on each side"
    if len(evaluation.change_sums["mean_log"]) < 2:
        return f"a standard error needs at least two {table.design.units}"
    return "densities of zero have no standard error"


def _by_label(
    score: Array, discoveries: NDArray[np.bool_], labels: NDArray[Any] | None
) -> dict[str, LabelSummary]:
    if labels is None:
        return {}
    summaries = {}
    names, which = np.unique(labels, return_inverse=True)
    for name, member in zip(names, groups(which), strict=True):
        scores = score[member][~np.isnan(score[member])]
        median, q95 = quantiles(scores, (0.5, 0.95)) if len(scores) else (np.nan, np.nan)
        summaries[str(name)] = LabelSummary(
            len(scores), float(median), float(q95), int(discoveries[member].sum())
        )
    return summaries
