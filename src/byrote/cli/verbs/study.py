"""byrote study: the experiments of the paper and the post, and mitigations."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from byrote.cli.exits import Exit, complain
from byrote.cli.options.training import StudyOptions
from byrote.cli.output import emit, output_format, standard_output_kept_clean
from byrote.cli.validation import load_validation
from byrote.cli.verbs import figures, neighbors
from byrote.cli.verbs.score import print_forecast
from byrote.data import Records
from byrote.errors import IncompleteRun
from byrote.report.figures import style
from byrote.report.format import plural
from byrote.runs.execute import kept_in
from byrote.runs.files import file_exists, write_atomically
from byrote.runs.manifest import DataPart
from byrote.runs.paths import RunPaths
from byrote.runs.progress import Bar, Silent
from byrote.runs.request import Settings
from byrote.scores.neighbors.neighbor_result import NeighborResult
from byrote.scores.run import Run
from byrote.studies import kinds, page, what_was_run
from byrote.studies.execute import StudyRun, execute
from byrote.studies.page import StudyReport, report_on
from byrote.studies.requests import load_data
from byrote.studies.study import at_scale

_OF_SCALE = ("records", "characters", "repeats", "fits", "epochs")


def study(options: StudyOptions) -> int:
    """Execute a study, and write and print its report; return the exit code."""
    kinds.check_options(options.name, asdict(options))
    declared = kinds.load_study(options.name)
    declared.scale(options.scale)
    sizes = {name: getattr(options, name) for name in _OF_SCALE}
    sizes = {name: size for name, size in sizes.items() if size is not None}
    scaled = at_scale(declared, options.scale, **sizes)
    settings = Settings(
        seed=options.seed,
        threads=options.threads,
        workers=options.workers,
        executor=options.executor,
        debug=options.debug,
    )
    data = load_data(scaled, options.data, key=options.key, labels=options.labels)
    if options.dry_run:
        request: Any = data.requests(settings)[scaled.runs[0].name]
        print_forecast(request, output_format(options.as_json))
        return Exit.DONE
    out = options.out or Path("runs") / f"{options.name}-{options.scale}"
    report_study = _study_of_scores if declared.kind == "scores" else _study_of_runs
    return report_study(data, settings, out, options)


def _execute(data: Any, settings: Settings, out: Path) -> tuple[StudyRun, ...] | None:
    """Execute the missing fits; return None after an interrupt."""
    is_terminal, single = sys.stderr.isatty(), data.scaled.study.kind == "scores"
    names = [run.name for run in data.scaled.runs]

    def announce(name: str) -> None:
        if is_terminal and not single:
            complain(f"{name}, {names.index(name) + 1} of {len(names)}")

    try:
        with standard_output_kept_clean():
            progress = Bar if is_terminal else Silent
            return execute(data, settings, out, progress=progress, announce=announce)
    except KeyboardInterrupt:
        several = f"finished fits are kept in {out}, and the same command resumes"
        complain(f"interrupted; {kept_in(RunPaths(out)) if single else several}")
        return None


# -- studies of several runs ----------------------------------------------------------------------


def _study_of_runs(data: Any, settings: Settings, out: Path, options: StudyOptions) -> int:
    runs = _execute(data, settings, out)
    if runs is None:
        return Exit.INTERRUPTED
    with standard_output_kept_clean():
        report = report_on(data, runs, settings, out)
    _print_report(report, _write_figures(report, RunPaths(out).figures), out, options)
    if report.complete:
        return Exit.DONE
    complain("fits are missing; the same command retries them")
    return Exit.INCOMPLETE


def _write_figures(report: StudyReport, folder: Path) -> list[str]:
    """Write the figures of the findings; return their paths relative to the report."""
    drawn = report.findings.figures
    for figure in drawn.values():
        style.sign(figure, what_was_run.sentence(report.data, report.runs))
    groups = ((name, iter([(name, figure)])) for name, figure in drawn.items())
    return [f"{folder.name}/{path.name}" for path in figures.write_figures(folder, "png", groups)]


def _print_report(
    report: StudyReport, drawn: Sequence[str], out: Path, options: StudyOptions
) -> None:
    """Write the report into the folder of the study, and print it."""
    path = RunPaths(out).study
    write_atomically(path, page.markdown(report, drawn).encode())
    note = f"{plural(len(drawn), 'figure')} and this report, {path.name}, are in {out}"
    emit(
        output_format(options.as_json),
        text=lambda: [page.render(report), note],
        data=lambda: page.to_json(report, drawn),
    )


# -- studies of scores ----------------------------------------------------------------------------


def _study_of_scores(data: Any, settings: Settings, out: Path, options: StudyOptions) -> int:
    validation_records = _load_validation(data.records, options.validation, options.validation_part)
    runs = _execute(data, settings, out)
    if runs is None:
        return Exit.INTERRUPTED
    report = report_on(
        data,
        runs,
        settings,
        out,
        command=shlex.join(["byrote", "study", options.name, *_words(replace(options, out=out))]),
        score_command=data.score_command(settings, out),
    )
    run = runs[0].run
    if run.missing:
        complain(run.incomplete)
    report = replace(report, neighbors=_compare_neighbors(run, data.records, validation_records))
    drawn = _draw_all(run)  # after the neighbors, which they show
    _print_report(report, drawn, out, options)
    run.folder.check_release()
    return Exit.INCOMPLETE if run.missing else Exit.DONE


def _words(options: StudyOptions) -> list[str]:
    words = {
        f"--{name.replace('_', '-')}": str(value)
        for name, value in asdict(options).items()
        if value is not None and name not in ("name", "dry_run", "as_json", "debug")
    }
    return [word for pair in words.items() for word in pair]


def _load_validation(records: Records, validation: str | None, part: str | None) -> Records | None:
    if validation is None and part is None:
        return None
    return load_validation(DataPart.of(records).model_dump(), validation, part)


def _compare_neighbors(
    run: Run, records: Records, validation_records: Records | None
) -> NeighborResult | None:
    if validation_records is None:
        return None
    if not file_exists(run.folder.paths.model(run.design.release)):
        complain("no nearest neighbours: the run has no release model to sample from")
        return None
    result, seed = run.memorization(partial=True), run.manifest.seed
    with standard_output_kept_clean():
        return neighbors.compare_with_samples(run, result, records, validation_records, seed=seed)


def _draw_all(run: Run) -> list[str]:
    """Draw all figures of a run, and the paper's toys, or none if fits are missing."""
    try:
        paths = list(figures.draw({run.name: run}, toys=True))
    except IncompleteRun:
        complain("no figures: fits are missing")
        return []
    return [path.relative_to(run.path).as_posix() for path in paths]
