"""max_epsilon_proven: the privacy loss that is proven."""

import numpy as np

from byrote.errors import InvalidInput
from byrote.scores.gate.threshold import GatedRun, Measured, ThresholdKind
from byrote.scores.privacy.evidence import Bound
from byrote.scores.privacy.one_run import one_run_epsilon
from byrote.scores.privacy.rates import epsilon_from_rates

UNIT = "epsilon"


def measure(gated: GatedRun, asked: float) -> Measured:
    """Measure the headline of ``Run.epsilon``: one bound by a method fixed in advance.

    It is a lower bound of the true epsilon, which no audit bounds from above. So the threshold
    applies to the bound, and passes only if the audit could have proven more than the threshold.
    """
    try:
        bound = gated.run.epsilon(significance=2 * gated.error, partial=True).headline
    except InvalidInput as error:
        return Measured.missing(UNIT, str(error))
    if np.isnan(bound.epsilon):
        return Measured.missing(UNIT, bound.reason, **_detail(bound))
    most = largest_provable(bound)
    return Measured(
        found=bound.epsilon,
        low=bound.epsilon,
        high=np.inf,
        unit=UNIT,
        covers=f"proven by {bound.method} at delta {bound.delta:g}; the true epsilon may be larger",
        doubts=_doubts(most, asked),
        one_sided=True,
        detail={**_detail(bound), "provable": most},
    )


def largest_provable(bound: Bound) -> float:
    """Compute the largest bound that the same trials could give, all guesses right; NaN if unknown.

    Examples
    --------
    >>> detail = {"coins": 100, "guesses": 20, "correct": 10}
    >>> round(largest_provable(Bound("one-run", 0.0, 0.0, 0.05, detail=detail)), 3)
    1.823
    """
    counts = bound.detail
    if bound.method == "one-run":
        return one_run_epsilon(
            canaries=counts["coins"],
            guesses=counts["guesses"],
            correct=counts["guesses"],
            delta=bound.delta,
            significance=bound.significance,
        )
    if bound.method == "rates":
        return epsilon_from_rates(
            true_positives=counts["members"],
            members=counts["members"],
            false_positives=0,
            non_members=counts["non_members"],
            delta=bound.delta,
            significance=bound.significance,
        ).epsilon
    return float(counts.get("provable", np.nan))


def _doubts(most: float, asked: float) -> tuple[str, ...]:
    if np.isnan(most):
        return ("it is not known how much this audit could prove",)
    if most <= asked:
        return (
            f"this audit could prove no more than {most:.3g} if it were right each time:"
            " more probes, guesses or fits",
        )
    return ()


def _detail(bound: Bound) -> dict[str, object]:
    return {"method": bound.method, "delta": bound.delta, **bound.detail}


MAX_EPSILON_PROVEN = ThresholdKind(
    "max_epsilon_proven", 0.0, np.inf, "a number of at least 0", measure
)
