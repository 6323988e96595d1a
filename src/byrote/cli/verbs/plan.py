"""byrote plan: plans for a goal and a budget, with the command that runs the best; or a chosen one.

A chosen plan is written to a folder, for fits that are made elsewhere.
"""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from byrote.cli.exits import Exit
from byrote.cli.options.planning import PlanOptions
from byrote.cli.options.records import load_options
from byrote.cli.output import emit, output_format, print_text, standard_output_kept_clean
from byrote.cli.verbs.score import build_model, build_plan, load_grouped
from byrote.errors import InvalidInput
from byrote.models import contract
from byrote.plans import Grouped
from byrote.report import elsewhere
from byrote.report.format import plain
from byrote.report.proposals import render
from byrote.runs.collect import plan_elsewhere
from byrote.runs.request import Settings
from byrote.scores.outlook.goal import Goal
from byrote.scores.outlook.proposal import Planner, Proposal
from byrote.scores.run import Run

_UNITS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(rf"(\d+(?:\.\d+)?|\.\d+)\s*({'|'.join(_UNITS)})")
_NUMBERS = {"seed": 0, "workers": 1, "threads": 1}


def plan(options: PlanOptions) -> int:
    """Propose plans, or write a chosen one to a folder; return the exit code."""
    choices = options.parameters()
    if options.out is not None:
        return _write(options, options.out, choices)
    if name := _first_set({"plan": options.plan, **choices, "script": options.script}):
        raise InvalidInput(
            f"--{name} is of a chosen plan, which needs --out FOLDER for its fits; without both,"
            " byrote plan proposes plans"
        )
    return _propose(options)


def _first_set(values: Mapping[str, Any]) -> str | None:
    """Return the name of the first option that is set."""
    return next((name for name, value in values.items() if value not in (None, False)), None)


def _write(options: PlanOptions, out: Path, choices: Mapping[str, Any]) -> int:
    """Write the folder of a run whose fits are made elsewhere, and print what to do next."""
    if options.plan is None:
        raise InvalidInput("--out needs the plan to write there, --plan; got none")
    proposing = {"model": options.model, "set": options.settings, "for": options.goal}
    if name := _first_set({**proposing, "budget": options.budget}):
        raise InvalidInput(
            f"--{name} is for proposals, without --out; fits of {out} are made elsewhere (byrote"
            " score trains a model)"
        )
    chosen = build_plan(options.plan, choices)
    records, group = load_grouped(options, options.groups)
    chosen = chosen if group is None else Grouped(chosen, group)
    run = Run(plan_elsewhere(records, chosen, options.seed, out))
    if options.script is not None:
        print_text(elsewhere.slurm(run))
        return Exit.DONE
    emit(
        output_format(options.as_json),
        text=lambda: elsewhere.next_steps(run),
        data=lambda: {"run": str(run.path), "fits": run.design.fits, "missing": [*run.missing]},
    )
    return Exit.DONE


def _propose(options: PlanOptions) -> int:
    """Carry out a pilot and print plans."""
    goal, budget = Goal.parse(options.goal or "discover=1"), parse_time(options.budget)
    model = build_model(options)
    records, group = load_grouped(options, options.groups, model)
    model, records = contract.prepared(model, records)
    settings = Settings(options.seed, options.threads, options.workers, debug=options.debug)
    with standard_output_kept_clean():
        planner = Planner(model, records, settings, options.started, group)
        proposals = planner.propose(goal, budget)
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
    words = ["byrote", "score", options.data, "--model", options.model or "vae"]
    for setting in options.settings or []:
        words += ["--set", setting]
    words += _option("from-samples", options.from_samples)
    for name, value in load_options(options).items():
        words += _option(name, value)
    words += _option("groups", options.groups)
    plan = proposal.plan
    spec = {**(plan.plan if isinstance(plan, Grouped) else plan).spec()}
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
        return ["--no-standardize"] if (name, value) == ("standardize", False) else []
    return [f"--{name}"] if value is True else [f"--{name}", str(value)]
