"""byrote show: the summary and the top records of a finished run."""

from pathlib import Path
from typing import Annotated

import typer

from byrote.cli.output import AsCsv, AsJson, Debug, Top, check_format, print_scores


def show(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    epoch: Annotated[
        int | None,
        typer.Option(help="A tracked epoch of training; the last if not given."),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    top: Top = 10,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Show the scores of a run, computed from its log-likelihoods without training."""
    check_format(as_json, as_csv)
    return print_scores(run, as_json=as_json, as_csv=as_csv, top=top, epoch=epoch)
