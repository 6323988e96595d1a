"""byrote figures: the figures of a run."""

import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from byrote import checks
from byrote.cli.exits import complain
from byrote.cli.output import Debug, print_text, standard_output_kept_clean
from byrote.errors import CorruptFile, InvalidInput, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from byrote.scores.run import Run

Drawn = TypeVar("Drawn")
FORMATS = ("png", "pdf", "svg")
_DPI = 300


def figures(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    format_: Annotated[str, typer.Option("--format", help="png, pdf or svg.")] = "png",
    against: Annotated[
        list[Path] | None, typer.Option(help="Another run to draw beside this one; repeatable.")
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(help="Names of the runs, between commas (default: their folders')."),
    ] = None,
    record: Annotated[
        list[str] | None, typer.Option(help="Id of a record to show in its class; repeatable.")
    ] = None,
    clusters: Annotated[
        int | None, typer.Option(help="Look for thin regions among so many k-means clusters.")
    ] = None,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Draw all figures that a run supports; what cannot be drawn is said in a line each."""
    checks.choice("--format", format_, FORMATS)
    if clusters is not None:
        checks.integer("--clusters", clusters, at_least=1)
    from byrote.scores.run import open_run  # noqa: PLC0415 (slow to load)

    runs = {name: open_run(path) for name, path in _named([run, *(against or [])], names).items()}
    first = next(iter(runs.values()))
    if first.has_canaries:
        _check_for_exposures(against, record, clusters)
    for path in draw(runs, format_, records=record or [], clusters=clusters):
        print_text(printable(path))


def _check_for_exposures(
    against: Sequence[Path] | None, record: Sequence[str] | None, clusters: int | None
) -> None:
    """Refuse what only runs with scores have figures of."""
    for name, value in (("against", against), ("record", record), ("clusters", clusters)):
        if value:
            raise InvalidInput(f"--{name} belongs to runs with scores; this one has exposures")


def draw(
    runs: "dict[str, Run]",
    format_: str = "png",
    *,
    records: Sequence[str] = (),
    clusters: int | None = None,
) -> Iterator[Path]:
    """Draw into the folder of the first run; yield each file, report what cannot be drawn."""
    from byrote.report.figures.registry import Selection, groups  # noqa: PLC0415 (slow to load)
    from byrote.scores.memorization.percentiles import record_percentiles  # noqa: PLC0415

    run = next(iter(runs.values()))
    for id_ in records:
        record_percentiles(run.memorization(), id_)  # refused before anything is drawn
    yield from written(
        run.folder.paths.figures, format_, groups(Selection(runs, records, clusters))
    )


def written(
    folder: Path, format_: str, groups: "Iterator[tuple[str, Iterator[tuple[str, Figure]]]]"
) -> Iterator[Path]:
    """Write figures as they are drawn, and complain of a group that cannot be."""
    from byrote.fits.files import make_folder, write_atomically  # noqa: PLC0415 (slow to load)

    make_folder(folder)
    said = False
    for group, drawings in _silently(groups):
        try:
            for name, figure in _silently(drawings):
                path = folder / f"{name}.{format_}"
                content, lacking = _rendered(figure, format_)
                write_atomically(path, content)
                if lacking and not said:
                    complain("names hold characters that the figures' font lacks, drawn as boxes")
                    said = True
                yield path
        except (InvalidInput, CorruptFile) as error:
            complain(f"no {group}: {error}")


def _silently(drawings: Iterator[Drawn]) -> Iterator[Drawn]:
    """Keep what models print while they sample out of standard output."""
    while True:
        with standard_output_kept_clean():
            drawn = next(drawings, None)
        if drawn is None:
            return
        yield drawn


def _named(runs: list[Path], names: str | None) -> dict[str, Path]:
    """The runs by name, all different."""
    given = [run.resolve().name for run in runs] if names is None else names.split(",")
    chosen = [name.strip() for name in given]
    if len(chosen) != len(runs):
        raise InvalidInput(f"--names must be {len(runs)} names between commas; got {len(chosen)}")
    if len(set(chosen)) < len(chosen) or "" in chosen:
        raise InvalidInput("--names must be given, all different, where folders' names are alike")
    return dict(zip(chosen, runs, strict=True))


def _rendered(figure: "Figure", format_: str) -> tuple[memoryview, bool]:
    """The file, and whether names in it have characters that the font lacks."""
    drawing = io.BytesIO()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        figure.savefig(drawing, format=format_, dpi=_DPI)
    of_font = [str(warning.message).startswith("Glyph ") for warning in heard]
    for warning, lacking in zip(heard, of_font, strict=True):
        if not lacking:
            place = warning.filename, warning.lineno
            warnings.warn_explicit(warning.message, warning.category, *place)
    return drawing.getbuffer(), any(of_font)
