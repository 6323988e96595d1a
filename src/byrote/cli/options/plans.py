"""Options that describe a plan: of the verbs that train models, and of the one that plans."""

from typing import Annotated, Literal

import typer

from byrote.cli.options.shared import number, one_of, value

PlanName = Literal["kfold", "leave-one-out", "subset", "probes"]

PlanChoice = Annotated[
    PlanName, one_of("--plan", PlanName, "Choose which fits train on which records.")
]
Folds = Annotated[int | None, number("Split the records into N parts (kfold; default: 10).")]
Repeats = Annotated[
    int | None,
    number(
        "Use N partitions (kfold; default: 10), or train N times on all records (leave-one-out;"
        " default: 1)."
    ),
]
Fits = Annotated[int | None, number("Train N models (subset, probes; required).")]
Fraction = Annotated[
    float | None, value("SHARE", "Train on this share of the records (subset; required).")
]
ProbeCount = Annotated[int | None, number("Use N random records as probes (probes; required).")]
Pairs = Annotated[
    bool,
    typer.Option("--pairs", help="Train complementary pairs of fits with the same seeds (probes)."),
]
Coins = Annotated[
    bool,
    typer.Option(
        "--coins",
        help="Include each probe by an independent coin flip (probes; recommended for byrote"
        " epsilon).",
    ),
]
Bystanders = Annotated[
    int | None,
    number(
        "Score N records that are in every fit, as the control of the test (probes; default: 4 for"
        " each probe, at least 1000)."
    ),
]
Stratify = Annotated[
    bool, typer.Option("--stratify", help="Spread labels evenly over the parts (kfold).")
]
GroupDuplicates = Annotated[
    bool,
    typer.Option(
        "--group-duplicates",
        help="Hold out texts together with their copies and near copies, which would hide what was"
        " memorized; scores are then about the whole cluster.",
    ),
]
