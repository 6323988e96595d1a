"""The paper's bound: under pure epsilon-DP no memorization score exceeds epsilon."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.scores.epsilon.arguments import table
from byrote.stats import mean_density

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DensityBound:
    """What mean densities with and without each record prove.

    Attributes
    ----------
    score
        (n,) log of the mean density in over the mean density out, nats, the bias of few values
        corrected; NaN where a mean rests on too few of its values.
    standard_error
        (n,) by the delta method.
    lower
        (n,) lower confidence limit of each score, one-sided at the significance.
    significance
        Probability with which a limit may be above the true score.
    epsilon
        Lower bound on epsilon from all records together (limits at significance / n), at least 0.
    claimed
        The epsilon that was promised; NaN if none.
    exceeding
        How many records have a lower limit above it; of n, about ``significance`` n may by chance
        if all scores are at the bound.
    contradicted
        Whether ``epsilon`` is above ``claimed``.
    unscored
        How many records have no score.
    margin
        How far, in the median over records, a score must lie above a number for ``epsilon`` to do;
        nats, NaN without scores.
    """

    score: Array
    standard_error: Array
    lower: Array
    significance: float
    epsilon: float
    claimed: float
    exceeding: int
    unscored: int
    margin: float

    @property
    def contradicted(self) -> bool:
        """Whether the proven epsilon is above the claimed one."""
        return self.epsilon > self.claimed

    def to_dict(self) -> dict[str, Any]:
        """The bound as plain data, without the records' own numbers."""
        names = ("significance", "epsilon", "claimed", "exceeding", "contradicted", "unscored")
        found = {name: getattr(self, name) for name in (*names, "margin")}
        return {"records": len(self.score), **found}


def epsilon_from_density(
    log_prob: Any, included: Any, *, epsilon: float | None = None, significance: float = 0.05
) -> DensityBound:
    """A lower bound on epsilon of purely epsilon-DP training, from the table of log-likelihoods.

    Pure epsilon-DP bounds the density of a record, a function of the trained model, by
    ``E[p_in] <= e^epsilon E[p_out]``: the memorization score of eq. (2), a log ratio of means over
    retrainings, is at most epsilon (eqs. 7-8). Under (epsilon, delta)-DP only
    ``log(e^epsilon + delta sup p / P_out)`` follows, which a density without a small upper bound
    makes vacuous. The converse is false: small scores do not prove a small epsilon.

    The two sides must differ by one record: leave-one-out, or probes (then the neighbours are data
    sets in which the other probes are drawn by coin). Where instead another record takes its place,
    as in K-fold, the epsilon is that of replacement, at most twice that of adding and removing.

    Limits are Student's, for fits that are independent given the plan. Where one or two fits give
    nearly all of a mean density, as those of a VAE do, no error of that mean can be believed: the
    record has no score, and is counted in ``unscored``.

    Parameters
    ----------
    log_prob
        (fits, records) log-likelihoods, nats; NaN where not scored, -inf for zero density.
    included
        (fits, records) booleans: trained on?
    epsilon
        What was promised, to be compared with.
    significance
        As for ``one_run_epsilon``.

    Raises
    ------
    InvalidInput
        If an argument cannot be used.

    Examples
    --------
    >>> import byrote
    >>> included = np.array([[True], [True], [True], [False], [False], [False]])
    >>> log_prob = np.log([[6.0], [6.1], [5.9], [2.0], [2.1], [1.9]])
    >>> found = byrote.epsilon_from_density(log_prob, included, epsilon=0.5)
    >>> round(float(found.score[0]), 4), round(found.epsilon, 4), found.contradicted
    (1.0982, 1.0094, True)
    """
    values, inside = table(log_prob, included)
    significance = checks.fraction("significance", significance)
    claimed = float("nan") if epsilon is None else checks.not_negative("epsilon", epsilon)
    ratio = mean_density.log_ratio(values, inside)
    lower = mean_density.lower_limit(ratio, significance)
    scored = int((~np.isnan(ratio.value)).sum())
    together = mean_density.lower_limit(ratio, significance / max(scored, 1))
    return DensityBound(
        score=ratio.value,
        standard_error=ratio.error,
        lower=lower,
        significance=significance,
        epsilon=max(0.0, float(np.nanmax(together))) if scored else 0.0,
        claimed=claimed,
        exceeding=int((lower > claimed).sum()),
        unscored=len(lower) - scored,
        margin=float(np.nanmedian(ratio.value - together)) if scored else float("nan"),
    )
