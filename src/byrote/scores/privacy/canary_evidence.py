"""Bounds on epsilon from the ranks of canaries, and their measures by number of insertions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.models.privacy.guarantee import ADD_REMOVE
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.levels import NULL_MEAN, by_insertions, mean_exposure
from byrote.scores.privacy.canary_table import CanaryTable, attack_canaries
from byrote.scores.privacy.evidence import (
    DENSITY,
    EXPOSURE,
    GAUSSIAN,
    ONE_RUN,
    RATES,
    Bound,
    GroupMeasure,
)
from byrote.scores.privacy.guarantee import allowed, exposure_bound
from byrote.scores.privacy.record_bounds import VACUOUS, Claim
from byrote.stats.estimate import Estimate, mean
from byrote.stats.exposure import epsilon_bound

Array = NDArray[np.float64]

DEALT = (
    "levels are dealt out to the canaries in fixed numbers: inclusions are not independent coins"
)
DEPEND = "what level a canary has depends on the others': its fits are not trials with and without"
COPIES = "a canary has several copies and others in its place: its two sides are not neighbours"
LENGTHS = (
    "secrets differ in length, which moves all text after them to other windows: more change than"
    " those that hold a secret"
)
NO_SECRETS = "no drawn secret is inserted: one that somebody chose has no rank by chance"
ZERO = "some candidates have a probability of zero"


def canary_bounds(canaries: CanaryTable, claim: Claim, windows: int) -> tuple[Bound, ...]:
    """Compute one bound per method."""
    return (
        exposure_rank_bound(canaries, claim, windows),
        claim.none(ONE_RUN, DEALT),
        claim.none(GAUSSIAN, DEALT),
        claim.none(RATES, DEPEND),
        claim.none(DENSITY, VACUOUS if claim.delta else COPIES),
    )


def exposure_rank_bound(canaries: CanaryTable, claim: Claim, windows: int) -> Bound:
    """Compute the largest epsilon that the ranks of the secrets reject at any level.

    A secret drawn uniformly has ``P(p <= u) <= u`` without its copies in the text, so at most
    ``e^{c epsilon} u + delta_c`` with c of them, whatever the others do. The probability that half
    of a level's p-values are at most u is at most twice that (Markov), however they depend on each
    other. Levels share the significance.
    """
    levels = canaries.levels
    if not levels:
        return claim.none(EXPOSURE, NO_SECRETS)
    if not canaries.even and (claim.guarantee or {}).get("window") is not None:
        return claim.none(EXPOSURE, LENGTHS)
    p_values, least = rank_p_values(canaries), least_p_values(canaries)
    rows, best = (
        [_level(p[canaries.drawn(level)], level, claim, windows, len(levels)) for level in levels]
        for p in (p_values, np.broadcast_to(least, p_values.shape))
    )
    provable = max(row["epsilon"] for row in best)
    detail = {"levels": rows, "provable": provable, "windows": windows, "relation": ADD_REMOVE}
    return claim.bound(EXPOSURE, max(row["epsilon"] for row in rows), **detail)


def _level(p_values: Array, level: int, claim: Claim, windows: int, levels: int) -> dict[str, Any]:
    """Bound epsilon by one level; p_values: one of every secret in every fit."""
    half = -(-len(p_values) // 2)
    median = float(np.sort(p_values)[half - 1])
    significance = claim.significance / levels
    share = significance * half / len(p_values)
    return {
        "insertions": level,
        "units": level * windows,
        "canaries": len(p_values),
        "p_value": median,
        "significance": significance,
        "epsilon": epsilon_bound(median, claim.delta, level * windows, share),
    }


def least_p_values(canaries: CanaryTable) -> Array:
    """Compute what ``rank_p_values`` gives secrets likelier than all others, (canaries,)."""
    least = np.empty(canaries.canaries)
    for size, secrets, references in canaries.patterns():
        p = 1 / (len(references) + 1.0)
        if canaries.most is not None:
            p = min(1.0, 2 * min(p, 1 / (size - (len(secrets) - 1.0))))
        least[secrets] = p
    return least


def rank_p_values(canaries: CanaryTable) -> Array:
    """Compute p-values of each secret's rank among its possible replacements, (F, canaries).

    Among reference candidates, (k + 1) / (N + 1); where the run measured ranks, also the largest
    possible rank over the number of completions that the other secrets leave; twice the smaller.
    """
    among_references = np.empty((len(canaries.fits), canaries.canaries))
    left = np.empty(canaries.canaries)
    for size, secrets, references in canaries.patterns():
        left[secrets] = size - (len(secrets) - 1)
        for fit, values in enumerate(canaries.log_prob):
            ordered = np.sort(values[references])
            above = len(ordered) - np.searchsorted(ordered, values[secrets], side="left")
            among_references[fit, secrets] = (above + 1) / (len(ordered) + 1)
    if canaries.most is None:
        return among_references
    return np.minimum(1.0, 2 * np.minimum(among_references, canaries.most / left))


def canary_measures(
    canaries: CanaryTable, exposure: Exposure, bound: Bound, guarantee: Mapping[str, Any] | None
) -> tuple[GroupMeasure, ...]:
    """Measure each level of insertion in four ways; controls, which have no epsilon, first.

    ``exposure`` has the canaries of every fit, fit by fit. The mean exposure is compared with what
    the guarantee allows (``max_mean_bits``), counting every copy once for each training window
    that it may touch.
    """
    proven = {row["insertions"]: row for row in bound.detail.get("levels", ())}
    windows = bound.detail.get("windows", 1)
    guarantee = None if bound.reason else guarantee  # the number of windows changed is unknown
    measures = []
    for level in [0, *canaries.levels]:
        cells = canaries.drawn(level)
        if not cells.any():
            continue
        group = _name(int(cells.sum()), level)
        allowed_bits = _allowed_mean_bits(canaries, guarantee, level * windows)
        measures += [
            _memorization(group, canaries, cells),
            _exposure(group, exposure, cells, level, allowed_bits),
        ]
        if level:
            measures += [
                _membership(group, canaries, level),
                _epsilon(group, bound, proven.get(level)),
            ]
    return tuple(measures)


def _name(count: int, level: int) -> str:
    if not level:
        return f"{count} {'control' if count == 1 else 'controls'}"
    times = "once" if level == 1 else f"{level} times"
    return f"{count} {'canary' if count == 1 else 'canaries'} inserted {times}"


def _memorization(group: str, canaries: CanaryTable, cells: NDArray[np.bool_]) -> GroupMeasure:
    """Average the log-likelihood of secrets less that of the references of the same fit.

    References are drawn as the secrets are and never inserted: their mean is what the secrets' own
    would be, had they been left out.
    """
    gain = np.empty((len(canaries.fits), canaries.canaries))
    for _, secrets, references in canaries.patterns():
        outside = canaries.log_prob[:, references].mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            gain[:, secrets] = canaries.log_prob[:, secrets] - outside
    values, names = gain[cells], canaries.names[cells]
    if not np.isfinite(values).all():
        return GroupMeasure(group, "memorization", Estimate(np.nan, reason=ZERO), 0.0)
    return GroupMeasure(group, "memorization", mean(values, names, units="secrets"), 0.0)


def _exposure(
    group: str, exposure: Exposure, cells: NDArray[np.bool_], insertions: int, allowed_bits: float
) -> GroupMeasure:
    rows = np.flatnonzero(cells.ravel())
    drawn = exposure.take(rows)
    (level,) = by_insertions(drawn, np.full(len(rows), insertions))
    average = mean_exposure(drawn.bits, drawn.ids, drawn.saturated)
    detail = {**level.to_dict(), "max_mean_bits": allowed_bits}
    return GroupMeasure(group, "exposure", average, NULL_MEAN, detail)


def _allowed_mean_bits(
    canaries: CanaryTable, guarantee: Mapping[str, Any] | None, units: int
) -> float:
    """Bound the mean exposure in the largest space under the guarantee; NaN without one."""
    epsilon = allowed(guarantee, 1.0, ADD_REMOVE)
    if guarantee is None or not np.isfinite(epsilon) or not units:
        return float("nan")
    size = max(canaries.sizes)
    bound = exposure_bound(
        epsilon=epsilon, delta=guarantee["delta"], insertions=units, space_size=size
    )
    return bound.mean_bits


def _membership(group: str, canaries: CanaryTable, level: int) -> GroupMeasure:
    attack = attack_canaries(canaries, "loss", level)
    return GroupMeasure(group, "membership", attack.estimate, 0.5)


def _epsilon(group: str, bound: Bound, row: Mapping[str, Any] | None) -> GroupMeasure:
    if row is None:
        return GroupMeasure(group, "epsilon", bound.estimate, 0.0)
    of_level = replace(bound, epsilon=row["epsilon"], significance=row["significance"])
    return GroupMeasure(group, "epsilon", of_level.estimate, 0.0, row)
