"""byrote epsilon: what privacy loss is proven?"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from byrote.cli.output import AsJson, Debug, complete_or_not, print_json, print_text


def epsilon(
    run: Annotated[Path, typer.Argument(help="A run folder, with canaries or without.")],
    significance: Annotated[
        float, typer.Option(help="Probability with which a bound may be too large.")
    ] = 0.05,
    delta: Annotated[
        float | None, typer.Option(help="Of the claim; the promised one, or 0, if not given.")
    ] = None,
    guesses: Annotated[
        int | None,
        typer.Option(help="Guesses about coins, settled beforehand; a tenth of them, 100 or more."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="Id of the record whose fits are counted as trials; drawn by the seed."),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Lower bounds on epsilon and membership inference, from a run's log-likelihoods."""
    from byrote.report import privacy as text  # noqa: PLC0415 (slow to load)
    from byrote.scores.run import open_run  # noqa: PLC0415

    bound = partial(
        open_run(run).epsilon,
        significance=significance,
        delta=delta,
        guesses=guesses,
        record=record,
    )
    found, code = complete_or_not(bound)
    if as_json:
        print_json(text.to_json(found))
    else:
        print_text(text.render(found))
    return code
