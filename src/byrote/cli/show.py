"""byrote show: the summary and the top records of a finished run."""

from pathlib import Path
from typing import Annotated

import typer

from byrote.cli.exposures import print_exposures
from byrote.cli.output import AsCsv, AsJson, Debug, check_format, print_scores
from byrote.errors import InvalidInput


def show(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    epoch: Annotated[
        int | None,
        typer.Option(help="A tracked epoch of training; the last if not given."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="Of an exposure run: auto, rank (found in the model), sampled or skew_normal."
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    top: Annotated[
        int | None,
        typer.Option(help="How many records (10) or canaries (40) to show.", min=0),
    ] = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Show the scores or exposures of a run, computed from its log-likelihoods without training."""
    check_format(as_json, as_csv)
    from byrote.scores.run import open_run  # noqa: PLC0415 (slow to load)

    opened = open_run(run)
    if opened.has_canaries:
        return print_exposures(
            opened,
            as_json=as_json,
            as_csv=as_csv,
            top=40 if top is None else top,
            epoch=epoch,
            method=method or "auto",
        )
    if method is not None:
        raise InvalidInput("--method belongs to an exposure run; this one has scores")
    return print_scores(
        opened, as_json=as_json, as_csv=as_csv, top=10 if top is None else top, epoch=epoch
    )
