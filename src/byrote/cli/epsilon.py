"""byrote epsilon: what privacy loss is proven?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byrote.cli.exits import Exit, complain
from byrote.cli.output import AsJson, Debug, print_json, print_text
from byrote.errors import IncompleteRun

if TYPE_CHECKING:
    from byrote.scores.evidence import PrivacyEvidence


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
    found, code = evidence_of(
        run, significance=significance, delta=delta, guesses=guesses, record=record
    )
    from byrote.report import evidence as text  # noqa: PLC0415 (slow to load)

    if as_json:
        print_json(text.to_json(found))
    else:
        print_text(text.render(found))
    return code


def evidence_of(run: Path, **options: Any) -> tuple["PrivacyEvidence", int]:
    """The evidence of a run with the exit code; where fits are missing, it says so, of the others.

    Raises
    ------
    IncompleteRun
        If there is no fit to compute it from.
    """
    from byrote.scores.evidence import epsilon as evidence  # noqa: PLC0415 (slow to load)

    try:
        return evidence(run, **options), Exit.DONE
    except IncompleteRun as error:
        found = evidence(run, **options, partial=True)
        complain(str(error))
        return found, Exit.INCOMPLETE
