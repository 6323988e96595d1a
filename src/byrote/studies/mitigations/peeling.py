"""One replication of an onion: what pruning changes for the records that stay, round by round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.stats.multiple_testing import q_values
from byrote.studies.mitigations.carried import Carried
from byrote.studies.mitigations.measures import Audit

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Round:
    """The records that both ways of pruning left, and that the first audit did not find.

    Attributes
    ----------
    records
        How many they are: neither among the top of the first audit nor significant in it.
    above
        Shares of them above the threshold of the first audit: after pruning, and in the control.
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
        One less than audits, fewer where fits are missing.
    """

    first: Carried
    pruned: tuple[Carried, ...]
    random: tuple[Carried, ...]
    threshold: float
    again: float
    rounds: tuple[Round, ...]


def replications(carried: Sequence[Carried]) -> tuple[Replication, ...]:
    """Of all audits of a study, those that have a first audit and a round on both sides."""
    by_name = {one.name: one for one in carried if not one.run.missing}
    labels = [name.removesuffix("-all") for name in by_name if name.endswith("-all")]
    found = (_replication(label, by_name) for label in labels)
    return tuple(one for one in found if one is not None)


def _replication(label: str, by_name: Mapping[str, Carried]) -> Replication | None:
    """Its rounds as far as both ways of pruning have them; None if there is no round."""
    first = by_name[f"{label}-all"]
    pruned, random = (_rounds(f"{label}-{way}", by_name) for way in ("pruned", "random"))
    if not pruned or not random:
        return None
    top = _top(first, pruned[0])
    threshold = float(first.scores["score"][top].min())
    both = list(zip(pruned, random, strict=False))
    return Replication(
        first=first,
        pruned=tuple(one for one, _ in both),
        random=tuple(control for _, control in both),
        threshold=threshold,
        again=_again(first, top, random[0], threshold),
        rounds=tuple(_round(first, top, threshold, *pair) for pair in both),
    )


def _rounds(name: str, by_name: Mapping[str, Carried]) -> tuple[Carried, ...]:
    found: list[Carried] = []
    while (key := f"{name}-{len(found) + 1}") in by_name:
        found.append(by_name[key])
    return tuple(found)


def _top(first: Carried, pruned: Carried) -> Flags:
    """Which probes of the first audit the first pruning took out."""
    return ~np.isnan(first.scores["score"]) & ~np.isin(first.audit.ids, pruned.audit.ids)


def _again(first: Carried, top: Flags, control: Carried, threshold: float) -> float:
    there = np.isin(control.audit.ids, first.audit.ids[top])
    if not there.any():
        return float("nan")
    return float((control.scores["score"][there] >= threshold).mean())


def _round(first: Carried, top: Flags, threshold: float, one: Carried, control: Carried) -> Round:
    found = top | (first.scores["q_value"] <= SIGNIFICANCE)
    both = np.intersect1d(one.audit.ids, control.audit.ids)
    ids = np.setdiff1d(both, first.audit.ids[found])
    sides = [_side(each, each.audit.of(ids), ids, threshold) for each in (one, control)]
    above, significant, memorization = zip(*sides, strict=True)
    return Round(len(ids), above, significant, memorization)


def _side(
    one: Carried, audit: Audit, ids: NDArray[np.generic], threshold: float
) -> tuple[float, float, float]:
    which = np.isin(one.audit.ids, ids)
    rows = one.audit.table.rows[which]
    p_value, score = one.result.p_value[rows], one.scores["score"][which]
    if not len(rows):
        return float("nan"), float("nan"), float("nan")
    significant = float((q_values(p_value) <= SIGNIFICANCE).mean())
    return float((score >= threshold).mean()), significant, audit.memorization.value
