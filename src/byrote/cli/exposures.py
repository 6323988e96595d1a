"""Exposures on standard output, of a run or of numbers computed elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.cli.exits import Exit, complain
from byrote.cli.output import print_csv, print_json, print_promise, print_text
from byrote.errors import IncompleteRun

if TYPE_CHECKING:
    from byrote.scores.exposure.run import ExposureRun


def is_exposure_run(run: Path) -> bool:
    """Whether the run in a folder planted canaries.

    Raises
    ------
    InvalidInput
        If there is no run.
    """
    from byrote.fits.paths import RunPaths  # noqa: PLC0415 (slow to load)
    from byrote.fits.store import RunFolder  # noqa: PLC0415

    return RunFolder.open(RunPaths(run)).design.inserts


def exposures_of(
    run: Path, *, epoch: int | None = None, method: str = "auto"
) -> tuple["ExposureRun", int]:
    """The exposures of a run with the exit code; where fits are missing, which it says, of others.

    Raises
    ------
    IncompleteRun
        If there is no fit to compute them from.
    """
    from byrote.scores.exposure.loading import load_exposure  # noqa: PLC0415 (slow to load)

    try:
        return load_exposure(run, epoch=epoch, method=method), Exit.DONE
    except IncompleteRun as error:
        found = load_exposure(run, epoch=epoch, method=method, partial=True)
        complain(str(error))
        return found, Exit.INCOMPLETE


def print_exposures(
    run: Path,
    *,
    as_json: bool,
    as_csv: bool,
    top: int,
    epoch: int | None = None,
    method: str = "auto",
) -> int:
    """Print the exposures of a run in the format asked for; returns the exit code."""
    found, code = exposures_of(run, epoch=epoch, method=method)
    if as_csv:
        print_csv(found.to_frame())
        return code
    from byrote.report import exposure_course as course  # noqa: PLC0415 (slow to load)
    from byrote.report import exposure_run as text  # noqa: PLC0415

    tracked = bool(found.description["track"]) and epoch is None
    followed = _course(run, method) if tracked else None
    if as_json:
        more = {} if followed is None else {"course": course.to_json(followed)}
        print_json({**text.to_json(found), **more})
        return code
    print_text(text.render(found, top=top))
    if followed is not None:
        print_text("")
        print_text(course.render(followed))
    print_promise(run)
    print_text("")
    print_text(_where(run))
    return code


def _course(run: Path, method: str) -> Any:
    from byrote.scores.exposure.course import load_exposure_course  # noqa: PLC0415 (slow to load)

    return load_exposure_course(run, method=method, partial=True)


def _where(run: Path) -> Any:
    from rich.text import Text  # noqa: PLC0415 (slow to load)

    kept = any((run / "models").glob("*.safetensors"))
    extract = ", extract" if kept else "; extract needs --keep-models release"
    return Text(f"The run is in {run}: byrote show, figures{extract}.")
