"""byrote compare: did the mitigation work, and at what cost?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byrote import checks
from byrote.cli import streams
from byrote.cli.output import AsJson, Debug, print_json, print_text
from byrote.errors import printable

if TYPE_CHECKING:
    from byrote.scores.compare.comparison import Comparison


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders, two or more; the first is the baseline.")
    ],
    names: Annotated[
        str | None,
        typer.Option(help="Names of the runs, between commas (default: their folders')."),
    ] = None,
    match_ids: Annotated[
        bool,
        typer.Option(
            "--match-ids",
            help="Compare the records that all runs have under one id, though data or plans"
            " differ (a pruned set, say).",
        ),
    ] = False,
    as_json: AsJson = False,
    figures: Annotated[
        Path | None, typer.Option(help="Draw the figures into this folder too.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="png, pdf or svg.")] = "png",
    top: Annotated[
        int, typer.Option(help="How many of the records that changed most to show.", min=0)
    ] = 10,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Set runs beside a baseline: what changed, with intervals, and what it cost."""
    from byrote.cli.figures import FORMATS  # noqa: PLC0415 (slow to load)
    from byrote.report import comparison as text  # noqa: PLC0415
    from byrote.scores.compare.compare import compare as compared  # noqa: PLC0415

    checks.choice("--format", format_, FORMATS)
    called = None if names is None else [name.strip() for name in names.split(",")]
    found = compared(runs, names=called, match="ids" if match_ids else "same")
    if as_json:
        print_json(text.to_json(found, top=top))
    else:
        print_text(text.render(found, top=top))
    if figures is not None:
        _draw(found, figures, format_)


def _draw(found: "Comparison", folder: Path, format_: str) -> None:
    """Draw what there is into a folder; the paths go where they spoil no JSON."""
    from byrote.cli.figures import written  # noqa: PLC0415 (slow to load)
    from byrote.report.figures.registry import groups  # noqa: PLC0415

    for path in written(folder, format_, groups(found)):
        streams.write_lines(printable(path), sys.stderr)
