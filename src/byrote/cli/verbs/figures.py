"""byrote figures: the figures of a run."""

import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from byrote import checks
from byrote.cli.exits import complain
from byrote.cli.options.runs import FiguresOptions
from byrote.cli.output import print_text, standard_output_kept_clean
from byrote.errors import CorruptFile, InvalidInput, printable
from byrote.report.figures import style
from byrote.report.figures.registry import Selection, groups
from byrote.report.format import plural
from byrote.runs.files import make_folder, write_atomically
from byrote.scores.memorization.percentiles import record_percentiles
from byrote.scores.run import Run, open_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # slow to import, and also loaded by byrote compare

Drawn = TypeVar("Drawn")
_DPI = 300


def figures(options: FiguresOptions) -> None:
    """Draw all figures into the run folder, and print their paths."""
    if options.clusters is not None:
        checks.integer("--clusters", options.clusters, at_least=1)
    named = name_runs([options.run, *(options.against or [])], options.names)
    runs = {name: open_run(path) for name, path in named.items()}
    run = next(iter(runs.values()))
    if run.has_canaries:
        _check_options_of_exposures(options)
    paths = draw(runs, options.format_, records=options.record or [], clusters=options.clusters)
    for path in paths:
        print_text(printable(path))


def name_runs(paths: Sequence[Path], names: str | None) -> dict[str, Path]:
    """Return the paths of runs by their names, all different."""
    listed = [path.resolve().name for path in paths] if names is None else names.split(",")
    stripped = [name.strip() for name in listed]
    if len(stripped) != len(paths):
        raise InvalidInput(
            f"--names must be {plural(len(paths), 'name')} separated by commas; got {len(stripped)}"
        )
    if len(set(stripped)) < len(stripped) or "" in stripped:
        raise InvalidInput(
            "--names must be different names, and is needed for folders of the same name"
        )
    return dict(zip(stripped, paths, strict=True))


def _check_options_of_exposures(options: FiguresOptions) -> None:
    for name in ("against", "record", "clusters"):
        if getattr(options, name):
            raise InvalidInput(f"--{name} applies to runs of byrote score, not of byrote expose")


def draw(
    runs: dict[str, Run],
    format_: str = "png",
    *,
    records: Sequence[str] = (),
    clusters: int | None = None,
    toys: bool = False,
) -> Iterator[Path]:
    """Draw the figures of runs into the folder of the first; yield each path."""
    run = next(iter(runs.values()))
    for id_ in records:
        record_percentiles(run.memorization(), id_)  # reject unknown ids before drawing
    selection = Selection(runs, records, clusters, toys)
    yield from write_figures(run.folder.paths.figures, format_, groups(selection))


def write_figures(
    folder: Path, format_: str, drawings_of: "Iterator[tuple[str, Iterator[tuple[str, Figure]]]]"
) -> Iterator[Path]:
    """Write figures as they are drawn, and print why others are not; yield each path."""
    make_folder(folder)
    has_complained = False
    for group, drawings in _silently(drawings_of):
        try:
            for name, figure in _silently(drawings):
                path = folder / f"{name}.{format_}"
                content, lacks_glyphs = _render(figure, format_)
                write_atomically(path, content)
                if lacks_glyphs and not has_complained:
                    complain("names have characters that the font lacks; they are drawn as boxes")
                    has_complained = True
                yield path
        except (InvalidInput, CorruptFile) as error:
            complain(f"no {group}: {error}")


def _silently(drawings: Iterator[Drawn]) -> Iterator[Drawn]:
    """Keep the output of models that sample out of standard output."""
    while True:
        with standard_output_kept_clean():
            drawn = next(drawings, None)
        if drawn is None:
            return
        yield drawn


def _render(figure: "Figure", format_: str) -> tuple[memoryview, bool]:
    """Render a file, and return whether the font lacks characters of names."""
    drawing = io.BytesIO()
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("always")
        figure.savefig(drawing, format=format_, dpi=_DPI, bbox_inches=style.extent(figure))
    of_font = [str(warning.message).startswith("Glyph ") for warning in recorded]
    for warning, is_of_font in zip(recorded, of_font, strict=True):
        if not is_of_font:
            place = warning.filename, warning.lineno
            warnings.warn_explicit(warning.message, warning.category, *place)
    return drawing.getbuffer(), any(of_font)
