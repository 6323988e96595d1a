"""byrote show: the summary and the top records of a finished run."""

from pathlib import Path
from typing import Annotated

import typer

from byrote.cli.exits import Exit, complain
from byrote.cli.output import AsCsv, AsJson, Top, check_format, print_result
from byrote.errors import IncompleteRun


def show(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    top: Top = 10,
) -> int:
    """Show the scores of a run, computed from its log-likelihoods without training."""
    check_format(as_json, as_csv)
    from byrote.scores.memorization import load_scores  # noqa: PLC0415 (slow to load)

    code = Exit.DONE
    try:
        result = load_scores(run)
    except IncompleteRun as error:
        complain(str(error))
        code = Exit.INCOMPLETE
        result = load_scores(run, partial=True)
    print_result(result, as_json=as_json, as_csv=as_csv, top=top)
    return code
