"""Rounds of an onion: what pruning changes for the records that stay, beside pruning at random."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.stats.multiple_testing import q_values
from byrote.studies.execute import StudyRun
from byrote.studies.findings.finding import mean_of

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Round:
    """The records that both ways of pruning left, without those that the first audit named.

    Pairs are of the pruned run and of its control.

    Attributes
    ----------
    records
        Their number: neither among the top of the first audit nor significant in it.
    above
        Shares of them above the threshold of the first audit.
    significant
        Shares with q <= 0.05, the q-values of both taken over these same records.
    memorization
        Means of mean_log over them, nats.
    """

    records: int
    above: tuple[float, float]
    significant: tuple[float, float]
    memorization: tuple[float, float]


@dataclass(frozen=True)
class Replication:
    """All rounds with one choice of seeds and probes.

    Attributes
    ----------
    first
        The audit of all records.
    pruned, random
        Audits by round of what each way of pruning leaves.
    threshold
        Of M in the first audit: the lowest of those pruned; nats.
    again
        Of those pruned first that the control's first round still has, the share above the
        threshold there: whether they were memorized, or chance had raised them.
    rounds
        As many as both ways of pruning have.
    """

    first: StudyRun
    pruned: tuple[StudyRun, ...]
    random: tuple[StudyRun, ...]
    threshold: float
    again: float
    rounds: tuple[Round, ...]


def replications(runs: Sequence[StudyRun]) -> tuple[Replication, ...]:
    """Return the replications that have a complete first audit and a round of both ways."""
    by_name = {run.name: run for run in runs if not run.run.missing}
    labels = [name.removesuffix("-all") for name in by_name if name.endswith("-all")]
    complete = (_replication(label, by_name) for label in labels)
    return tuple(replication for replication in complete if replication is not None)


def _replication(label: str, by_name: Mapping[str, StudyRun]) -> Replication | None:
    first = by_name[f"{label}-all"]
    pruned, random = (_in_order(f"{label}-{way}", by_name) for way in ("pruned", "random"))
    both = list(zip(pruned, random, strict=False))
    if not both:
        return None
    score, ids = first.probe_scores("score"), first.probe_ids()
    top = ~np.isnan(score) & ~np.isin(ids, pruned[0].probe_ids())
    threshold = float(score[top].min())
    named = ids[top | (first.probe_scores("q_value") <= SIGNIFICANCE)]
    return Replication(
        first=first,
        pruned=tuple(run for run, _ in both),
        random=tuple(control for _, control in both),
        threshold=threshold,
        again=_share_above(random[0], ids[top], threshold),
        rounds=tuple(_round(named, threshold, *pair) for pair in both),
    )


def _in_order(name: str, by_name: Mapping[str, StudyRun]) -> list[StudyRun]:
    """Return the rounds of one way of pruning, up to the first that is missing."""
    runs: list[StudyRun] = []
    while (key := f"{name}-{len(runs) + 1}") in by_name:
        runs.append(by_name[key])
    return runs


def _share_above(run: StudyRun, ids: NDArray[Any], threshold: float) -> float:
    score = run.probe_scores("score")[np.isin(run.probe_ids(), ids)]
    return float((score >= threshold).mean()) if len(score) else float("nan")


def _round(named: NDArray[Any], threshold: float, pruned: StudyRun, control: StudyRun) -> Round:
    both = np.intersect1d(pruned.probe_ids(), control.probe_ids())
    ids = np.setdiff1d(both, named)
    above, significant, memorization = zip(
        *(_measures(run, ids, threshold) for run in (pruned, control)), strict=True
    )
    return Round(len(ids), above, significant, memorization)


def _measures(run: StudyRun, ids: NDArray[Any], threshold: float) -> tuple[float, float, float]:
    rows = np.isin(run.probe_ids(), ids)
    if not rows.any():
        return float("nan"), float("nan"), float("nan")
    q_value = q_values(run.probe_scores("p_value")[rows])
    return (
        _share_above(run, ids, threshold),
        float((q_value <= SIGNIFICANCE).mean()),
        mean_of(run.probe_scores("mean_log")[rows]).value,
    )
