"""byrote figures: the figures of a run."""

import io
from pathlib import Path
from typing import Annotated

import typer

from byrote import checks
from byrote.cli.exits import complain
from byrote.cli.records import records_of
from byrote.errors import InvalidInput

_FORMATS = ("png", "pdf", "svg")


def figures(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    format_: Annotated[str, typer.Option("--format", help="png, pdf or svg.")] = "png",
) -> None:
    """Draw the distribution of the scores and, for images, the least and most memorized."""
    checks.choice("--format", format_, _FORMATS)
    from byrote.fits.files import make_folder, write_atomically  # noqa: PLC0415 (slow to load)
    from byrote.fits.paths import RunPaths  # noqa: PLC0415
    from byrote.report import figures as draw  # noqa: PLC0415
    from byrote.scores.memorization import load_scores  # noqa: PLC0415

    result = load_scores(run)
    drawn = {"scores": draw.figure_of(draw.score_distribution(result))}
    if len(result.description["data"]["shape"]) > 1:
        try:
            drawn["gallery"] = draw.gallery(result, records_of(result.description["data"]).x)
        except InvalidInput as error:
            complain(f"no gallery: {error}")
    folder = RunPaths(run).figures
    make_folder(folder)
    for name, figure in drawn.items():
        path = folder / f"{name}.{format_}"
        drawing = io.BytesIO()
        figure.savefig(drawing, format=format_, dpi=150)
        write_atomically(path, drawing.getbuffer())
        typer.echo(path)
