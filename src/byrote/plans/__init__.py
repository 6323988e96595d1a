"""Plans: which fit trains on which records."""

from byrote.plans.design import IN, OUT, UNUSED, Design
from byrote.plans.grouped import Grouped
from byrote.plans.insertions import Insertions
from byrote.plans.kfold import KFold
from byrote.plans.leave_one_out import LeaveOneOut
from byrote.plans.membership import Membership
from byrote.plans.plan import Context, Plan, design_of
from byrote.plans.probes import Probes
from byrote.plans.registry import as_plan, check_spec
from byrote.plans.splitter import Splitter
from byrote.plans.subset import Subset

__all__ = [
    "IN",
    "OUT",
    "UNUSED",
    "Context",
    "Design",
    "Grouped",
    "Insertions",
    "KFold",
    "LeaveOneOut",
    "Membership",
    "Plan",
    "Probes",
    "Splitter",
    "Subset",
    "as_plan",
    "check_spec",
    "design_of",
]
