"""A run in a few numbers, each with its uncertainty or the reason why it has none."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.fits.table import Table
from byrote.scores.distribution import (
    Reliability,
    Statistic,
    distributions,
    mean_log_prob,
    quantiles,
    reliability,
)
from byrote.scores.evaluation import Evaluation
from byrote.scores.reason import Reason
from byrote.scores.trust import Trust
from byrote.stats.memorization import ESTIMATORS

Array = NDArray[np.float64]
SIGNIFICANCE = 0.05  # false discovery rate at which a record counts as memorized


@dataclass(frozen=True)
class LabelSummary:
    """The scores of one label."""

    records: int
    median: float
    q95: float
    significant: int


@dataclass(frozen=True)
class Summary:
    """What ``MemorizationResult.summary`` returns; nats throughout.

    Attributes
    ----------
    records, scored
        How many there are, and how many have a score.
    unscored
        Why the others have none, counted.
    undefined
        Records that have a score but no ``matched`` or ``mean_log``, counted: some of their
        densities are zero on both sides, and the difference of two infinities is no number.
    distribution
        For each estimator (score, matched, mean_log): mean, median, skewness, the quantiles
        q0.05, q0.5, q0.95 and q0.999, minimum and maximum.
    significant, share_significant
        Records with q <= 0.05; NaN share and None where the plan allows no p-value.
    smallest_p, smallest_q
        Attainable under this plan: by one record, and by all records at once.
    needed
        How many records must reach the smallest p for any to have q <= 0.05.
    p_value_method
        "exact", "normal approximation", or "none: " and the reason.
    standard_error_reason
        Why standard errors are missing; empty where they are there.
    reliability
        Agreement between halves.
    labels
        Per label, where there are labels.
    mean_log_prob
        Mean over records of their mean log p in the fits that trained on them, "in", and in those
        that did not, "out"; with its standard error over retrainings, for these same records.
    trust
        How far the log-likelihoods can be trusted, where the model says so.
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
    standard_error_reason: str
    reliability: Reliability
    labels: Mapping[str, LabelSummary] = field(default_factory=dict)
    mean_log_prob: Mapping[str, Statistic] = field(default_factory=dict)
    trust: Trust | None = None

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Summary":
        """The inverse of ``to_dict``."""
        distribution = {
            name: {key: Statistic(**value) for key, value in statistics.items()}
            for name, statistics in data["distribution"].items()
        }
        labels = {name: LabelSummary(**value) for name, value in data["labels"].items()}
        reliability = Reliability(**data["reliability"])
        likely = {k: Statistic(**v) for k, v in data.get("mean_log_prob", {}).items()}
        changed = {"distribution": distribution, "labels": labels, "reliability": reliability}
        changed["mean_log_prob"] = likely
        if data.get("trust") is not None:
            changed["trust"] = Trust(**data["trust"])
        return cls(**{**data, **changed})


def summarize(
    table: Table,
    evaluation: Evaluation,
    q_value: Array,
    reason: NDArray[np.int8],
    labels: NDArray[Any] | None,
    trust: Trust | None = None,
) -> Summary:
    """The summary of an evaluated table; arrays are (r,), labels (n,)."""
    score = evaluation.estimate["score"]
    tested = int(np.count_nonzero(~np.isnan(q_value)))
    discoveries = q_value <= SIGNIFICANCE
    smallest = evaluation.smallest_p if tested else float("nan")
    return Summary(
        records=table.design.n,
        scored=int(np.count_nonzero(~np.isnan(score))),
        unscored=_count(reason, table.design.n),
        undefined=_undefined(evaluation),
        distribution=distributions(evaluation),
        significant=int(discoveries.sum()) if tested else None,
        share_significant=float(discoveries.sum() / tested) if tested else float("nan"),
        smallest_p=smallest,
        smallest_q=smallest,  # of Benjamini-Hochberg, when every record reaches the smallest p
        needed=max(1, int(np.ceil(smallest * tested / SIGNIFICANCE - 1e-9))) if tested else None,
        p_value_method=_method(table, evaluation, tested),
        standard_error_reason=missing_errors(table, evaluation),
        reliability=reliability(table),
        labels=_by_label(score, discoveries, None if labels is None else labels[table.rows]),
        mean_log_prob=mean_log_prob(table),
        trust=trust,
    )


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


def _method(table: Table, evaluation: Evaluation, tested: int) -> str:
    if not table.design.randomized:
        return "none: the plan's membership is not known to be random"
    if not tested:
        return "none: no record was both in and out"
    return "exact" if evaluation.exact else "normal approximation"


def missing_errors(table: Table, evaluation: Evaluation) -> str:
    """Why there are no standard errors; empty where there are some."""
    if not np.isnan(evaluation.standard_error["mean_log"]).all():
        return ""
    if table.design.units == "fits":
        return "a standard error needs at least two values on each side"
    if len(evaluation.without["mean_log"]) < 2:
        return f"a standard error needs at least two {table.design.units}"
    return "densities of zero have no standard error"


def _by_label(
    score: Array, discoveries: NDArray[np.bool_], labels: NDArray[Any] | None
) -> dict[str, LabelSummary]:
    if labels is None:
        return {}
    found = {}
    names, which = np.unique(labels, return_inverse=True)
    order = np.argsort(which, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(which))[:-1])
    for name, member in zip(names, members, strict=True):
        scores = score[member][~np.isnan(score[member])]
        median, q95 = quantiles(scores, (0.5, 0.95)) if len(scores) else (np.nan, np.nan)
        found[str(name)] = LabelSummary(
            len(scores), float(median), float(q95), int(discoveries[member].sum())
        )
    return found
