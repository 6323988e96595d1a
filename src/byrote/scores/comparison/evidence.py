"""What privacy evidence each run gives, as far as its plan allows any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from byrote.errors import InvalidInput
from byrote.scores.run import Run
from byrote.stats.estimate import Estimate


@dataclass(frozen=True)
class Evidence:
    """What a comparison quotes of ``Run.epsilon``: of all that a run audits, matched or not.

    Attributes
    ----------
    auc
        Area under the curve of each attack ("lira", "loss"); NaN with the reason where it failed.
    epsilon
        The lower bound by the method fixed beforehand; NaN with the reason.
    method, delta, significance
        How, at which delta, and how often such a bound may be too high.
    promised
        What the training promised: epsilon, delta and more; None where it promised nothing.
    contradicted
        Whether more is proven than was promised.
    """

    auc: Mapping[str, Estimate] = field(default_factory=dict)
    epsilon: Estimate = field(default_factory=lambda: Estimate(float("nan")))
    method: str = ""
    delta: float = float("nan")
    significance: float = float("nan")
    promised: Mapping[str, Any] | None = None
    contradicted: bool = False


def evidence_of(run: Run, *, partial: bool) -> Evidence:
    """The evidence of one run; a plan that can give none is no error here, but a reason."""
    try:
        found = run.epsilon(partial=partial)
    except InvalidInput as error:
        return Evidence(epsilon=Estimate(float("nan"), reason=str(error)))
    bound = found.headline
    return Evidence(
        auc={one.attack: Estimate(one.auc, *one.interval) for one in found.membership},
        epsilon=Estimate(bound.epsilon, reason=bound.reason, bound="at least"),
        method=bound.method,
        delta=bound.delta,
        significance=bound.significance,
        promised=found.promised,
        contradicted=found.contradicted,
    )
