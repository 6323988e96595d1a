"""Plans by name, and plans from a user's argument."""

import json
from typing import Any

from byrote.errors import InvalidInput
from byrote.plans.insertions import Insertions
from byrote.plans.kfold import KFold
from byrote.plans.leave_one_out import LeaveOneOut
from byrote.plans.plan import Plan
from byrote.plans.probes import Probes
from byrote.plans.splitter import Splitter
from byrote.plans.subset import Subset

# Plans that can be rebuilt from their description; matrices and splitters cannot.
PLANS = {plan.kind: plan for plan in (Insertions, KFold, LeaveOneOut, Subset, Probes)}


def as_plan(plan: Any) -> Plan:
    """Return plans as they are and wrap scikit-learn splitters; raise InvalidInput otherwise."""
    if isinstance(plan, Plan):
        return plan
    if hasattr(plan, "split") and hasattr(plan, "get_n_splits"):
        return Splitter(plan)
    names = [kind.__name__ for kind in PLANS.values() if kind is not Insertions]  # not of records
    raise InvalidInput(
        f"plan must be {', '.join(names)}, Membership or a scikit-learn splitter;"
        f" got {type(plan).__name__}"
    )


def check_spec(spec: dict[str, Any]) -> None:
    """Check that a plan's description is what the plan of its kind would write.

    Raises
    ------
    InvalidInput
        If values are missing, unknown or invalid. Plans of unknown kinds are not checked.

    Examples
    --------
    >>> from byrote.plans import KFold, check_spec
    >>> check_spec(KFold(5, repeats=2).spec())
    >>> check_spec({"kind": "kfold", "folds": 5, "repeats": "2", "stratify": False})
    Traceback (most recent call last):
    byrote.errors.InvalidInput: repeats must be an integer of at least 1; got '2'
    """
    values = dict(spec)
    name = values.pop("kind", None)
    if not isinstance(name, str):
        raise InvalidInput(f"kind must be the name of a kind of plan; got {name!r}")
    plan = PLANS.get(name)
    if plan is None:
        return
    chosen = {"chosen": bool(values.pop("chosen", None))} if plan is Probes else {}
    try:
        written = json.dumps({**plan(**values).spec(), **chosen}, sort_keys=True)
    except TypeError as error:
        raise InvalidInput(f"plan {name} has an invalid description: {error}") from None
    if written != json.dumps(spec, sort_keys=True):
        raise InvalidInput(f"plan {name} has an invalid description; it would write {written}")
