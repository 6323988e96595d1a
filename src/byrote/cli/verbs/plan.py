"""byrote plan: plans for a goal and a budget, and the command that runs the best of them."""

import re
import shlex
from typing import Any

from byrote.cli.exits import Exit
from byrote.cli.options.planning import PlanOptions
from byrote.cli.output import emit, output_format, standard_output_kept_clean
from byrote.cli.verbs.score import load_records
from byrote.errors import InvalidInput
from byrote.models import registry
from byrote.report.format import plain
from byrote.report.proposals import render
from byrote.runs.request import Settings
from byrote.scores.outlook.goal import Goal
from byrote.scores.outlook.proposal import Planner, Proposal

_UNITS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(rf"(\d+(?:\.\d+)?|\.\d+)\s*({'|'.join(_UNITS)})")
_DATA = ("key", "labels", "ids", "part", "image", "records", "only")
_NUMBERS = {"seed": 0, "workers": 1, "threads": 1}


def plan(options: PlanOptions) -> int:
    """Carry out a pilot and print plans; return the exit code."""
    goal, budget = Goal.parse(options.goal), parse_time(options.budget)
    model = registry.build(options.model, registry.parse_settings(options.settings or []))
    settings = Settings(options.seed, options.threads, options.workers, debug=options.debug)
    records = load_records(options)
    with standard_output_kept_clean():
        proposals = Planner(model, records, settings).propose(goal, budget)
    command = command_of(options, proposals.recommended)
    emit(
        output_format(options.as_json),
        text=lambda: render(proposals, command),
        data=lambda: plain({**proposals.to_dict(), "command": command}),
    )
    return Exit.DONE


def parse_time(text: str | None) -> float:
    """Parse a time such as 90s, 30min or 2h into seconds; infinite if absent.

    Examples
    --------
    >>> parse_time("1.5h"), parse_time("30min"), parse_time(None)
    (5400.0, 1800.0, inf)
    """
    if text is None:
        return float("inf")
    match = _TIME.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise InvalidInput(f"--budget must be a time such as 90s, 30min or 2h; got {text!r}")
    return float(match[1]) * _UNITS[match[2]]


def command_of(options: PlanOptions, proposal: Proposal) -> str:
    """Return the command that runs a proposed plan."""
    words = ["byrote", "score", options.data, "--model", options.model]
    for setting in options.settings or []:
        words += ["--set", setting]
    for name in _DATA:
        words += _option(name, getattr(options, name))
    spec = {**proposal.plan.spec()}
    kind = spec.pop("kind")
    if kind != "kfold":
        words += ["--plan", kind]
        spec["probes"] = spec.pop("records")
        del spec["chosen"]
    for name, value in spec.items():
        words += _option(name, value)
    for name, default in _NUMBERS.items():
        value = getattr(options, name)
        words += _option(name, None if value == default else value)
    return shlex.join([*words, "--out", f"runs/{proposal.name}"])


def _option(name: str, value: Any) -> list[str]:
    if value is None or value is False:
        return []
    return [f"--{name}"] if value is True else [f"--{name}", str(value)]
