"""The estimators of exposure on the same canaries in the same model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote.attacks.enumeration import enumerate_bits
from byrote.attacks.ranks import find_ranks
from byrote.data.canaries import Canary
from byrote.scores.exposure.best_estimate import exposure_of_ranks, model_sampled_only
from byrote.scores.exposure.estimate import estimate_exposure
from byrote.scores.exposure.exposure import Exposure
from byrote.scores.exposure.exposure_result import LEVEL
from byrote.studies.exposure.carried import Carried

Array = NDArray[np.float64]

EXACT, SAMPLED, CURVE, MODEL = "exact", "sampled", "skew_normal", "model_sampled"
ENUMERATED = 1_000_000  # completions of a space that is small enough to be enumerated here
_QUERIES = 50_000  # what a search may read


@dataclass(frozen=True, eq=False)
class SideBySide:
    """The canaries of one pattern in the first fit, by every estimator.

    Attributes
    ----------
    pattern
        Without a secret.
    ids, inserted
        (c,) what the canaries are called, and how often each was inserted.
    references
        (N,) log-perplexities of random candidates, bits.
    whole
        (R,) log-perplexities of all candidates, where the space was enumerated.
    by
        By estimator: exposures in the same order. "exact" is NaN where search did not find the
        rank within its budget.
    """

    pattern: Canary
    ids: NDArray[Any]
    inserted: NDArray[np.int64]
    references: Array
    whole: Array | None
    by: Mapping[str, Exposure]

    @property
    def exact(self) -> Exposure:
        """What the others are compared with."""
        return self.by[EXACT]


def side_by_side(one: Carried) -> tuple[SideBySide, ...]:
    """Every pattern of a configuration whose first fit's model was kept."""
    model, fit = one.released(), one.run.design.release
    bits = -one.run.folder.log_prob(fit) / np.log(2)
    return tuple(
        _of_pattern(one, model, fit, number, bits) for number in range(len(one.records.patterns))
    )


def _of_pattern(one: Carried, model: Any, fit: int, number: int, bits: Array) -> SideBySide:
    records = one.records
    pattern, size = records.patterns[number], records.patterns[number].space_size
    of_pattern = np.flatnonzero(records.pattern == number)
    rows, others = (
        of_pattern[of_pattern < records.canaries],
        of_pattern[of_pattern >= records.canaries],
    )
    texts, ids = [records.completions[row] for row in rows], records.ids[rows]
    small = size <= ENUMERATED
    found = {
        EXACT: _ranked(model, pattern, texts, ids, "enumeration" if small else "search"),
        SAMPLED: estimate_exposure(bits[rows], bits[others], space_size=size, ids=ids),
        CURVE: estimate_exposure(
            bits[rows], bits[others], space_size=size, method="skew_normal", ids=ids
        ),
        MODEL: _ranked(model, pattern, texts, ids, "model_sampled", one.request.settings.seed),
    }
    return SideBySide(
        pattern=pattern,
        ids=ids,
        inserted=one.run.design.included(fit)[rows].astype(np.int64),
        references=bits[others],
        whole=_whole(model, pattern) if small else None,
        by=found,
    )


def _ranked(
    model: Any, pattern: Canary, texts: list[str], ids: NDArray[Any], method: str, seed: int = 0
) -> Exposure:
    ranks = find_ranks(model, pattern, texts, method=method, max_queries=_QUERIES, seed=seed)
    exposure = exposure_of_ranks(ranks, ids, level=LEVEL)
    if method == "model_sampled":
        exposure = model_sampled_only(exposure)
    unknown = exposure.saturated  # a search that ended has only a bound, and nothing to compare
    bits = np.where(unknown, np.nan, exposure.bits)
    return replace(exposure, bits=bits, saturated=np.zeros_like(unknown))


def _whole(model: Any, pattern: Canary) -> Array:
    """Log-perplexities of all candidates."""
    bits = np.empty(pattern.space_size)
    for index, some in enumerate_bits(model, pattern):
        bits[index] = some
    return bits


@dataclass(frozen=True)
class Agreement:
    """An estimator beside the exact exposures of the same canaries. Bits.

    Attributes
    ----------
    known, saturated, canaries
        How many exposures it gives, how many of these are lower bounds, and of how many.
    compared
        How many are known, no lower bounds, and exact as well.
    mean, worst
        Mean and largest absolute difference from the exact ones.
    covered
        How many of those compared have the exact one in their 95 % interval.
    """

    known: int
    saturated: int
    canaries: int
    compared: int
    mean: float
    worst: float
    covered: int


def agreement(found: SideBySide, name: str) -> Agreement:
    """Of one estimator."""
    exposure, exact = found.by[name], found.exact
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
