"""A result on standard output: text for people, JSON or CSV for programs."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byrote.cli import streams
from byrote.cli.exits import Exit, complain
from byrote.cli.promises import promise_of
from byrote.errors import IncompleteRun, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from byrote.scores.neighbors import NearDuplicates
    from byrote.scores.result import MemorizationResult
    from byrote.scores.trajectory import Trajectory

AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and only that.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print one CSV row per record, and only that.")]
Top = Annotated[int, typer.Option(help="How many of the most memorized records to show.", min=0)]
Debug = Annotated[  # read before any argument is: exits.run
    bool, typer.Option("--debug", help="Show errors whole, which may quote records.")
]


@contextmanager
def standard_output_kept_clean() -> Iterator[None]:
    """Send what models print, in this process and in workers started from it, to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def check_format(as_json: bool, as_csv: bool) -> None:
    """Two formats at once would be none."""
    if as_json and as_csv:
        raise InvalidInput("--json and --csv exclude each other; got both")


def scores_of(run: Path, *, epoch: int | None = None) -> tuple["MemorizationResult", int]:
    """The scores of a run with the exit code; of one with fits missing, which it says, the others'.

    Raises
    ------
    IncompleteRun
        If there is no fit to score from.
    """
    from byrote.scores.memorization import load_scores  # noqa: PLC0415 (slow to load)

    try:
        return load_scores(run, epoch=epoch), Exit.DONE
    except IncompleteRun as error:
        found = load_scores(run, epoch=epoch, partial=True)
        complain(str(error))
        return found, Exit.INCOMPLETE


def print_scores(
    run: Path, *, as_json: bool, as_csv: bool, top: int, epoch: int | None = None
) -> int:
    """Print the scores of a run in the format asked for; returns the exit code.

    Where fits are missing it says so first, then prints what the others give.
    """
    from byrote.scores.trajectory import load_trajectory  # noqa: PLC0415 (slow to load)

    result, code = scores_of(run, epoch=epoch)
    near = near_duplicates_of(run, result)
    tracked = bool(result.description["track"]) and epoch is None and not as_csv
    trajectory = load_trajectory(run, partial=True) if tracked else None
    print_result(result, as_json=as_json, as_csv=as_csv, top=top, trajectory=trajectory, near=near)
    if not as_json and not as_csv:
        print_promise(run)
    return code


def print_promise(run: Path) -> None:
    """What a run's fits promise of their privacy, if they do, below what was printed of it."""
    said = promise_of(run)
    if said is not None:
        print_text("")
        print_text(said)


def near_duplicates_of(run: Path, result: "MemorizationResult") -> "NearDuplicates | None":
    """What ``byrote neighbors`` found of near-duplicates, beside the run's scores of today.

    None where it was not asked, or where the file belongs to another run.
    """
    from byrote.fits.paths import RunPaths  # noqa: PLC0415 (slow to load)
    from byrote.fits.reading import is_there  # noqa: PLC0415
    from byrote.scores.neighbors import NearDuplicates  # noqa: PLC0415

    path = RunPaths(run).near_duplicates
    if not is_there(path):
        return None
    found = NearDuplicates.load(path)
    if found.description.get("run_id") != result.description["run_id"]:
        complain(f"{path} belongs to another run and is not shown; byrote neighbors replaces it")
        return None
    return replace(found, score=result.score)


def print_result(
    result: "MemorizationResult",
    *,
    as_json: bool,
    as_csv: bool,
    top: int,
    trajectory: "Trajectory | None" = None,
    near: "NearDuplicates | None" = None,
) -> None:
    """Print a result in the format asked for."""
    from byrote.report import near_duplicates as copies  # noqa: PLC0415 (slow to load)
    from byrote.report import text  # noqa: PLC0415
    from byrote.report import trajectory as course  # noqa: PLC0415

    if as_csv:
        more = {} if near is None else copies.columns(near)
        print_csv(result.to_frame().assign(**more))
        return
    if as_json:
        more = {} if trajectory is None else {"trajectory": course.to_json(trajectory)}
        if near is not None:
            more["near_duplicates"] = text.plain(near.summary())
        print_json({**text.to_json(result, top=top), **more})
        return
    print_text(text.render(result, top=top, beside=None if near is None else copies.beside(near)))
    if trajectory is not None:
        print_text("")
        print_text(course.render(trajectory))


def print_json(data: object) -> None:
    """Print plain data as JSON."""
    json.dump(data, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def print_text(content: object) -> None:
    """Print a line, or rich content, as wide as it needs where nobody is watching."""
    if isinstance(content, str):
        streams.write_lines(content, sys.stdout)
    else:
        streams.write_rich(content)


def print_csv(frame: "pd.DataFrame") -> None:
    """Print a table as CSV; docs/csv.md says how texts stand in it."""
    streams.write_csv(frame, sys.stdout)
