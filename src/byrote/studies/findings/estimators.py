"""The estimators of exposure on the same canaries in the same model."""

from collections.abc import Mapping, Sequence
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
from byrote.studies.execute import StudyRun

Array = NDArray[np.float64]

EXACT, SAMPLED, CURVE, MODEL = "exact", "sampled", "skew_normal", "model_sampled"
ENUMERATED = 1_000_000  # completions of a space that is small enough to be enumerated
QUERIES = 50_000  # budget of a search


@dataclass(frozen=True, eq=False)
class Estimators:
    """The canaries of one pattern in the first fit, by every estimator.

    Attributes
    ----------
    pattern
        Without a secret.
    ids, inserted
        (c,) names of the canaries, and how often each was inserted.
    references
        (N,) log-perplexities of random candidates, bits.
    space
        (R,) log-perplexities of all candidates, where the space was enumerated.
    by
        By estimator: exposures in the same order. "exact" is NaN where search did not find the
        rank within its budget.
    """

    pattern: Canary
    ids: NDArray[Any]
    inserted: NDArray[np.int64]
    references: Array
    space: Array | None
    by: Mapping[str, Exposure]

    @property
    def exact(self) -> Exposure:
        """What the others are compared with."""
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
    unknown = exposure.saturated  # a search that ended has only a bound, and nothing to compare
    bits = np.where(unknown, np.nan, exposure.bits)
    return replace(exposure, bits=bits, saturated=np.zeros_like(unknown))


def _enumerate(model: Any, pattern: Canary) -> Array:
    """Return the log-perplexities of all candidates."""
    bits = np.empty(pattern.space_size)
    for index, some in enumerate_bits(model, pattern):
        bits[index] = some
    return bits


@dataclass(frozen=True)
class Agreement:
    """An estimator compared with the exact exposures of the same canaries. Bits.

    Attributes
    ----------
    known, saturated, canaries
        How many exposures it gives, how many of these are lower bounds, and of how many.
    compared
        How many are known, not lower bounds, and exact as well.
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
