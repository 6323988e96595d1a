"""byrote study of several runs: carrying them out, and what is told of them."""

import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from byrote.cli.exits import Exit, complain
from byrote.cli.output import emit, print_text, standard_output_kept_clean

if TYPE_CHECKING:
    from byrote.studies.carrying import Asked, ConfiguredReport

_DPI = 200


def carry_out(
    given: Mapping[str, Any],
    requests: "Mapping[str, Asked]",
    report_on: "Callable[[Path], ConfiguredReport]",
    text: ModuleType,
) -> int:
    """Do the runs, keep and print the report on their folder by its text; the exit code."""
    out = given["out"] or Path("runs") / f"{given['name']}-{given['scale']}"
    if not _carried_out(requests, out):
        return Exit.INTERRUPTED
    with standard_output_kept_clean():
        report = report_on(out)
    _tell(report, out, text, as_json=given["as_json"])
    if report.complete:
        return Exit.DONE
    complain("fits are missing: the same command tries them again")
    return Exit.INCOMPLETE


def _carried_out(requests: "Mapping[str, Asked]", out: Path) -> bool:
    """Do the fits that are missing; whether nobody interrupted."""
    from byrote.fits.progress import Bar, Silent  # noqa: PLC0415 (slow to load)
    from byrote.studies.carrying import carry_out as runs  # noqa: PLC0415

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


def _tell(report: "ConfiguredReport", out: Path, text: ModuleType, *, as_json: bool) -> None:
    """Keep report and figures beside the runs, and print the report."""
    from byrote.fits.files import write_atomically  # noqa: PLC0415 (slow to load)
    from byrote.fits.paths import RunPaths  # noqa: PLC0415

    paths = RunPaths(out)
    drawn = _drawn(report, paths.figures)
    write_atomically(paths.study, text.markdown(report, drawn).encode())
    if as_json:
        emit("json", text=list, data=lambda: text.to_json(report, drawn))
        return
    print_text(text.render(report))
    count = f"{len(drawn)} figure" + ("" if len(drawn) == 1 else "s")
    print_text(f"{count} and this report, {paths.study.name}, are in {out}")


def _drawn(report: "ConfiguredReport", folder: Path) -> list[str]:
    """Write the figures; their paths beside the report."""
    from byrote.fits.files import make_folder, write_atomically  # noqa: PLC0415 (slow to load)

    make_folder(folder)
    for name, figure in report.findings.figures.items():
        drawing = io.BytesIO()
        figure.savefig(drawing, format="png", dpi=_DPI)
        write_atomically(folder / f"{name}.png", drawing.getbuffer())
    return [f"{folder.name}/{name}.png" for name in report.findings.figures]
