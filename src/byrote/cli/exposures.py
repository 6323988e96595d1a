"""Exposures on standard output, of a run or of numbers computed elsewhere."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.cli.output import (
    complete_or_not,
    print_csv,
    print_guarantee,
    print_json,
    print_text,
)

if TYPE_CHECKING:
    from byrote.scores.run import Run


def print_exposures(
    run: "Run",
    *,
    as_json: bool,
    as_csv: bool,
    top: int,
    epoch: int | None = None,
    method: str = "auto",
) -> int:
    """Print the exposures of a run in the format asked for; returns the exit code."""
    found, code = complete_or_not(partial(run.exposure, epoch, method=method))
    if as_csv:
        print_csv(found.to_frame())
        return code
    from byrote.report import exposure as text  # noqa: PLC0415 (slow to load)
    from byrote.report import trajectory as course  # noqa: PLC0415

    tracked = bool(run.manifest.track) and epoch is None
    followed = run.trajectory(method=method, partial=True) if tracked else None
    if as_json:
        more = {} if followed is None else {"course": course.to_json(followed)}
        print_json({**text.run_to_json(found), **more})
        return code
    print_text(text.render_run(found, top=top))
    if followed is not None:
        print_text("")
        print_text(course.render(followed))
    print_guarantee(run)
    print_text("")
    print_text(_where(run.path))
    return code


def _where(run: Path) -> Any:
    from rich.text import Text  # noqa: PLC0415 (slow to load)

    kept = any((run / "models").glob("*.safetensors"))
    extract = ", extract" if kept else "; extract needs --keep-models release"
    return Text(f"The run is in {run}: byrote show, figures{extract}.")
