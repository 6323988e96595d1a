"""Options of the verb that repeats experiments."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from byrote.cli.options.shared import (
    AsJson,
    Debug,
    DryRun,
    Executor,
    Key,
    Labels,
    Seed,
    SubsetSize,
    Threads,
    ValidationPart,
    Workers,
    number,
    parser_of,
)

StudyName = Literal[
    "mnist-1e-3", "mnist-1e-4", "cifar10", "celeba", "exposure-over-training",
    "exposure-by-insertions", "exposure-pareto", "skew-normal-fit", "dp-exposure", "mitigations",
    "onion",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """Repeat an experiment of the paper or the post, or see what stops memorization."""

    name: Annotated[
        str,
        typer.Argument(
            parser=parser_of("study", StudyName),
            metavar="NAME",
            help="Of scores: mnist-1e-3, mnist-1e-4, cifar10, celeba; of exposure:"
            " exposure-over-training, exposure-by-insertions, exposure-pareto, skew-normal-fit,"
            " dp-exposure; of mitigations: mitigations, onion.",
        ),
    ]
    data: Annotated[
        str | None,
        typer.Option(
            help="Use this data set, as byrote score takes it, or this text (default: that of the"
            " study; required for studies of scores)."
        ),
    ] = None
    scale: Annotated[
        str,
        typer.Option(
            help="Run small (minutes on two cores), or at full size: paper for studies of scores,"
            " full for the others."
        ),
    ] = "small"
    records: SubsetSize = None
    repeats: Annotated[int | None, number("Use N repeats instead of the scale's.")] = None
    epochs: Annotated[int | None, number("Train for N epochs instead of the scale's.")] = None
    fits: Annotated[
        int | None,
        number("Exposure, mitigations: train N models per run instead of the declared number."),
    ] = None
    characters: Annotated[
        int | None, number("Exposure: use the first N characters of the text.")
    ] = None
    out: Annotated[
        Path | None, typer.Option(help="Write to this run folder (default: runs/NAME-SCALE).")
    ] = None
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Use this file or folder of records in nearest-neighbour tests."
        ),
    ] = None
    validation_part: ValidationPart = None
    key: Key = None
    labels: Labels = None
    seed: Seed = 0
    workers: Workers = 1
    threads: Threads = 1
    executor: Executor = "auto"
    dry_run: DryRun = False
    as_json: AsJson = False
    debug: Debug = False
