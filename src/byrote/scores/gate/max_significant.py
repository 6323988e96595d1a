"""max_significant: the share of records memorized at a 5 % false discovery rate."""

import numpy as np
from numpy.typing import NDArray

from byrote.scores.gate.threshold import GatedRun, Measured, ThresholdKind
from byrote.scores.memorization.moderated import SIGNIFICANCE
from byrote.scores.memorization.sensitivity import needed_discoveries
from byrote.stats.hypergeometric import count_limits
from byrote.stats.multiple_testing import false_hypotheses, q_values

UNIT = "share"


def measure(gated: GatedRun, asked: float) -> Measured:
    """Measure the share with q <= 0.05.

    The lower end bounds the share that is truly memorized, whichever discoveries are false (closed
    testing); the upper end bounds the share that this plan would discover if all records were
    scored, where records without a p-value count as memorized.
    """
    if gated.run.has_canaries:
        return Measured.missing(UNIT, "canaries have exposures, no scores")
    evaluation = gated.run.evaluation
    p_value = evaluation.p_value
    tested = int(np.count_nonzero(~np.isnan(p_value)))
    if not tested:
        why = (
            "no record was scored both in and out of training"
            if gated.run.design.randomized
            else "the plan's membership is not known to be random, so there are no p-values"
        )
        return Measured.missing(UNIT, why)
    q = q_values(p_value)
    low, high = _interval(gated, p_value, int(np.count_nonzero(q <= SIGNIFICANCE)))
    needed = needed_discoveries(evaluation.smallest_p, tested)
    found = np.flatnonzero(q <= SIGNIFICANCE)
    found = found[np.argsort(-evaluation.estimate["mean_log"][found], kind="stable")]
    return Measured(
        found=len(found) / tested,
        low=low,
        high=high,
        unit=UNIT,
        covers=f"share with q <= {SIGNIFICANCE:g} of {gated.scored_records}; the upper end is no"
        " bound, for what such a plan misses is not counted",
        doubts=_doubts(asked, tested, needed),
        records=gated.ids(found),
        detail={
            "memorized": len(found),
            "tested": tested,
            "untested": len(p_value) - tested,
            "smallest_p": evaluation.smallest_p,
            "needed": needed,
        },
    )


def _interval(
    gated: GatedRun, p_value: NDArray[np.float64], discovered: int
) -> tuple[float, float]:
    """Extrapolate to all records; the two errors of the lower end share the tail.

    p-values are those of all looks together.
    """
    drawn, population = gated.sample
    whole = drawn == population
    sure = false_hypotheses(p_value, gated.error if whole else gated.error / 2)
    untested = int(np.count_nonzero(np.isnan(p_value)))
    known = {"sample": drawn, "population": population}
    low, _ = count_limits(sure, sure, significance=gated.tail / 2, **known)
    _, high = count_limits(0, discovered + untested, significance=gated.tail, **known)
    return low / population, high / population


def _doubts(asked: float, tested: int, needed: int) -> tuple[str, ...]:
    """Doubt a plan that could not discover one record more than is allowed."""
    first = int(np.floor(asked * tested + 1e-9)) + 1  # the smallest number beyond the threshold
    if needed <= first:
        return ()
    if needed > tested:
        return ("this plan can discover nothing: more repeats or fits can",)
    return (
        f"this plan discovers nothing unless {needed:,} of {tested:,} records"
        f" ({100 * needed / tested:.3g}%) stand out at once: more repeats or fits can",
    )


MAX_SIGNIFICANT = ThresholdKind(
    "max_significant",
    0.0,
    1.0,
    "a share of at least 0 and below 1, like 1% or 0.01",
    measure,
    percent=True,
)
