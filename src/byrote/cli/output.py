"""A result on standard output: text for people, JSON or CSV for programs."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from byrote.cli import streams
from byrote.cli.exits import Exit, complain
from byrote.errors import IncompleteRun, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from byrote.scores.memorization.memorization_result import MemorizationResult
    from byrote.scores.memorization.trajectory import Trajectory
    from byrote.scores.neighbors.near_duplicates import NearDuplicates
    from byrote.scores.run import Run

Result = TypeVar("Result")
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


def complete_or_not(compute: Callable[..., Result]) -> tuple[Result, int]:
    """Compute a result of a run with the exit code; print what is missing, if anything is.

    Raises
    ------
    IncompleteRun
        If there is no finished fit to compute it from.
    """
    try:
        return compute(partial=False), Exit.DONE
    except IncompleteRun as error:
        result = compute(partial=True)
        complain(str(error))
        return result, Exit.INCOMPLETE


def print_scores(
    run: "Run", *, as_json: bool, as_csv: bool, top: int, epoch: int | None = None
) -> int:
    """Print the scores of a run in the format asked for; returns the exit code."""
    result, code = complete_or_not(partial(run.memorization, epoch))
    near = near_duplicates_of(run, result)
    tracked = bool(run.manifest.track) and epoch is None and not as_csv
    trajectory = run.trajectory(partial=True) if tracked else None
    print_result(result, as_json=as_json, as_csv=as_csv, top=top, trajectory=trajectory, near=near)
    if not as_json and not as_csv:
        print_guarantee(run)
    return code


def print_guarantee(run: "Run") -> None:
    """Print which privacy the finished fits guarantee, if they record it."""
    if run.guarantee is None:
        return
    from rich.text import Text  # noqa: PLC0415 (slow to load)

    from byrote.report.privacy import guarantee  # noqa: PLC0415

    print_text("")
    print_text(Text(f"{guarantee(run.guarantee)} byrote epsilon tells what is proven."))


def near_duplicates_of(run: "Run", result: "MemorizationResult") -> "NearDuplicates | None":
    """Load the near-duplicates beside these scores; None if there are none of this run."""
    try:
        near = run.near_duplicates()
    except InvalidInput as error:
        complain(f"{error}; it is not shown")
        return None
    return None if near is None else replace(near, score=result.score)


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
    from byrote.report import memorization as text  # noqa: PLC0415 (slow to load)
    from byrote.report import near_duplicates as copies  # noqa: PLC0415
    from byrote.report import trajectory as course  # noqa: PLC0415
    from byrote.report.format import plain  # noqa: PLC0415

    if as_csv:
        more = {} if near is None else copies.columns(near)
        print_csv(result.to_frame().assign(**more))
        return
    if as_json:
        more = {} if trajectory is None else {"trajectory": course.to_json(trajectory)}
        if near is not None:
            more["near_duplicates"] = plain(near.summary())
        print_json({**text.to_json(result, top=top), **more})
        return
    print_text(text.render(result, top=top, column=None if near is None else copies.column(near)))
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
