"""Options of the verb that plans, and of those that serve fits made elsewhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from byrote.cli.options.plans import Groups, PlanParameters
from byrote.cli.options.records import RecordOptions
from byrote.cli.options.shared import (
    DENSITY_MODEL,
    AsJson,
    Debug,
    FromSamplesCount,
    Seed,
    Settings,
    Threads,
    Timed,
    Workers,
    argument,
    number,
    one_of,
    value,
)

ScriptName = Literal["slurm"]
Printed = Literal["rows", "ids", "score-rows", "score-ids", "seed", "run"]


@dataclass(frozen=True, kw_only=True)
class PlanOptions(PlanParameters, RecordOptions, Timed):
    """Propose plans for a goal and a budget: what each costs, and what it can find.

    With --plan and --out, write that plan to a folder for fits that you make yourself.
    """

    model: Annotated[str | None, DENSITY_MODEL] = None
    settings: Settings = None
    from_samples: FromSamplesCount = None
    groups: Groups = None
    budget: Annotated[
        str | None, value("TIME", "Stay within this time, such as 90s, 30min or 2h.")
    ] = None
    goal: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="GOAL",
            help="Reach this goal: discover=N (find N records with an effect of 6 standard"
            " deviations of retraining), se=X (standard error, nats), effect=X (find a single"
            " record with this effect, nats) or epsilon=X (be able to prove this bound;"
            " default: discover=1).",
        ),
    ] = None
    out: Annotated[
        Path | None,
        value(
            "FOLDER",
            "Write --plan to this folder, for fits made elsewhere; the same command again extends"
            " it.",
        ),
    ] = None
    script: Annotated[
        ScriptName | None,
        one_of("--script", ScriptName, "Print a job array for the missing fits (--out)."),
    ] = None
    seed: Seed = 0
    workers: Workers = 1
    threads: Threads = 1
    as_json: AsJson = False
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class RowsOptions:
    """Print what a fit made elsewhere trains on: row numbers, counted from 0, one on a line."""

    run: Annotated[Path, argument("RUN", "Read this run folder of byrote plan --out.")]
    fit: Annotated[
        int | None,
        number(
            "Print the rows of fit N (default: SLURM_ARRAY_TASK_ID, PBS_ARRAY_INDEX or"
            " SGE_TASK_ID)."
        ),
    ] = None
    print_: Annotated[
        Printed,
        one_of(
            "--print",
            Printed,
            "Print the rows or ids to train on, those to score, the fit's seed, or the id of the"
            " run.",
        ),
    ] = "rows"
    debug: Debug = False


@dataclass(frozen=True, kw_only=True)
class CollectOptions:
    """Take the log-likelihoods of fits made elsewhere into their run, file by file as they come."""

    run: Annotated[Path, argument("RUN", "Write to this run folder of byrote plan --out.")]
    files: Annotated[
        list[Path],
        argument(
            "FILES",
            "Read these .csv, .parquet, .jsonl or .npy files, or folders of them: columns id (or"
            " row) and log_prob, in nats; fit-7.csv is of fit 7.",
        ),
    ]
    fit: Annotated[
        int | None, number("The file is of fit N (default: as its column fit or its name says).")
    ] = None
    loss: Annotated[
        bool, typer.Option("--loss", help="Take numbers as losses: minus log-likelihoods.")
    ] = False
    bits: Annotated[bool, typer.Option("--bits", help="Take numbers as bits.")] = False
    mean_of: Annotated[
        str | None,
        value(
            "NAME",
            "Take numbers as means, to be multiplied by this column, such as tokens, or by the"
            " number of values of a record (values).",
        ),
    ] = None
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace fits that are there with other numbers.")
    ] = False
    as_json: AsJson = False
    debug: Debug = False
