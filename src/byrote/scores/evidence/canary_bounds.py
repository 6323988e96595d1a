"""A lower bound on epsilon from the ranks of inserted secrets, and why others do not apply."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.models.privacy.guarantee import ADD_REMOVE
from byrote.scores.evidence.audits import VACUOUS, Claim
from byrote.scores.evidence.planted import Planted
from byrote.scores.evidence.result import (
    DENSITY,
    EXPOSURE,
    GAUSSIAN,
    ONE_RUN,
    RATES,
    Bound,
)
from byrote.stats.exposure import epsilon_bound

Array = NDArray[np.float64]

DEALT = "levels are dealt out to the canaries in fixed numbers: inclusions are no independent coins"
DEPEND = "what level a canary has depends on the others': its fits are no trials with and without"
COPIES = "a canary has several copies and others in its place: its two sides are no neighbours"
LENGTHS = (
    "secrets differ in length, which moves all text after them to other windows: more change than"
    " those that hold a secret"
)
NO_SECRETS = "no drawn secret is inserted: one that somebody chose has no rank by chance"


def canary_bounds(found: Planted, claim: Claim, windows: int) -> tuple[Bound, ...]:
    """One bound by every method for canaries."""
    return (
        exposure(found, claim, windows),
        claim.none(ONE_RUN, DEALT),
        claim.none(GAUSSIAN, DEALT),
        claim.none(RATES, DEPEND),
        claim.none(DENSITY, VACUOUS if claim.delta else COPIES),
    )


def exposure(found: Planted, claim: Claim, windows: int) -> Bound:
    """The largest epsilon under which secrets would hardly rank so high at any level.

    A secret drawn uniformly has ``P(p <= u) <= u`` without its copies in the text, so at most
    ``e^{c epsilon} u + delta_c`` with c of them, whatever the others do. That half of a level's
    p-values are at most u has at most twice that probability (Markov), however they depend on each
    other. Levels share the significance.
    """
    levels = found.levels
    if not levels:
        return claim.none(EXPOSURE, NO_SECRETS)
    if not found.even and (claim.promised or {}).get("window") is not None:
        return claim.none(EXPOSURE, LENGTHS)
    p_values, least = ranked(found), least_p_values(found)
    rows, best = (
        [_level(p[found.drawn(level)], level, claim, windows, len(levels)) for level in levels]
        for p in (p_values, np.broadcast_to(least, p_values.shape))
    )
    provable = max(row["epsilon"] for row in best)
    detail = {"levels": rows, "provable": provable, "windows": windows, "relation": ADD_REMOVE}
    return claim.bound(EXPOSURE, max(row["epsilon"] for row in rows), **detail)


def _level(p_values: Array, level: int, claim: Claim, windows: int, levels: int) -> dict[str, Any]:
    """What the cells of one level prove; p_values: one of every secret in every fit."""
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


def least_p_values(found: Planted) -> Array:
    """(canaries,) what ``ranked`` gives secrets that are likelier than all others."""
    of_references = np.bincount(found.pattern[found.canaries :], minlength=len(found.sizes))
    of_secrets = np.bincount(found.pattern[: found.canaries], minlength=len(found.sizes))
    least = 1 / (of_references + 1.0)
    if found.most is not None:
        left = np.array(found.sizes) - (of_secrets - 1.0)
        least = np.minimum(1.0, 2 * np.minimum(least, 1 / left))
    return np.asarray(least[found.pattern[: found.canaries]])


def ranked(found: Planted) -> Array:
    """(F, canaries) p-values: of each secret's rank among those that might have come in its place.

    Beside the reference candidates, (k + 1) / (N + 1); where the run looked for ranks, also the
    largest rank possible over the completions that the other secrets leave; twice the smaller.
    """
    below = np.empty((len(found.fits), found.canaries))
    left = np.empty(found.canaries)
    for number, size in enumerate(found.sizes):
        of_pattern = found.pattern == number
        own = np.flatnonzero(of_pattern[: found.canaries])
        references = np.flatnonzero(of_pattern[found.canaries :]) + found.canaries
        left[own] = size - (len(own) - 1)
        for fit, values in enumerate(found.log_prob):
            others = np.sort(values[references])
            above = len(others) - np.searchsorted(others, values[own], side="left")
            below[fit, own] = (above + 1) / (len(others) + 1)
    if found.most is None:
        return below
    return np.minimum(1.0, 2 * np.minimum(below, found.most / left))
