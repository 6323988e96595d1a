"""Audits by one run: many records, each trained on by a fair coin flip."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from byrote import checks, seeds
from byrote.columnar import PlainData
from byrote.errors import InvalidInput
from byrote.scores.privacy.rates import MOST_TRIALS, Array, check_at_most, score_vector
from byrote.stats import gaussian_dp, one_run_audit

Flags = NDArray[np.bool_]
DRAWS = 8  # among equal scores


@dataclass(frozen=True)
class OneRunAudit(PlainData):
    """Lower bounds on epsilon from the correct guesses about one run.

    Attributes
    ----------
    canaries, guesses, correct
        Numbers of records whose inclusion was a fair coin flip, of guesses, and of correct guesses.
    delta, significance
        Delta of the claim; probability with which each bound may exceed the true value.
    epsilon
        Lower bound on epsilon at delta (Steinke, Nasr & Jagielski 2023), for any mechanism.
    mu
        Lower bound on mu of a mechanism assumed to be Gaussian (Mahloujifar et al. 2025).
    gaussian_epsilon
        The epsilon at delta equivalent to ``mu``; NaN for delta = 0, where it would be infinite.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> included = generator.random(1000) < 0.5
    >>> audit = audit_one_run(generator.normal(size=1000) + 4 * included, included, guesses=200)
    >>> audit.correct, round(audit.epsilon, 2)
    (200, 4.19)
    """

    canaries: int
    guesses: int
    correct: int
    delta: float
    significance: float
    epsilon: float
    mu: float
    gaussian_epsilon: float


def one_run_epsilon(
    *, canaries: int, guesses: int, correct: int, delta: float = 0.0, significance: float = 0.05
) -> float:
    """Bound epsilon, in nats, from below by the correct guesses about one run.

    Each of m canaries is trained on by an independent fair coin flip; v of r guesses are right.
    With B ~ Binomial(r, e^epsilon / (1 + e^epsilon)), epsilon is rejected if ``P[B >= v] + 2 m
    delta max_{1 <= i <= v} P[v - i <= B < v] / i`` is at most the significance; the bound is the
    largest epsilon rejected: Steinke, Nasr & Jagielski (2023), "Privacy auditing with one (1)
    training run". The number of guesses must be fixed before looking at which are right.

    Parameters
    ----------
    canaries, guesses, correct
        m, r and v: at least 1, 1 and 0, each at most the previous one.
    delta
        At least 0, below 1.
    significance
        Probability with which the bound may exceed the true epsilon.

    Raises
    ------
    InvalidInput
        If a number is out of range.

    Examples
    --------
    >>> import byrote
    >>> round(byrote.privacy.one_run_epsilon(canaries=1000, guesses=100, correct=90, delta=1e-5), 5)
    1.62614
    """
    delta = checks.share("delta", delta)
    counts, significance = _checked(canaries, guesses, correct, significance)
    return one_run_audit.epsilon_bound(*counts, delta, significance)


def one_run_mu(*, canaries: int, guesses: int, correct: int, significance: float = 0.05) -> float:
    """Bound mu of a Gaussian mechanism from below by the correct guesses about one run.

    As ``one_run_epsilon``, for a mechanism whose trade-off function is that of N(0, 1) against
    N(mu, 1), as noisy gradient descent's nearly is: Mahloujifar, Melis & Chaudhuri (2025),
    "Auditing f-differential privacy in one run". The bound is the largest mu rejected;
    ``gaussian_epsilon`` converts it to epsilon at a delta, usually larger than what
    ``one_run_epsilon`` proves without the assumption.

    Parameters
    ----------
    canaries, guesses, correct, significance
        As for ``one_run_epsilon``.

    Raises
    ------
    InvalidInput
        If a number is out of range.

    Examples
    --------
    >>> import byrote
    >>> mu = byrote.privacy.one_run_mu(canaries=1000, guesses=100, correct=90)
    >>> round(mu, 4), round(byrote.privacy.gaussian_epsilon(mu=mu, delta=1e-5), 2)
    (0.6025, 2.46)
    """
    counts, significance = _checked(canaries, guesses, correct, significance)
    return one_run_audit.mu_bound(*counts, significance)


def audit_one_run(
    scores: Any,
    included: Any,
    *,
    guesses: int,
    delta: float = 0.0,
    significance: float = 0.05,
    seed: int = 0,
) -> OneRunAudit:
    """Guess from scores which canaries one run trained on, and bound epsilon from below.

    The ``guesses // 2`` lowest scores are guessed out, as many of the highest (one more for an odd
    number) in; there is no guess about the others. Ties are broken at random, since the order of
    the records may reveal membership; of 8 draws the one with the fewest correct guesses counts. If
    all scores are equal, half of the guesses count as correct.

    Parameters
    ----------
    scores
        (m,) one score per canary, higher where it is more likely a member; of one fit.
    included
        (m,) booleans: whether the canary was trained on, by independent fair coin flips.
    guesses
        Number of guesses, at most m. Fix it before looking: the best of several numbers would need
        a correction.
    delta, significance
        As for ``one_run_epsilon``.
    seed
        Seed of the random ties.

    Raises
    ------
    InvalidInput
        If an argument is invalid.

    Examples
    --------
    A model whose scores reveal every coin:

    >>> import numpy as np
    >>> included = np.random.default_rng(0).random(1000) < 0.5
    >>> audit = audit_one_run(included.astype(float), included, guesses=100)
    >>> audit.correct, round(audit.epsilon, 2)
    (100, 3.49)
    """
    values, member = score_vector("scores", scores), checks.array("included", included)
    if member.shape != values.shape or member.dtype.kind != "b":
        raise InvalidInput(
            f"included must be booleans, one per score ({len(values)});"
            f" got {member.dtype} {member.shape}"
        )
    delta = checks.share("delta", delta)
    (_, guesses, _), significance = _checked(len(values), guesses, 0, significance)
    counts = (len(values), guesses, _correct(values, member, guesses, checks.seed("seed", seed)))
    mu = one_run_audit.mu_bound(*counts, significance)
    return OneRunAudit(
        *counts,
        delta=delta,
        significance=significance,
        epsilon=one_run_audit.epsilon_bound(*counts, delta, significance),
        mu=mu,
        gaussian_epsilon=gaussian_dp.epsilon_of(mu, delta) if delta else float("nan"),
    )


def _correct(values: Array, member: Flags, guesses: int, seed: int) -> int:
    """Count correct guesses: the fewest of several draws among equal scores.

    One draw would be valid, being independent of the coins; the others remove what the choice of a
    seed could gain.
    """
    if (values == values[0]).all():
        return guesses // 2
    lowest = guesses // 2
    highest = len(values) - (guesses - lowest)
    ordered = np.sort(values)
    cuts = [cut for cut in (lowest, highest) if 0 < cut < len(values)]
    tied = any(ordered[cut - 1] == ordered[cut] for cut in cuts)
    generator = seeds.generator(seed, seeds.Purpose.CHOICE)
    right = []
    for _ in range(DRAWS if tied else 1):
        order = np.lexsort((generator.permutation(len(values)), values))
        right.append((~member[order[:lowest]]).sum() + member[order[highest:]].sum())
    return int(min(right))


def _checked(
    canaries: int, guesses: int, correct: int, significance: float
) -> tuple[tuple[int, int, int], float]:
    """Check the three counts, each at most the previous one, and the significance."""
    canaries = checks.integer("canaries", canaries, at_least=1, at_most=MOST_TRIALS)
    guesses = checks.integer("guesses", guesses, at_least=1)
    correct = checks.integer("correct", correct, at_least=0)
    check_at_most("guesses", guesses, "canaries", canaries)
    check_at_most("correct", correct, "guesses", guesses)
    return (canaries, guesses, correct), checks.fraction("significance", significance)
