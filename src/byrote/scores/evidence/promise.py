"""The guarantees that the fits of a run report, in their facts "privacy", and what they allow."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from byrote.errors import InvalidInput
from byrote.fits.run_folder import RunFolder
from byrote.models.privacy.guarantee import ADD_REMOVE, REPLACEMENT, DPGuarantee
from byrote.stats.exposure import group_privacy

UNREADABLE = "its fits' facts named privacy hold no epsilon of at least 0 with a delta below 1"


def promised_by(run: RunFolder, fits: Sequence[int]) -> dict[str, Any] | None:
    """Read the guarantee of the fit with the largest epsilon; None where no fit reports one.

    ``delta`` is the largest of any fit: what each of them keeps. ``epsilon`` is infinite where it
    is null, and where some fits report none; ``fits`` is how many report a guarantee,
    ``smallest_epsilon`` the least of them, if they differ.
    """
    facts = [run.facts(fit).get("privacy") for fit in fits]
    guarantees = [_read(each) for each in facts if each is not None]
    if not guarantees:
        return None
    guarantees.sort(key=lambda guarantee: guarantee.epsilon)
    least, most = guarantees[0], guarantees[-1]
    delta = max(guarantee.delta for guarantee in guarantees)
    result = {**most.to_facts(), "epsilon": most.epsilon, "delta": delta, "fits": len(guarantees)}
    if least.epsilon < most.epsilon:
        result["smallest_epsilon"] = least.epsilon
    if len(guarantees) < len(fits):
        result.update(epsilon=np.inf, label=f"{len(fits) - len(guarantees)} fits promise nothing")
    return result


def allowed(promised: Mapping[str, Any] | None, delta: float, relation: str) -> float:
    """Compute the guaranteed epsilon at this delta for such neighbours; NaN without a guarantee.

    What holds for adding or removing a record holds twice over for replacing one, as for a group of
    two. A guarantee at a delta holds at every larger one, and says nothing at a smaller.
    """
    if promised is None:
        return float("nan")
    guarantee = DPGuarantee.from_facts(promised)
    epsilon, own = guarantee.epsilon, guarantee.delta
    if guarantee.relation == REPLACEMENT and relation == ADD_REMOVE:
        known = guarantee.epsilon_add_remove
        epsilon = np.nan if known is None else known
    elif guarantee.relation != relation:
        epsilon, own = group_privacy(epsilon, own, 2)
    return float(epsilon) if own <= delta else float("nan")


def _read(facts: Any) -> DPGuarantee:
    try:
        return DPGuarantee.from_facts(facts)
    except InvalidInput:
        return DPGuarantee(epsilon=np.inf, delta=0.0, label=UNREADABLE)
