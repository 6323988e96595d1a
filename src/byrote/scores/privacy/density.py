"""The paper's bound: under pure epsilon-DP no memorization score exceeds epsilon."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks
from byrote.scores.privacy.membership import check_table
from byrote.stats import mean_density

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DensityBound:
    """Lower bounds on epsilon from mean densities with and without each record.

    Attributes
    ----------
    log_prob, included
        (fits, n) log-likelihoods, nats, and whether the fit trained on the record.
    score
        (n,) log of the mean density in over the mean density out, nats: an estimate without
        confidence. NaN where a side has no value or both have only densities of zero.
    lower
        (n,) lower bound on epsilon from each record alone, at the significance; at least 0.
    significance
        Probability with which a bound may exceed the true epsilon.
    epsilon
        Lower bound on epsilon from all records together, at least 0.
    claimed
        The guaranteed epsilon; NaN if unknown.
    exceeding
        Number of records with a lower bound above it; at most ``significance`` n are expected by
        chance.
    contradicted
        Whether ``epsilon`` is above ``claimed``.
    unscored
        Number of records without a value in, or out.
    provable
        The largest ``epsilon`` provable with this number of fits; 0 if they are too few.
    pairs
        Number of fits on a record's smaller side, each paired with fits of the other side; the
        largest of any record.
    """

    log_prob: Array
    included: Flags
    lower: Array
    significance: float
    epsilon: float
    claimed: float
    exceeding: int
    unscored: int
    provable: float
    pairs: int

    @cached_property
    def score(self) -> Array:
        """Log ratios of mean densities; computed at first use."""
        return mean_density.log_ratio(self.log_prob, self.included)

    @property
    def contradicted(self) -> bool:
        """Whether the proven epsilon exceeds the claimed one."""
        return self.epsilon > self.claimed

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, omitting numbers of single records."""
        names = ("significance", "epsilon", "claimed", "exceeding", "contradicted", "unscored")
        values = {name: getattr(self, name) for name in (*names, "provable", "pairs")}
        return {"records": len(self.lower), **values}


def epsilon_from_density(
    log_prob: Any, included: Any, *, epsilon: float | None = None, significance: float = 0.05
) -> DensityBound:
    """Bound the epsilon of purely epsilon-DP training from below, from log-likelihoods.

    Pure epsilon-DP bounds the density of a record, a function of the trained model, by
    ``E[p_in] <= e^epsilon E[p_out]``: the memorization score of eq. (2), a log ratio of means over
    retrainings, is at most epsilon (eqs. 7-8). Under (epsilon, delta)-DP only
    ``log(e^epsilon + delta sup p / P_out)`` follows, which a density without a small upper bound
    makes vacuous. The converse is false: small scores do not prove a small epsilon.

    The two sides must differ by one record: leave-one-out, or probes (then the neighbours are data
    sets in which the other probes are drawn by coin flips). Where another record takes its place,
    as in K-fold, the epsilon is that of replacement, at most twice that of adding and removing.

    The error of a mean of few densities cannot be estimated: one fit in a thousand may have a
    density a million times as large. So densities are capped at a scale, the median of earlier fits
    that trained on the record, and the bound comes from a bet against epsilon on pairs of fits, one
    in and one out (docs/privacy.md). It holds for any densities, even if all those of a fit share a
    factor. Proving epsilon takes about ``3 e^epsilon`` pairs, however large the scores; five pairs
    or fewer prove nothing at 0.05.

    Parameters
    ----------
    log_prob
        (fits, records) log-likelihoods, nats; NaN where not scored, -inf for zero density. Fits
        that depend on one another, like those of a repeat of K-fold, must be adjacent.
    included
        (fits, records) booleans: whether the fit trained on the record.
    epsilon
        The guaranteed epsilon, to compare with.
    significance
        As for ``one_run_epsilon``.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> included = np.arange(100)[:, None] % 2 == 0
    >>> log_prob = np.where(included, 1.0, -3.0) + np.random.default_rng(0).normal(size=(100, 1))
    >>> bound = byrote.privacy.epsilon_from_density(log_prob, included, epsilon=0.5)
    >>> round(float(bound.score[0]), 2), round(bound.epsilon, 2), bound.contradicted
    (3.8, 1.98, True)
    >>> round(bound.provable, 2)
    2.76
    """
    values, inside = check_table(log_prob, included)
    significance = checks.fraction("significance", significance)
    claimed = float("nan") if epsilon is None else checks.not_negative("epsilon", epsilon)
    return density_bound_of(values, inside, claimed=claimed, significance=significance)


def density_bound_of(
    log_prob: Array, included: Flags, *, claimed: float, significance: float
) -> DensityBound:
    """Bound epsilon by checked log-likelihoods; ``claimed``: NaN if unknown."""
    lower, together, pairs = mean_density.lower_bounds(log_prob, included, significance)
    return DensityBound(
        log_prob=log_prob,
        included=included,
        lower=lower,
        significance=significance,
        epsilon=together,
        claimed=claimed,
        exceeding=int((lower > claimed).sum()),
        unscored=int((pairs == 0).sum()),
        provable=mean_density.largest_provable(pairs, significance),
        pairs=int(pairs.max()),
    )
