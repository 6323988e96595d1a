"""max_significant: the share of records memorized at a 5 % false discovery rate."""

import numpy as np
from numpy.typing import NDArray

from byrote.scores.gate.bar import UNMEASURED, Measured
from byrote.scores.gate.source import Source
from byrote.scores.memorization.summary import SIGNIFICANCE
from byrote.stats.hypergeometric import count_limits
from byrote.stats.multiple_testing import false_hypotheses, q_values

UNIT = "share"


def measure(source: Source, asked: float) -> Measured:
    """Found: the share with q <= 0.05, as everywhere.

    The lower end is of the share that is memorized in truth, whatever is false among the
    discoveries (closed testing); the upper end is of the share that this plan would find if all
    records were scored. Records without a p-value count as memorized there.
    """
    if source.run.has_canaries:
        return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: canaries have exposures, no scores",))
    found = source.run.evaluation
    p_value = np.where(np.isnan(found.estimate["score"]), np.nan, found.p_value)
    tested = int(np.count_nonzero(~np.isnan(p_value)))
    if not tested:
        why = (
            "no record was scored both in and out of training"
            if source.run.design.randomized
            else "the plan's membership is not known to be random, so there are no p-values"
        )
        return Measured(unit=UNIT, doubts=(f"{UNMEASURED}: {why}",))
    discovered = int(np.count_nonzero(q_values(p_value) <= SIGNIFICANCE))
    low, high = _interval(source, p_value, discovered)
    needed = max(1, int(np.ceil(found.smallest_p * tested / SIGNIFICANCE - 1e-9)))
    return Measured(
        found=discovered / tested,
        low=low,
        high=high,
        unit=UNIT,
        covers=f"share with q <= {SIGNIFICANCE:g} of {source.whom}",
        doubts=_doubts(asked, tested, needed),
        detail={
            "memorized": discovered,
            "tested": tested,
            "untested": len(p_value) - tested,
            "smallest_p": found.smallest_p,
            "needed": needed,
        },
    )


def _interval(source: Source, p_value: NDArray[np.float64], discovered: int) -> tuple[float, float]:
    """From the records scored to all of them; the two errors below share what is allowed."""
    drawn, population = source.scored
    whole = drawn == population
    sure = false_hypotheses(p_value, source.tail if whole else source.tail / 2)
    untested = int(np.count_nonzero(np.isnan(p_value)))
    known = {"sample": drawn, "population": population}
    low, _ = count_limits(sure, sure, significance=source.tail / 2, **known)
    _, high = count_limits(0, discovered + untested, significance=source.tail, **known)
    return low / population, high / population


def _doubts(asked: float, tested: int, needed: int) -> tuple[str, ...]:
    """A plan that could not find one record more than is allowed cannot clear the bar."""
    first = int(np.floor(asked * tested + 1e-9)) + 1  # the smallest number beyond the bar
    if needed <= first:
        return ()
    if needed > tested:
        return ("this plan can discover nothing: more repeats or fits can",)
    return (
        f"this plan discovers nothing unless {needed:,} of {tested:,} records"
        f" ({100 * needed / tested:.3g}%) stand out at once: more repeats or fits can",
    )
