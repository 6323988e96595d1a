"""Options that describe a plan: of the verbs that train models, and of the one that plans."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import typer

from byrote.cli.options.shared import number, one_of, value

PlanName = Literal["kfold", "leave-one-out", "subset", "probes"]

_PLAN = one_of("--plan", PlanName, "Choose which fits train on which records.")
PlanChoice = Annotated[PlanName, _PLAN]
Groups = Annotated[
    str | None,
    value(
        "NAME",
        "Hold out the records of a group together; read the groups, such as persons, from this"
        " column, array or file; labels: their own labels. Scores are then about the group.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class PlanParameters:
    """Options of a chosen plan."""

    plan: Annotated[PlanName | None, _PLAN] = None
    folds: Annotated[int | None, number("Split records into N parts (kfold; default: 10).")] = None
    repeats: Annotated[
        int | None,
        number(
            "Use N partitions (kfold; default: 10), or train N times on all records (leave-one-out;"
            " default: 1)."
        ),
    ] = None
    fits: Annotated[int | None, number("Train N models (subset, probes; required).")] = None
    fraction: Annotated[
        float | None, value("SHARE", "Train on this share of the records (subset; required).")
    ] = None
    probes: Annotated[int | None, number("Probe N random records (probes; required).")] = None
    pairs: Annotated[
        bool,
        typer.Option(
            "--pairs", help="Train complementary pairs of fits with the same seeds (probes)."
        ),
    ] = False
    coins: Annotated[
        bool,
        typer.Option(
            "--coins",
            help="Include each probe by an independent coin flip (probes; recommended for byrote"
            " epsilon).",
        ),
    ] = False
    bystanders: Annotated[
        int | None,
        number(
            "Score N records that are in every fit, as the control of the test (probes; default: 4"
            " for each probe, at least 1000)."
        ),
    ] = None
    stratify: Annotated[
        bool, typer.Option("--stratify", help="Spread labels evenly over the parts (kfold).")
    ] = False

    def parameters(self) -> dict[str, Any]:
        """Return the options but for the plan's name."""
        names = [field.name for field in fields(PlanParameters)]
        return {name: getattr(self, name) for name in names if name != "plan"}
