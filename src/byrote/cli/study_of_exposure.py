"""byrote study of exposure: the post's experiments on language models."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from byrote.cli.exits import Exit, complain
from byrote.cli.output import print_json, print_text, standard_output_kept_clean

if TYPE_CHECKING:
    from byrote.studies.exposure.carrying import ExposureStudyReport

_DPI = 200


def carry_out(given: dict[str, Any]) -> int:
    """Carry out the study with the options of the command; returns the exit code."""
    from byrote.studies.exposure.declaration import load_exposure_study  # noqa: PLC0415

    declared = load_exposure_study(given["name"])
    declared.scale(given["scale"])
    # The libraries load here: --help and a mistyped name need not wait for them.
    from byrote.fits.request import Settings  # noqa: PLC0415
    from byrote.studies.exposure.carrying import report_on  # noqa: PLC0415
    from byrote.studies.exposure.chosen import choose  # noqa: PLC0415

    asked = {option: given[option] for option in ("characters", "fits", "epochs")}
    chosen = choose(declared, given["scale"], **asked)
    how = {option: given[option] for option in ("seed", "threads", "workers", "executor", "debug")}
    settings = Settings(**how)
    corpus = chosen.load(given["data"])
    requests = chosen.requests(corpus, settings)
    out = given["out"] or Path("runs") / f"{given['name']}-{given['scale']}"
    if not _carried_out(requests, out):
        return Exit.INTERRUPTED
    with standard_output_kept_clean():
        report = report_on(chosen, corpus, requests, out, settings)
    _tell(report, out, as_json=given["as_json"])
    if report.complete:
        return Exit.DONE
    complain("fits are missing: the same command tries them again")
    return Exit.INCOMPLETE


def _carried_out(requests: dict[str, Any], out: Path) -> bool:
    """Do the fits that are missing; whether nobody interrupted."""
    from byrote.fits.progress import Bar, Silent  # noqa: PLC0415 (slow to load)
    from byrote.studies.exposure.carrying import carry_out as runs  # noqa: PLC0415

    watched = sys.stderr.isatty()
    try:
        with standard_output_kept_clean():
            for place, name in enumerate(runs(requests, out, Bar if watched else Silent), start=1):
                if watched:
                    complain(f"{name}, {place} of {len(requests)}")
    except KeyboardInterrupt:
        complain(f"interrupted; finished fits are kept in {out}, and the same command goes on")
        return False
    return True


def _tell(report: "ExposureStudyReport", out: Path, *, as_json: bool) -> None:
    """Keep report and figures beside the runs, and print the report."""
    from byrote.fits.files import write_atomically  # noqa: PLC0415 (slow to load)
    from byrote.fits.paths import RunPaths  # noqa: PLC0415
    from byrote.studies.exposure import text  # noqa: PLC0415

    paths = RunPaths(out)
    drawn = _drawn(report, paths.figures)
    write_atomically(paths.study, text.markdown(report, drawn).encode())
    if as_json:
        print_json(text.to_json(report, drawn))
        return
    print_text(text.render(report))
    count = f"{len(drawn)} figure" + ("" if len(drawn) == 1 else "s")
    typer.echo(f"{count} and this report, {paths.study.name}, are in {out}")


def _drawn(report: "ExposureStudyReport", folder: Path) -> list[str]:
    """Write the figures; their paths beside the report."""
    from byrote.fits.files import make_folder, write_atomically  # noqa: PLC0415 (slow to load)

    make_folder(folder)
    for name, figure in report.findings.figures.items():
        drawing = io.BytesIO()
        figure.savefig(drawing, format="png", dpi=_DPI)
        write_atomically(folder / f"{name}.png", drawing.getbuffer())
    return [f"{folder.name}/{name}.png" for name in report.findings.figures]
