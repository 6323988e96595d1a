"""Plans by name, with the options that each takes."""

import inspect
from collections.abc import Mapping
from typing import Any

from byrote import checks
from byrote.errors import InvalidInput
from byrote.plans import KFold, LeaveOneOut, Plan, Probes, Subset

_PLANS = {"kfold": KFold, "leave-one-out": LeaveOneOut, "subset": Subset, "probes": Probes}
NAMES = tuple(_PLANS)
_OPTION = {"records": "probes"}  # a parameter whose option has another name


def build(name: str, options: Mapping[str, Any]) -> Plan:
    """A plan from its name and the options given (None where not given).

    Raises
    ------
    InvalidInput
        If the name is unknown, or an option is missing or belongs to another plan.
    """
    plan = _PLANS[checks.choice("--plan", name, _PLANS)]
    parameters = inspect.signature(plan).parameters
    options_of = {_OPTION.get(parameter, parameter): parameter for parameter in parameters}
    given = {
        option: value
        for option, value in options.items()
        if value is not None and value is not False
    }
    for option in given:
        if option not in options_of:
            takes = ", ".join(f"--{taken}" for taken in options_of)
            raise InvalidInput(f"--{option} is no option of --plan {name}; it takes {takes}")
    for option, parameter in options_of.items():
        if parameters[parameter].default is inspect.Parameter.empty and option not in given:
            raise InvalidInput(f"--plan {name} needs --{option}")
    return plan(**{options_of[option]: value for option, value in given.items()})
