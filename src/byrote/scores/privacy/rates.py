"""Bounds from one trial per independent fit: true- and false-positive rates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.columnar import PlainData
from byrote.errors import InvalidInput
from byrote.stats import gaussian_dp
from byrote.stats.estimate import clopper_pearson

Array = NDArray[np.float64]
Interval = tuple[float, float]
MOST_TRIALS = 10**9  # more than anyone has, and still counted through in a second


@dataclass(frozen=True)
class RatesBound(PlainData):
    """Lower bounds on epsilon from the true and false positives of an attack.

    Attributes
    ----------
    true_positives, members, false_positives, non_members
        True positives among fits with the record, false positives among fits without it.
    delta, significance
        Delta of the claim; all bounds hold together with probability 1 - significance.
    true_positive_rate, false_positive_rate
        Clopper-Pearson intervals, each at level 1 - significance. Only the lower limit of the
        former and the upper limit of the latter are used.
    epsilon
        Lower bound on epsilon at delta, for any mechanism.
    mu
        Lower bound on mu of a mechanism assumed to be Gaussian.
    threshold
        The score above which the attack predicts "member"; NaN where counts were given.
    """

    true_positives: int
    members: int
    false_positives: int
    non_members: int
    delta: float
    significance: float
    true_positive_rate: Interval
    false_positive_rate: Interval
    epsilon: float
    mu: float
    threshold: float = float("nan")


def epsilon_from_rates(
    *,
    true_positives: int,
    members: int,
    false_positives: int,
    non_members: int,
    delta: float = 0.0,
    significance: float = 0.05,
) -> RatesBound:
    """Bound epsilon from below by counts of independent trials.

    ``log((TPR - delta) / FPR)`` or ``log((TNR - delta) / FNR)``, whichever is larger, at the lower
    limit of TPR and the upper limit of FPR, each exceeded with probability significance / 2
    (Clopper & Pearson 1934; Jagielski, Ullman & Oprea 2020); mu likewise,
    ``Phi^-1(TPR) - Phi^-1(FPR)`` (Nasr et al. 2023). Each trial must be a separate fit: records
    of one fit are not independent trials.

    Parameters
    ----------
    true_positives, members
        True positives, among this number of fits that trained on the record.
    false_positives, non_members
        False positives, among this number of fits that did not.
    delta, significance
        As for ``one_run_epsilon``.

    Raises
    ------
    InvalidInput
        If a number is out of range.

    Examples
    --------
    >>> import byrote
    >>> counts = {"true_positives": 500, "members": 500, "false_positives": 0, "non_members": 500}
    >>> round(byrote.privacy.epsilon_from_rates(**counts, significance=0.01).epsilon, 4)
    4.5419
    """
    members = checks.integer("members", members, at_least=1, at_most=MOST_TRIALS)
    non_members = checks.integer("non_members", non_members, at_least=1, at_most=MOST_TRIALS)
    true_positives = checks.integer("true_positives", true_positives, at_least=0)
    false_positives = checks.integer("false_positives", false_positives, at_least=0)
    check_at_most("true_positives", true_positives, "members", members)
    check_at_most("false_positives", false_positives, "non_members", non_members)
    delta = checks.share("delta", delta)
    significance = checks.fraction("significance", significance)
    level = 1 - significance
    counts = [true_positives, false_positives], [members, non_members]
    low, high = (ends.tolist() for ends in clopper_pearson(*map(np.array, counts), level=level))
    return RatesBound(
        true_positives,
        members,
        false_positives,
        non_members,
        delta,
        significance,
        true_positive_rate=(low[0], high[0]),
        false_positive_rate=(low[1], high[1]),
        epsilon=gaussian_dp.epsilon_from_rates(low[0], high[1], delta),
        mu=gaussian_dp.mu_from_rates(low[0], high[1]),
    )


def epsilon_from_scores(
    inside: Any, outside: Any, *, delta: float = 0.0, significance: float = 0.05, seed: int = 0
) -> RatesBound:
    """Bound epsilon from below by one score per independent fit, with the record and without.

    A random half of each side selects the threshold at which "score > threshold" proves most; only
    the other half gives the bound, so that the selection cannot bias it.

    Parameters
    ----------
    inside, outside
        (a,) and (b,) scores, at least two each, higher where the fit more likely trained on the
        record; each score from a separate fit.
    delta, significance
        As for ``one_run_epsilon``.
    seed
        Seed of the halves.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    >>> import byrote
    >>> generator = np.random.default_rng(0)
    >>> members, others = generator.normal(4, 1, 500), generator.normal(0, 1, 500)
    >>> bound = byrote.privacy.epsilon_from_scores(members, others)
    >>> round(bound.epsilon, 2), bound.members
    (3.29, 250)
    """
    delta = checks.share("delta", delta)
    significance = checks.fraction("significance", significance)
    generator = seeds.generator(checks.seed("seed", seed), seeds.Purpose.CHOICE)
    first, second = zip(
        *(
            _halves(name, side, generator)
            for name, side in (("inside", inside), ("outside", outside))
        ),
        strict=True,
    )
    threshold = gaussian_dp.best_threshold(*first, delta=delta, level=1 - significance)
    bound = epsilon_from_rates(
        true_positives=int((second[0] > threshold).sum()),
        members=len(second[0]),
        false_positives=int((second[1] > threshold).sum()),
        non_members=len(second[1]),
        delta=delta,
        significance=significance,
    )
    return RatesBound(**{**bound.to_dict(), "threshold": threshold})


def _halves(name: str, scores: Any, generator: np.random.Generator) -> tuple[Array, Array]:
    values = score_vector(name, scores)
    if len(values) < 2:
        raise InvalidInput(
            f"{name} must have at least 2 scores, to be split into halves; got {len(values)}"
        )
    order = generator.permutation(len(values))
    return values[order[: len(values) // 2]], values[order[len(values) // 2 :]]


def check_at_most(name: str, value: int, limit_name: str, limit: int) -> None:
    """Check that a count is at most another."""
    if value > limit:
        raise InvalidInput(f"{name} must be at most {limit_name}, {limit}; got {value}")


def score_vector(name: str, values: Any) -> Array:
    """Check scores, (n,): at least one, without NaN; infinite ones are allowed."""
    scores: Array = checks.numbers(name, values)
    if scores.ndim != 1 or not len(scores):
        raise InvalidInput(f"{name} must be scores of shape (n,); got {scores.shape}")
    if np.isnan(scores).any():
        raise InvalidInput(f"{name} must be numbers; got NaN {int(np.isnan(scores).sum())} times")
    return scores
