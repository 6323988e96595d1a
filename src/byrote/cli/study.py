"""byrote study: the experiments of the paper and of the post, and what stops memorization."""

import io
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byrote.cli import figures, neighbors
from byrote.cli.exits import Exit, complain
from byrote.cli.options import (
    DryRun,
    Executor,
    Key,
    Labels,
    Seed,
    Some,
    Threads,
    ValidationPart,
    Workers,
)
from byrote.cli.output import (
    AsJson,
    Debug,
    print_json,
    print_text,
    standard_output_kept_clean,
)
from byrote.cli.records import records_beside
from byrote.cli.running import print_forecast
from byrote.errors import IncompleteRun

if TYPE_CHECKING:
    from byrote.data import Records
    from byrote.fits.request import Settings
    from byrote.scores.neighbors.neighbor_result import NeighborResult
    from byrote.scores.run import Run
    from byrote.studies.execute import StudyRun
    from byrote.studies.page import StudyReport

_DPI = 200


def study(
    name: Annotated[
        str,
        typer.Argument(
            help="mnist-1e-3, mnist-1e-4, cifar10, celeba; exposure-over-training,"
            " exposure-by-insertions, exposure-pareto, skew-normal-fit, dp-exposure; mitigations or"
            " onion."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="The data set, as byrote score takes it; the text of a study of exposure. Those of"
            " exposure and of mitigations have one if not given."
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="small: minutes on two cores; paper, or full: at full size.")
    ] = "small",
    records: Some = None,
    repeats: Annotated[int | None, typer.Option(help="In place of the scale's.")] = None,
    epochs: Annotated[int | None, typer.Option(help="In place of the scale's.")] = None,
    fits: Annotated[
        int | None,
        typer.Option(help="Of exposure and mitigations: in place of the declared."),
    ] = None,
    characters: Annotated[
        int | None, typer.Option(help="Of exposure: take the first so many of the text.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; if not given, runs/NAME-SCALE.")
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(help="Records for nearest-neighbour tests: a file or a folder."),
    ] = None,
    validation_part: ValidationPart = None,
    key: Key = None,
    labels: Labels = None,
    seed: Seed = 0,
    workers: Workers = 1,
    threads: Threads = 1,
    executor: Executor = "auto",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> int:
    """Repeat an experiment of the paper or the post, or see what stops memorization."""
    options = dict(locals())
    from byrote.studies import kinds  # noqa: PLC0415 (slow to load)

    kinds.check_options(name, options)
    declared = kinds.load_study(name)
    declared.scale(scale)
    # The libraries load here: --help and a mistyped name need not wait for them.
    from byrote.fits.request import Settings  # noqa: PLC0415
    from byrote.studies.requests import load_data  # noqa: PLC0415
    from byrote.studies.study import at_scale  # noqa: PLC0415

    of_scale = ("records", "characters", "repeats", "fits", "epochs")
    asked = {option: options[option] for option in of_scale if options[option] is not None}
    scaled = at_scale(declared, scale, **asked)
    settings = Settings(seed=seed, threads=threads, workers=workers, executor=executor, debug=debug)
    loaded = load_data(scaled, data, key=key, labels=labels)
    if dry_run:
        request: Any = loaded.requests(settings)[scaled.runs[0].name]
        print_forecast(request, as_json=as_json)
        return Exit.DONE
    folder = out or Path("runs") / f"{name}-{scale}"
    if declared.kind == "scores":
        return _study_of_scores(loaded, settings, folder, options)
    runs = _execute(loaded, settings, folder)
    if runs is None:
        return Exit.INTERRUPTED
    return _study_of_runs(loaded, runs, settings, folder, as_json=as_json)


def _execute(data: Any, settings: "Settings", out: Path) -> "tuple[StudyRun, ...] | None":
    """Execute the missing fits; None, after saying so, if somebody interrupted."""
    from byrote.fits.paths import RunPaths  # noqa: PLC0415 (slow to load)
    from byrote.fits.progress import Bar, Silent  # noqa: PLC0415
    from byrote.fits.run import kept_in  # noqa: PLC0415
    from byrote.studies.execute import execute  # noqa: PLC0415

    watched, single = sys.stderr.isatty(), data.scaled.study.kind == "scores"
    names = [run.name for run in data.scaled.runs]

    def announce(name: str) -> None:
        if watched and not single:
            complain(f"{name}, {names.index(name) + 1} of {len(names)}")

    try:
        with standard_output_kept_clean():
            progress = Bar if watched else Silent
            return execute(data, settings, out, progress=progress, announce=announce)
    except KeyboardInterrupt:
        several = f"finished fits are kept in {out}, and the same command goes on"
        complain(f"interrupted; {kept_in(RunPaths(out)) if single else several}")
        return None


# -- studies of several runs ----------------------------------------------------------------------


def _study_of_runs(
    data: Any, runs: "Sequence[StudyRun]", settings: "Settings", out: Path, *, as_json: bool
) -> int:
    from byrote.fits.paths import RunPaths  # noqa: PLC0415 (slow to load)
    from byrote.report.format import plural  # noqa: PLC0415
    from byrote.studies.page import report_on  # noqa: PLC0415

    with standard_output_kept_clean():
        report = report_on(data, runs, settings, out)
    drawn = _write_figures(report, RunPaths(out).figures)
    count = plural(len(drawn), "figure")
    _print_report(report, drawn, count, out, as_json=as_json)
    if report.complete:
        return Exit.DONE
    complain("fits are missing: the same command tries them again")
    return Exit.INCOMPLETE


def _write_figures(report: "StudyReport", folder: Path) -> list[str]:
    """Write the figures of the findings; return their paths relative to the report."""
    from byrote.fits.files import make_folder, write_atomically  # noqa: PLC0415 (slow to load)

    make_folder(folder)
    for name, figure in report.findings.figures.items():
        drawing = io.BytesIO()
        figure.savefig(drawing, format="png", dpi=_DPI)
        write_atomically(folder / f"{name}.png", drawing.getbuffer())
    return [f"{folder.name}/{name}.png" for name in report.findings.figures]


def _print_report(
    report: "StudyReport", drawn: Sequence[str], count: str, out: Path, *, as_json: bool
) -> None:
    """Write the report into the folder of the study, and print it."""
    from byrote.fits.files import write_atomically  # noqa: PLC0415 (slow to load)
    from byrote.fits.paths import RunPaths  # noqa: PLC0415
    from byrote.studies import page  # noqa: PLC0415

    path = RunPaths(out).study
    write_atomically(path, page.markdown(report, drawn).encode())
    if as_json:
        print_json(page.to_json(report, drawn))
        return
    print_text(page.render(report))
    print_text(f"{count} and this report, {path.name}, are in {out}")


# -- studies of scores ----------------------------------------------------------------------------


def _study_of_scores(data: Any, settings: "Settings", out: Path, options: Mapping[str, Any]) -> int:
    from byrote.studies.page import report_on  # noqa: PLC0415 (slow to load)

    fresh = _validation_records(data.records, options["validation"], options["validation_part"])
    runs = _execute(data, settings, out)
    if runs is None:
        return Exit.INTERRUPTED
    report = report_on(
        data,
        runs,
        settings,
        out,
        command=shlex.join(["byrote", "study", options["name"], *_words({**options, "out": out})]),
        score_command=data.score_command(settings, out),
    )
    run = runs[0].run
    if run.missing:
        complain(run.incomplete)
    report = replace(report, neighbors=_compare_neighbors(run, data.records, fresh))
    drawn = _draw_all(run)  # after the neighbors, which they show
    _print_report(report, drawn, f"{len(drawn)} figures", out, as_json=options["as_json"])
    run.folder.check_release()
    return Exit.INCOMPLETE if run.missing else Exit.DONE


def _words(options: Mapping[str, Any]) -> list[str]:
    """Return the options of the command that were given."""
    words = {
        f"--{name.replace('_', '-')}": str(value)
        for name, value in options.items()
        if value is not None and name not in ("name", "dry_run", "as_json", "debug")
    }
    return [word for pair in words.items() for word in pair]


def _validation_records(
    records: "Records", validation: str | None, part: str | None
) -> "Records | None":
    if validation is None and part is None:
        return None
    from byrote.fits.manifest import DataPart  # noqa: PLC0415 (slow to load)

    return records_beside(DataPart.of(records).model_dump(), validation, part)


def _compare_neighbors(
    run: "Run", records: "Records", fresh: "Records | None"
) -> "NeighborResult | None":
    from byrote.fits.reading import is_there  # noqa: PLC0415 (slow to load)

    if fresh is None:
        return None
    if not is_there(run.folder.paths.model(run.design.release)):
        complain("no nearest neighbours: there is no release model to draw samples from")
        return None
    result, seed = run.memorization(partial=True), run.manifest.seed
    with standard_output_kept_clean():
        return neighbors.compare(run, result, records, fresh, seed=seed)


def _draw_all(run: "Run") -> list[str]:
    """Draw all figures of a run; none, after saying so, if fits are missing."""
    try:
        paths = list(figures.draw({run.path.resolve().name: run}))
    except IncompleteRun:
        complain("no figures: fits are missing")
        return []
    return [path.relative_to(run.path).as_posix() for path in paths]
