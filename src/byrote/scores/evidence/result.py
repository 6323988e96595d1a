"""Privacy evidence of a run: every bound, every attack, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from byrote.columnar import PlainData
from byrote.scores.evidence.promise import allowed
from byrote.scores.membership import MembershipInference

ADD_REMOVE, REPLACEMENT = "add/remove", "replacement"
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
        Above the true value with probability at most ``significance``; 0 proves nothing. NaN where
        the method does not apply.
    delta, significance
        Of the claim.
    reason
        Why ``epsilon`` is NaN; empty if it is not.
    detail
        What it rests on: counts, settings, and the ``relation`` of neighbouring data sets,
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


@dataclass(frozen=True)
class Side(PlainData):
    """One measure of one group of records: a cell of the side-by-side table.

    Attributes
    ----------
    group
        Which probes or canaries.
    measure
        "memorization" (nats), "exposure" (bits), "membership" (area under the curve) or "epsilon".
    value, low, high
        The number with its interval at ``level``; of epsilon, a lower limit without an upper one.
    null
        What it would be without memorization.
    reason
        Why ``value`` is NaN, or what to beware of.
    detail
        What it rests on.
    """

    group: str
    measure: str
    value: float
    low: float
    high: float
    level: float
    null: float
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PrivacyEvidence:
    """What the table of a run proves, and what an attacker would tell from it.

    Attributes
    ----------
    kind
        "scores" or, of a run with canaries, "exposure".
    method
        Of the bound that counts, fixed by the plan and the promise before any score is looked at.
    bounds
        One by every method, those that do not apply with the reason.
    membership
        The attacks.
    promised
        What the model says it promises: the largest ``epsilon`` of any fit with its ``delta`` and
        all else; None where it promises nothing.
    sides
        Memorization, exposure, membership and epsilon of the same records.
    missing
        Fits that are not there.
    description
        What the run was: model, plan, data, seed.

    Examples
    --------
    See ``byrote.Run.epsilon``.
    """

    kind: str
    method: str
    bounds: tuple[Bound, ...]
    membership: tuple[MembershipInference, ...]
    promised: Mapping[str, Any] | None
    sides: tuple[Side, ...]
    missing: tuple[int, ...]
    description: Mapping[str, Any]

    @property
    def headline(self) -> Bound:
        """The one bound that counts; the others would need a correction for the choice."""
        return next(bound for bound in self.bounds if bound.method == self.method)

    @property
    def proven(self) -> float:
        """The epsilon of the headline: NaN where its method does not apply."""
        return self.headline.epsilon

    @property
    def allowed(self) -> float:
        """The epsilon promised for the headline's delta and neighbours; NaN where none is."""
        bound = self.headline
        return allowed(self.promised, bound.delta, bound.detail.get("relation", ADD_REMOVE))

    @property
    def contradicted(self) -> bool:
        """Whether the proven epsilon is above the promised one."""
        return self.proven > self.allowed

    def to_dict(self) -> dict[str, Any]:
        """The evidence as plain data, without the scores of single records."""
        return {
            "kind": self.kind,
            "headline": self.headline.to_dict(),
            "promised": None if self.promised is None else dict(self.promised),
            "allowed": self.allowed,
            "contradicted": self.contradicted,
            "bounds": [bound.to_dict() for bound in self.bounds],
            "membership": [attack.to_dict() for attack in self.membership],
            "sides": [side.to_dict() for side in self.sides],
            "missing": list(self.missing),
        }
