"""byrote check: whether a run stays within thresholds."""

from pathlib import Path
from typing import Annotated, Any

import typer

from byrote.cli.output import Debug, print_json, print_text
from byrote.errors import ByroteError, InvalidInput
from byrote.fits.files import remove, write_atomically


def check(
    run: Annotated[Path, typer.Argument(help="A run folder, of byrote score or byrote expose.")],
    max_exposure: Annotated[
        float | None,
        typer.Option(metavar="BITS", help="Of the most exposed of the canaries inserted."),
    ] = None,
    max_significant: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Of records memorized at a 5 % false discovery rate: 1% or 0.01.",
        ),
    ] = None,
    max_q999: Annotated[
        float | None,
        typer.Option(metavar="NATS", help="Mean_log that at most 0.1 % of the records exceed."),
    ] = None,
    max_epsilon_proven: Annotated[
        float | None,
        typer.Option(metavar="EPSILON", help="Of the lower bound of byrote epsilon."),
    ] = None,
    max_auc: Annotated[
        str | None,
        typer.Option(
            metavar="AREA", help="Of membership inference, the better of two attacks: 0.6 or 60%."
        ),
    ] = None,
    insertions: Annotated[
        int | None,
        typer.Option(help="--max-exposure: only canaries inserted at most so often count."),
    ] = None,
    level: Annotated[
        float, typer.Option(help="At which the intervals of all thresholds hold together.")
    ] = 0.95,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the gate as JSON, and only that.")
    ] = False,
    junit: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write JUnit XML, a test for each threshold, for its owner to read.",
        ),
    ] = None,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Check a run against thresholds: exit 0 if all pass, 3 if one fails, 4 if inconclusive."""
    thresholds = {
        "max_exposure": max_exposure,
        "max_significant": max_significant,
        "max_q999": max_q999,
        "max_epsilon_proven": max_epsilon_proven,
        "max_auc": max_auc,
    }
    if junit is not None and (junit.is_dir() or not junit.resolve().parent.is_dir()):
        raise InvalidInput(f"--junit must be a file in a folder that exists; got {str(junit)!r}")
    if junit is not None:
        remove(junit)  # whatever happens, none of an earlier check is left
    from byrote.report import gate as text  # noqa: PLC0415 (slow to load)
    from byrote.report.format import plain  # noqa: PLC0415

    found = _checked(run, thresholds, junit, insertions=insertions, level=level)
    if junit is not None:
        write_atomically(junit, text.to_junit(found))
    if as_json:
        print_json(plain(found.to_dict()))
    else:
        print_text(text.render(found))
    return found.exit_code


def _checked(run: Path, thresholds: dict[str, Any], junit: Path | None, **options: Any) -> Any:
    """Make the gate; if that fails, write an error for every threshold to the JUnit file."""
    from byrote.report import gate as text  # noqa: PLC0415 (slow to load)
    from byrote.scores.gate.check import check as check_run  # noqa: PLC0415

    try:
        return check_run(run, **thresholds, **options)
    except ByroteError as error:
        if junit is not None:
            asked = [name for name, limit in thresholds.items() if limit is not None]
            write_atomically(junit, text.unusable_junit(asked or ["check"], error))
        raise
