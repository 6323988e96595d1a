"""Privacy evidence of a run: every bound and every attack, with all measures side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byrote.columnar import PlainData
from byrote.display import Displayed
from byrote.models.privacy.dp import ADD_REMOVE
from byrote.scores.privacy.guarantee import allowed
from byrote.scores.privacy.membership import MembershipInference
from byrote.stats.estimate import Estimate

ONE_RUN, GAUSSIAN, RATES, DENSITY, EXPOSURE = (
    "one-run",
    "one-run-gaussian",
    "rates",
    "density",
    "exposure",
)


@dataclass(frozen=True)
class Bound(PlainData):
    """A lower bound on epsilon by one method.

    Attributes
    ----------
    method
        "one-run", "one-run-gaussian", "rates", "density" or, of canaries, "exposure".
    epsilon
        Exceeds the true value with probability at most ``significance``; 0 proves nothing. NaN
        where the method does not apply.
    delta, significance
        Delta and significance of the claim.
    reason
        Why ``epsilon`` is NaN; empty otherwise.
    detail
        Counts, settings, and the ``relation`` of neighbouring data sets,
        "add/remove" (of a record) or "replacement".

    Examples
    --------
    >>> Bound("one-run", 1.5, 0.0, 0.05).to_dict()["epsilon"]
    1.5
    """

    method: str
    epsilon: float
    delta: float
    significance: float
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def estimate(self) -> Estimate:
        """``epsilon`` with its one-sided interval, at level 1 - ``significance``."""
        high = np.nan if np.isnan(self.epsilon) else np.inf
        level = 1 - self.significance
        return Estimate(self.epsilon, self.epsilon, high, level, "at least", self.reason)


@dataclass(frozen=True)
class GroupMeasure(PlainData):
    """One measure of one group of records: a cell of the side-by-side table.

    Attributes
    ----------
    group
        Description of the probes or canaries.
    measure
        "memorization" (nats), "exposure" (bits), "membership" (area under the curve) or "epsilon".
    estimate
        The estimate with its interval; epsilon has a lower limit alone.
    null
        Its expectation without memorization.
    detail
        The numbers behind it.
    """

    group: str
    measure: str
    estimate: Estimate
    null: float
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PrivacyEvidence(Displayed):
    """Lower bounds on epsilon and membership inference from the log-likelihoods of a run.

    Attributes
    ----------
    kind
        "scores" or, of a run with canaries, "exposure".
    method
        Method of the headline bound, fixed in advance by the plan and the guarantee.
    bounds
        One per method; those that do not apply state the reason.
    membership
        One per attack.
    guarantee
        The guarantee that the model records: the largest ``epsilon`` of any fit with its ``delta``
        and more; None without a guarantee.
    measures
        Memorization, exposure, membership and epsilon of the same records.
    missing
        Fits that are missing.
    description
        Model, plan, data and seed of the run.

    Examples
    --------
    See ``byrote.Run.epsilon``.
    """

    kind: str
    method: str
    bounds: tuple[Bound, ...]
    membership: tuple[MembershipInference, ...]
    guarantee: Mapping[str, Any] | None
    measures: tuple[GroupMeasure, ...]
    missing: tuple[int, ...]
    description: Mapping[str, Any]

    def __repr__(self) -> str:
        unknown = np.isnan(self.proven)
        epsilon = "not bounded" if unknown else f"at least {self.proven:.3g} by {self.method}"
        return f"PrivacyEvidence(epsilon {epsilon})"

    @property
    def headline(self) -> Bound:
        """The bound fixed in advance; picking another would need a correction."""
        return next(bound for bound in self.bounds if bound.method == self.method)

    @property
    def proven(self) -> float:
        """The epsilon of the headline; NaN where its method does not apply."""
        return self.headline.epsilon

    @property
    def allowed(self) -> float:
        """The epsilon guaranteed for the headline's delta and neighbours; NaN if unknown."""
        bound = self.headline
        return allowed(self.guarantee, bound.delta, bound.detail.get("relation", ADD_REMOVE))

    @property
    def contradicted(self) -> bool:
        """Whether the proven epsilon exceeds the guaranteed one."""
        return self.proven > self.allowed

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, omitting scores of single records."""
        return {
            "kind": self.kind,
            "headline": self.headline.to_dict(),
            "guarantee": None if self.guarantee is None else dict(self.guarantee),
            "allowed": self.allowed,
            "contradicted": self.contradicted,
            "bounds": [bound.to_dict() for bound in self.bounds],
            "membership": [attack.to_dict() for attack in self.membership],
            "measures": [measure.to_dict() for measure in self.measures],
            "missing": list(self.missing),
        }
