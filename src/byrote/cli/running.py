"""A run carried out, or only forecast, from the command line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byrote.cli.exits import complain
from byrote.cli.output import print_json, print_text, standard_output_kept_clean

if TYPE_CHECKING:
    from byrote.fits.request import Request
    from byrote.scores.run import Run


def carry_out(request: "Request", out: Path) -> "Run | None":
    """Do the fits that are missing, with a bar; None after Ctrl-C and its like, which is said."""
    from byrote.fits.paths import RunPaths  # noqa: PLC0415 (slow to load)
    from byrote.fits.progress import Bar, Silent  # noqa: PLC0415
    from byrote.fits.run import kept_in, run_fits  # noqa: PLC0415
    from byrote.scores.run import Run  # noqa: PLC0415

    try:
        with standard_output_kept_clean():
            return Run(run_fits(request, out, Bar() if sys.stderr.isatty() else Silent()))
    except KeyboardInterrupt:
        complain(f"interrupted; {kept_in(RunPaths(out))}")
        return None


def print_forecast(request: "Request", *, as_json: bool) -> None:
    """Say how many fits there are and what they take, from a pilot."""
    from dataclasses import asdict  # noqa: PLC0415 (slow to load)

    from byrote.report.format import plain  # noqa: PLC0415

    with standard_output_kept_clean():
        found, text = _forecast(request)
    if as_json:
        print_json(plain(asdict(found)))
    else:
        print_text(text)


def _forecast(request: "Request") -> tuple[Any, Any]:
    """What the run will cost, as data and as text."""
    from byrote.report.forecast import render  # noqa: PLC0415 (slow to load)

    costs = request.forecast()
    return costs, render(costs)
