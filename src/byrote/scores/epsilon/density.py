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
        (n,) log of the mean density in over the mean density out, nats: an estimate, which proves
        nothing by itself. NaN where a side has no value or both have densities of zero alone.
    lower
        (n,) lower bound on epsilon from each record alone, at the significance; at least 0.
    significance
        Probability with which a bound may be above the true epsilon.
    epsilon
        Lower bound on epsilon from all records together, at least 0.
    claimed
        The epsilon that was promised; NaN if none.
    exceeding
        How many records have a lower bound above it; of n, at most ``significance`` n are expected
        by chance.
    contradicted
        Whether ``epsilon`` is above ``claimed``.
    unscored
        How many records have no value in, or none out.
    provable
        The most that ``epsilon`` could have been with so many fits; 0 where they are too few.
    pairs
        Fits on a record's smaller side, each of which is set beside those of the other side that
        fall to it; of the record that has most.
    """

    score: Array
    lower: Array
    significance: float
    epsilon: float
    claimed: float
    exceeding: int
    unscored: int
    provable: float
    pairs: int

    @property
    def contradicted(self) -> bool:
        """Whether the proven epsilon is above the claimed one."""
        return self.epsilon > self.claimed

    def to_dict(self) -> dict[str, Any]:
        """The bound as plain data, without the records' own numbers."""
        names = ("significance", "epsilon", "claimed", "exceeding", "contradicted", "unscored")
        found = {name: getattr(self, name) for name in (*names, "provable", "pairs")}
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

    A mean of few densities has no error that can be believed: one fit in a thousand may have a
    density a million times as large. So densities count up to a scale, the median of earlier fits
    that trained on the record, and the bound comes from a bet against epsilon on pairs of fits, one
    in and one out (docs/privacy.md). It holds whatever the densities are, also where all those of a
    fit share a factor. To prove epsilon takes some ``3 e^epsilon`` pairs, however large the scores
    are; five pairs or fewer prove nothing at 0.05.

    Parameters
    ----------
    log_prob
        (fits, records) log-likelihoods, nats; NaN where not scored, -inf for zero density. Fits
        that depend on one another, as those of a repeat of K-fold do, must follow one another.
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
    >>> included = np.arange(100)[:, None] % 2 == 0
    >>> log_prob = np.where(included, 1.0, -3.0) + np.random.default_rng(0).normal(size=(100, 1))
    >>> found = byrote.epsilon_from_density(log_prob, included, epsilon=0.5)
    >>> round(float(found.score[0]), 2), round(found.epsilon, 2), found.contradicted
    (3.8, 1.98, True)
    >>> round(found.provable, 2)
    2.76
    """
    values, inside = table(log_prob, included)
    significance = checks.fraction("significance", significance)
    claimed = float("nan") if epsilon is None else checks.not_negative("epsilon", epsilon)
    stakes = mean_density.stakes(values, inside)
    lower = mean_density.bounds(stakes, significance)
    return DensityBound(
        score=mean_density.log_ratio(values, inside),
        lower=lower,
        significance=significance,
        epsilon=mean_density.bound(stakes, significance),
        claimed=claimed,
        exceeding=int((lower > claimed).sum()),
        unscored=int((stakes.pairs == 0).sum()),
        provable=mean_density.largest_provable(stakes.pairs, significance),
        pairs=int(stakes.pairs.max()),
    )
