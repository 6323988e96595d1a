"""byrote prune: the data without what was memorized."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byrote.cli.exits import Exit
from byrote.cli.output import AsJson, Debug, near_duplicates_of, print_json, print_text
from byrote.cli.shares import share
from byrote.errors import InvalidInput

if TYPE_CHECKING:
    from byrote.fits.paths import RunPaths
    from byrote.scores.memorization.memorization_result import MemorizationResult


def prune(
    run: Annotated[Path, typer.Argument(help="A run folder with scores.")],
    fdr: Annotated[
        float | None, typer.Option(help="Take out the records with a q-value of at most this.")
    ] = None,
    top: Annotated[
        str | None,
        typer.Option(
            metavar="5%", help="Take out this share of the scored records, the highest M first."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A .csv, .txt or .parquet file for the ids that stay: RUN/pruned.csv."),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """List the records that stay when those that were memorized are taken out."""
    from byrote.data.id_lists import check_suffix  # noqa: PLC0415 (slow to load)
    from byrote.fits.parquet import check_destination  # noqa: PLC0415
    from byrote.report import pruning as text  # noqa: PLC0415
    from byrote.scores.memorization.pruning import prune as pruned  # noqa: PLC0415
    from byrote.scores.run import open_run  # noqa: PLC0415

    rate = None if top is None else share("--top", top)
    opened = open_run(run)
    place = opened.folder.paths.pruned if out is None else check_suffix("--out", out)
    check_destination(place)
    result = opened.memorization()
    _check_free(place, opened.folder.paths, result)
    found = pruned(result, fdr=fdr, top=rate)
    found.save(place)
    near = near_duplicates_of(opened, result)
    if as_json:
        print_json(text.to_json(found, place, near))
    else:
        print_text(text.render(found, result.description, place, near))
    return Exit.DONE


def _check_free(place: Path, paths: "RunPaths", result: "MemorizationResult") -> None:
    """Refuse to write over the data, or over what a run folder holds."""
    data = result.description["data"]
    own = [data["location"], data["options"].get("labels"), data["options"].get("ids")]
    taken = {Path(name).resolve() for name in own if name}
    within = place.resolve().parent == paths.root.resolve() and place.stem != paths.pruned.stem
    if place.resolve() in taken or within:
        raise InvalidInput(f"--out must be a file of its own; {place} belongs to the run")
