"""Membership designs: which fit trains on which records."""

from typing import Any

from byrote.errors import InvalidInput
from byrote.plans.design import IN, OUT, UNUSED, Design
from byrote.plans.insertions import Insertions
from byrote.plans.kfold import KFold
from byrote.plans.leave_one_out import LeaveOneOut
from byrote.plans.membership import Membership
from byrote.plans.plan import Context, Plan, design_of
from byrote.plans.probes import Probes
from byrote.plans.splitter import Splitter
from byrote.plans.subset import Subset

__all__ = [
    "IN",
    "OUT",
    "UNUSED",
    "Context",
    "Design",
    "Insertions",
    "KFold",
    "LeaveOneOut",
    "Membership",
    "Plan",
    "Probes",
    "Splitter",
    "Subset",
    "as_plan",
    "design_of",
]


def as_plan(plan: Any) -> Plan:
    """A plan as it is; a scikit-learn splitter wrapped; anything else refused."""
    if isinstance(plan, Plan):
        return plan
    if hasattr(plan, "split") and hasattr(plan, "get_n_splits"):
        return Splitter(plan)
    raise InvalidInput(
        "plan must be KFold, LeaveOneOut, Subset, Probes, Membership or a scikit-learn splitter;"
        f" got {type(plan).__name__}"
    )
