"""byrote study of memorization scores: the paper's experiments."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.cli import figures, neighbors
from byrote.cli.exits import Exit, complain
from byrote.cli.output import (
    complete_or_not,
    print_json,
    print_text,
    standard_output_kept_clean,
)
from byrote.cli.records import records_beside
from byrote.cli.running import carry_out as carry_out_run
from byrote.cli.running import print_forecast
from byrote.errors import IncompleteRun

if TYPE_CHECKING:
    from byrote.data import Records
    from byrote.scores.memorization.memorization_result import MemorizationResult
    from byrote.scores.neighbors.neighbor_result import NeighborResult
    from byrote.scores.run import Run
    from byrote.studies.report import StudyReport


def carry_out(given: dict[str, Any]) -> int:
    """Carry out the study with the options of the command; returns the exit code."""
    from byrote.studies.declaration import load_study  # noqa: PLC0415 (slow to load)

    name, scale, as_json = given["name"], given["scale"], given["as_json"]
    declared = load_study(name)
    declared.scale(scale)
    # The libraries load here: --help and a mistyped name need not wait for them.
    from byrote.fits.request import Settings  # noqa: PLC0415
    from byrote.studies.chosen import choose  # noqa: PLC0415
    from byrote.studies.report import report_on  # noqa: PLC0415

    asked = {option: given[option] for option in ("records", "repeats", "epochs")}
    chosen = choose(declared, scale, **asked)
    how = {option: given[option] for option in ("seed", "threads", "workers", "executor", "debug")}
    settings = Settings(**how, keep_models=chosen.setting.keep_models)
    loaded = chosen.load(given["data"], key=given["key"], labels=given["labels"])
    request = chosen.request(loaded, settings)
    if given["dry_run"]:
        print_forecast(request, as_json=as_json)
        return Exit.DONE
    out = given["out"] or Path("runs") / f"{name}-{scale}"
    fresh = _fresh(loaded, given["validation"], given["validation_part"])
    run = carry_out_run(request, out)
    if run is None:
        return Exit.INTERRUPTED
    result, code = complete_or_not(run.memorization)
    compared = _compared(run, result, loaded, fresh)
    report = report_on(
        chosen,
        run,
        result,
        neighbors=compared,
        figures=_drawn(run),  # after the neighbours, which they show
        command=shlex.join(["byrote", "study", name, *words_of(given, out)]),
        score_command=chosen.score_command(loaded, settings, out),
    )
    _tell(report, run, as_json=as_json)
    run.folder.check_release()
    return code


def words_of(given: dict[str, Any], out: Path) -> list[str]:
    """The options of the command, those that were left out aside."""
    options = {
        f"--{name.replace('_', '-')}": str(value)
        for name, value in {**given, "out": out}.items()
        if value is not None and name not in ("name", "dry_run", "as_json", "debug")
    }
    return [word for pair in options.items() for word in pair]


def _fresh(records: "Records", validation: str | None, part: str | None) -> "Records | None":
    """The validation records, if any are named."""
    if validation is None and part is None:
        return None
    from byrote.fits.manifest import DataPart  # noqa: PLC0415 (slow to load)

    return records_beside(DataPart.of(records).model_dump(), validation, part)


def _compared(
    run: "Run", result: "MemorizationResult", records: "Records", fresh: "Records | None"
) -> "NeighborResult | None":
    from byrote.fits.reading import is_there  # noqa: PLC0415 (slow to load)

    if fresh is None:
        return None
    if not is_there(run.folder.paths.model(run.design.release)):
        complain("no nearest neighbours: there is no release model to draw samples from")
        return None
    seed = run.manifest.seed
    with standard_output_kept_clean():
        return neighbors.compare(run, result, records, fresh, seed=seed)


def _drawn(run: "Run") -> tuple[str, ...]:
    """Draw all figures; of a run with fits missing, which was said, there are none."""
    try:
        paths = list(figures.draw({run.path.resolve().name: run}))
    except IncompleteRun:
        complain("no figures: fits are missing")
        return ()
    return tuple(path.relative_to(run.path).as_posix() for path in paths)


def _tell(report: "StudyReport", run: "Run", *, as_json: bool) -> None:
    """Keep the report in the run folder, and print it."""
    from byrote.fits.files import write_atomically  # noqa: PLC0415 (slow to load)
    from byrote.studies import text  # noqa: PLC0415

    write_atomically(run.folder.paths.study, text.markdown(report).encode())
    if as_json:
        print_json(text.to_json(report))
        return
    print_text(text.render(report))
    print_text(
        f"{len(report.figures)} figures and this report, {run.folder.paths.study.name}, are in"
        f" {run.path}"
    )
