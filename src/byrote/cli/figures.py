"""byrote figures: the figures of a run."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byrote import checks
from byrote.cli.exits import complain
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
            drawn["gallery"] = draw.gallery(result, _images(result.description["data"]))
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


def _images(data: Mapping[str, Any]) -> "NDArray[Any]":
    from byrote.data import load  # noqa: PLC0415

    records = load(data["location"], **data["options"])
    if records.fingerprint != data["fingerprint"]:
        raise InvalidInput(f"{data['source']} has changed since the run")
    return records.x
